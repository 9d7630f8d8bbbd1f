"""Where customers are found in a workspace, before anything of it is removed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pipelines.data.privacy.enforce import customers_in
from pipelines.data.privacy.landed_rows import landed_rows, rejected_rows
from pipelines.data.privacy.own_files import foreign_files, lines_naming
from pipelines.data.privacy.workspace_files import made_files, models, rows_of
from pipelines.data.sources.source_rows import file_sha256
from pipelines.foundation.identity.pseudonyms import Identities
from pipelines.foundation.ledger import outbox as outbox_tables
from pipelines.foundation.ledger.recommendations import Recommended
from pipelines.foundation.ledger.score_store import ScoreStore
from pipelines.foundation.storage.landings import LANDED
from pipelines.foundation.storage.store import Store


@dataclass(frozen=True)
class Traces:
    """names: what each customer is called in files of ours, by the company's own id.

    removed: of each customer, by kind of file, how many files and rows; elsewhere: files that are not ours; sent_to:
    destinations that hold or may hold something.

    exported: how many rows each customer has in the exports that landed, by their path and content.

    learned_on: days of the snapshots that each customer is in; kept: days of all snapshots that are there.
    """

    store: Store
    names: Mapping[str, str]
    removed: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)
    elsewhere: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    sent_to: dict[str, list[str]] = field(default_factory=dict)
    exported: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    learned_on: dict[str, set[int]] = field(default_factory=dict)
    kept: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, store: Store, names: Mapping[str, str], say: Callable[[str], None]) -> Traces:
        found = cls(store, names)
        for name in names:
            found.removed[name], found.elsewhere[name], found.learned_on[name] = {}, [], set()
        for look in (found._landed, found._made, found._handed_over, found._elsewhere):
            look(say)
        return found

    def models_of(self, name: str) -> Iterator[dict[str, Any]]:
        """Models that learned from a customer; `certain` is false where a snapshot that would tell is not kept."""
        for model in models(self.store):
            days = set(model["days"])
            theirs = self.learned_on[name] & days
            if theirs or ("landed" in self.removed[name] and days - self.kept):
                told = {"version": model["version"], "outcome": model["outcome"]}
                yield told | {"snapshots": len(theirs), "certain": bool(theirs)}

    def _landed(self, say: Callable[[str], None]) -> None:
        for file in self.store.files(LANDED):
            say(f"looking into {file.path}")
            landed = self._own(landed_rows(self.store, file, self.names.values()))
            rejected = rejected_rows(self.store, file, self.names)
            self._count("landed", landed)
            self._count("rejected", rejected)
            export = self.exported.setdefault((file.detail["source"], file.detail["source_sha256"]), Counter())
            export.update(landed)
            export.update(rejected)

    def _made(self, say: Callable[[str], None]) -> None:
        for file in made_files(self.store):
            say(f"looking into {file.path}")
            found = self._own(rows_of(self.store, file, self.names.values()))
            self._count(file.kind, found)
            if file.kind == "snapshot":
                day = date.fromisoformat(file.detail["day"]).toordinal()
                self.kept.add(day)
                for name in found:
                    self.learned_on[name].add(day)

    def _handed_over(self, say: Callable[[str], None]) -> None:
        say("looking into scores and what was handed over")
        identities = Identities(self.store.root)
        self._count("identities", {name: 1 for name in self.names if identities.know(name)})
        for file in self.store.files("scores"):
            self._count("scores", self._own(rows_of(self.store, file, self.names.values())))
        current = ScoreStore(self.store).current()
        if current is not None:
            self._count("current_scores", self._own(Counter(current[1]["customer_id"].tolist())))
        for kind, found in (
            ("recommended", Recommended(self.store).rows_of(self.names.values())),
            ("outbox", outbox_tables.rows_of(self.store, self.names.values(), table="outbox")),
            ("held", outbox_tables.rows_of(self.store, self.names.values(), table="held")),
        ):
            self._count(kind, self._own(found))
        for own, name in self.names.items():
            self.sent_to[own] = outbox_tables.holders(self.store, name)
        for file in self.store.files("delivery"):
            if self.store.present(file.path) is not None:
                inside = Counter(customers_in(self.store.verified(file)))
                self._count("delivery", {name: inside[name] for name in self.names if name in inside})

    def _elsewhere(self, say: Callable[[str], None]) -> None:
        for place in foreign_files(self.store):
            say(f"looking into {place.name}")
            path = place.relative_to(self.store.root).as_posix()
            # Of what has landed it is known which value is the customer's; a "5" elsewhere may be a quantity.
            export = self.exported.get((path, file_sha256(place)))
            for name, rows in (lines_naming(place, self.names) if export is None else export).items():
                self.elsewhere[name].append({"path": path, "rows": rows})

    def _own(self, found: Mapping[str, int]) -> dict[str, int]:
        """What was counted by our names, by the company's."""
        return {own: found[name] for own, name in self.names.items() if name in found}

    def _count(self, kind: str, found: Mapping[str, int]) -> None:
        for name, rows in found.items():
            self.removed[name].setdefault(kind, Counter()).update(files=1, rows=rows)
