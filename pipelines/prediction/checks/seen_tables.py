"""What each table holds, how fresh it is, what was rejected of it, and what is odd about it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from features.tables import TABLES
from pipelines.foundation.storage.landed_tables import by_arrival
from pipelines.foundation.storage.landings import LANDED, REJECTED
from pipelines.prediction.checks.odd import Odd, odd_things, pauses
from pipelines.prediction.checks.odd_ids import alike_ids, changed_ids
from pipelines.prediction.checks.odd_measures import LandedRows, measured
from pipelines.prediction.checks.odd_prices import todays_plans, todays_prices
from pipelines.prediction.checks.odd_sources import landed_sources
from pipelines.prediction.checks.rejects import LOST, reject_reasons

if TYPE_CHECKING:
    import duckdb

    from pipelines.foundation.identity.objections import Refusals
    from pipelines.foundation.storage.counted_rows import Counted
    from pipelines.foundation.storage.store import Store
    from pipelines.foundation.workspace.coverage import Coverage


@dataclass(frozen=True, kw_only=True)
class SeenTables:
    """What there is to look at.

    sources: what counts of each landing, by source. coverages: of tables with rows before the day of the run.
    of_outcomes: those that outcomes are read from. closed: those of which a source says that its silences are no gaps.
    looked_from: the day of which freshness is told; today: that of the run.
    """

    store: Store
    connection: duckdb.DuckDBPyConnection
    sources: Sequence[Sequence[Counted]]
    rows: Mapping[str, int]
    coverages: Mapping[str, Coverage]
    of_outcomes: Collection[str]
    closed: Collection[str]
    refusals: Refusals | None
    looked_from: date
    today: date
    currency: str

    def documents(self) -> dict[str, dict[str, Any]]:
        """By table: rows, first and last (days), days_since_newest, rejected and reasons ({fault: rows})."""
        return {name: self._document(name) for name in self.rows}

    def _document(self, name: str) -> dict[str, Any]:
        each = self.coverages.get(name)
        files = [file for of in self.sources for file in of if file.table == name]
        rejected = sum(file.landing.file.detail["rejected"] for file in files)
        return {
            "rows": self.rows[name],
            "first": None if each is None else str(each.first),
            "last": None if each is None else str(each.last),
            "days_since_newest": None if each is None else max(0, (self.looked_from - each.last).days),
            "rejected": rejected,
            "reasons": self._reasons(name, files) if rejected else {},
        }

    def _reasons(self, name: str, files: Collection[Counted]) -> dict[str, int]:
        rejected = {
            f"{REJECTED}{file.landing.file.path.removeprefix(LANDED)}": int(file.landing.file.detail["rejected"])
            for file in files
        }
        found = {path: stored for path in rejected if (stored := self.store.present(path)) is not None}
        places = [self.store.verified(each) for each in found.values()]
        lost = sum(count for path, count in rejected.items() if path not in found)
        return reject_reasons(self.connection, places, TABLES[name]) | ({LOST: lost} if lost else {})

    def odd(self) -> Iterator[Odd]:
        """Odd things: between tables first, then table by table."""
        tables = {name: table for name in self.rows if (table := self._landed(name)) is not None}
        entities, every = set(self.of_outcomes) - {"subscription_changes"}, list(tables.values())
        yield from alike_ids(self.connection, every, entities=entities, refusals=self.refusals)
        yield from changed_ids(self.connection, every, entities=entities, refusals=self.refusals)
        yield from todays_prices(self.connection, every)
        yield from todays_plans(self.connection, every)
        for name in self.rows:
            if (table := tables.get(name)) is not None:
                found = measured(self.connection, table, refusals=self.refusals, today=self.today)
                yield from odd_things(table, found, currency=self.currency)
            if name in self.of_outcomes:  # elsewhere a silence bends no outcome
                yield from pauses(name, self.coverages[name], closed=name in self.closed)

    def _landed(self, name: str) -> LandedRows | None:
        sources = [of for of in self.sources if of[0].table == name]
        files = by_arrival(sources)
        if not (self.rows[name] and files):
            return None
        return LandedRows(
            contract=TABLES[name],
            places=[self.store.place(file.rows.path) for file in files],
            keyed=all(file.landing.file.detail["keyed"] for file in files),
            rows=self.rows[name],
            sources=landed_sources(self.store, files, sources),
        )
