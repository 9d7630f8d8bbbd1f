"""Trained models of one outcome: their verified local copies, their verdicts, and which one is champion."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from sqlite3 import Connection
from typing import TYPE_CHECKING, Any

from features.cohort import Cohort
from features.errors import IntegrityError, TrainingError
from features.outcomes import Kind
from features.subscription_periods import Endings
from models.question import Question
from pipelines.foundation.storage import disk_errors as disk
from pipelines.foundation.storage.store import Store

if TYPE_CHECKING:
    from models.training import Fitted

_ALIASED = {
    "challenger": "SELECT version FROM challengers WHERE outcome = ?",
    "champion": "SELECT version FROM champions WHERE outcome = ? AND rolled_back_at IS NULL "
    "ORDER BY sequence DESC LIMIT 1",
}

# As `models.artifact` names and numbers them; to import that takes seconds, and a look at a model's text needs none.
_BOOSTER, _MODEL, _READ = "booster.txt", "model.json", (5, 6)  # those whose text tells the question


@dataclass(frozen=True)
class ChampionPeriod:
    """A version that became champion: since when, why, and when that was rolled back, if it was."""

    version: str
    since: str
    why: str
    rolled_back_at: str | None


@dataclass(frozen=True)
class Version:
    """made_from: fingerprint of data, settings and code; verdict: the promotion decision in words."""

    version: str
    made_from: str
    trained_at: str
    promoted: bool
    verdict: str
    record: Mapping[str, Any]
    published: bool


class Versions:
    """The versions of one outcome in the ledger, which answers while a tracking server does not."""

    def __init__(self, store: Store, outcome: Kind) -> None:
        self.store, self.outcome = store, outcome

    def keep(self, files: Mapping[str, str], version: str) -> None:
        """Store the local copy of a model."""
        for name, text in files.items():
            self.store.put(f"models/{version}/{name}", _writer(text), kind="model", version=version)

    def add(self, version: Version) -> None:
        """Record a version and its verdict, `as_recorded`; a promoted one becomes champion in the same transaction.

        One that was there before is to be published again, so that MLflow's aliases follow.
        """
        kept = self.as_recorded(version)
        told = (kept.version, kept.made_from, kept.trained_at, kept.promoted, kept.verdict)
        with self.store.transaction() as ledger:
            ledger.execute(
                "INSERT INTO versions (outcome, version, made_from, trained_at, promoted, verdict, record) "
                "VALUES (?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (version) DO UPDATE SET made_from = excluded.made_from, published = 0, "
                "verdict = excluded.verdict, record = excluded.record, promoted = excluded.promoted",
                (self.outcome, *told, json.dumps(kept.record, sort_keys=True)),
            )
            ledger.execute("INSERT OR REPLACE INTO challengers VALUES (?, ?)", (self.outcome, version.version))
            if version.promoted:
                self._set_champion(ledger, version.version, since=version.trained_at, why=version.verdict)

    def as_recorded(self, version: Version) -> Version:
        """A version as the ledger holds it once it is added.

        One that was there keeps its record and verdict, unless it was not promoted then and is now.
        """
        before = next((each for each in self.all() if each.version == version.version), None)
        if before is None:
            return version
        told = version if version.promoted and not before.promoted else before
        return replace(told, made_from=version.made_from, trained_at=before.trained_at, published=False)

    def promote(self, version: str, *, now: datetime, why: str) -> None:
        """Make a version champion, whatever its verdict was. It is to be published again, so that aliases follow."""
        with self.store.transaction() as ledger:
            self._set_champion(ledger, version, since=now.isoformat(), why=why)
            ledger.execute("UPDATE versions SET published = 0 WHERE version = ?", (version,))

    def _set_champion(self, ledger: Connection, version: str, *, since: str, why: str) -> None:
        ledger.execute(
            "INSERT INTO champions (outcome, version, since, why) VALUES (?, ?, ?, ?)",
            (self.outcome, version, since, why),
        )
        ledger.execute("DELETE FROM rollbacks WHERE outcome = ?", (self.outcome,))

    def champion_periods(self) -> list[ChampionPeriod]:
        """Every time that a version became champion, oldest first."""
        with self.store.transaction() as ledger:
            rows = ledger.execute(
                "SELECT version, since, why, rolled_back_at FROM champions WHERE outcome = ? ORDER BY sequence",
                (self.outcome,),
            ).fetchall()
        return [ChampionPeriod(**dict(row)) for row in rows]

    def begin_roll_back(self) -> str:
        """The version to go back to, the same again until `end_roll_back`: broken off, it must not go further back.

        Raises: TrainingError where there was no champion before today's.
        """
        with self.store.transaction() as ledger:
            row = ledger.execute("SELECT version FROM rollbacks WHERE outcome = ?", (self.outcome,)).fetchone()
        version = self._before_champion() if row is None else str(row["version"])
        with self.store.transaction() as ledger:
            ledger.execute("INSERT OR REPLACE INTO rollbacks VALUES (?, ?)", (self.outcome, version))
        return version

    def end_roll_back(self) -> None:
        """With the command: killed before its end, it is started again, and must not go further back then."""
        self.store.at_end("DELETE FROM rollbacks WHERE outcome = ?", self.outcome)

    def _before_champion(self) -> str:
        standing = [period.version for period in self.champion_periods() if period.rolled_back_at is None]
        earlier = [version for version in standing[:-1] if version != standing[-1]]
        if not earlier:
            raise TrainingError(
                f"there is no champion of {self.outcome} before today's to go back to; `attrition models` lists them"
            )
        return earlier[-1]

    def roll_back(self, version: str, *, now: datetime) -> None:
        """Undo every promotion after `version` last became champion."""
        with self.store.transaction() as ledger:
            last = ledger.execute(
                "SELECT max(sequence) FROM champions WHERE outcome = ? AND version = ? AND rolled_back_at IS NULL",
                (self.outcome, version),
            ).fetchone()[0]
            ledger.execute(
                "UPDATE champions SET rolled_back_at = ? WHERE outcome = ? AND sequence > ? AND rolled_back_at IS NULL",
                (now.isoformat(), self.outcome, last),
            )
            ledger.execute("UPDATE versions SET published = 0 WHERE version = ?", (version,))

    def mark_published(self, version: str) -> None:
        with self.store.transaction() as ledger:
            ledger.execute("UPDATE versions SET published = 1 WHERE version = ?", (version,))

    def all(self) -> list[Version]:
        """Every version, oldest first."""
        with self.store.transaction() as ledger:
            rows = ledger.execute(
                "SELECT * FROM versions WHERE outcome = ? ORDER BY sequence", (self.outcome,)
            ).fetchall()
        try:
            for row in rows:
                datetime.fromisoformat(row["trained_at"])
            return [
                Version(
                    row["version"],
                    row["made_from"],
                    row["trained_at"],
                    bool(row["promoted"]),
                    row["verdict"],
                    dict(**json.loads(row["record"])),
                    bool(row["published"]),
                )
                for row in rows
            ]
        except (ValueError, TypeError, LookupError) as error:
            raise self.store.damaged(disk.damage(error)) from None

    def made_from(self, fingerprint: str) -> Version | None:
        return next((found for found in self.all() if found.made_from == fingerprint), None)

    def named(self, version: str) -> Version:
        """Raises: TrainingError where there is no such version of this outcome."""
        everyone = self.all()
        found = next((each for each in everyone if each.version == version), None)
        if found is None:
            known = ", ".join(each.version for each in everyone) or "none yet"
            raise TrainingError(f"there is no model {version} of {self.outcome}; there are: {known}")
        return found

    def aliased(self, alias: str) -> Version | None:
        with self.store.transaction() as ledger:
            row = ledger.execute(_ALIASED[alias], (self.outcome,)).fetchone()
        if row is None:
            return None
        found = next((each for each in self.all() if each.version == row["version"]), None)
        if found is None:
            raise self.store.damaged(f"the {alias} is model {row['version']}, which is not listed")
        return found

    def champion(self) -> Version:
        """Raises: TrainingError where nothing was promoted yet."""
        found = self.aliased("champion")
        if found is None:
            newest = self.aliased("challenger")
            why = (
                "run `attrition train` first"
                if newest is None
                else f"{newest.version} is not: {newest.verdict} (`attrition promote {newest.version}` overrules)"
            )
            raise TrainingError(f"there is no champion model of {self.outcome} yet; {why}")
        return found

    def has_copy(self, version: str) -> bool:
        return all(self.store.present(f"models/{version}/{name}") for name in (_BOOSTER, _MODEL))

    def load(self, version: str) -> Fitted:
        """A model from its local copy.

        Raises: OutdatedModelError where it is in a format that is no longer read.
        """
        from models import artifact

        files = self.files(version)
        carried = artifact.carries_question(files)
        return artifact.from_files(files, asked=None if carried else _question(self.named(version).record["settings"]))

    def answers(self, version: str) -> tuple[Question, tuple[str, ...]] | None:
        """What a model answers, and the columns that it reads; None where only `load` can tell. Raises: as `files`."""
        try:
            told = json.loads(self.files(version)[_MODEL])
            return (Question.from_json(told["question"]), tuple(told["columns"])) if told["format"] in _READ else None
        except (ValueError, RecursionError, LookupError, TypeError, AttributeError, OverflowError):
            return None

    def files(self, version: str) -> dict[str, str]:
        """The local copy of a model, file name to text, each file's hash checked before it is used.

        The folder has the name of what is in it: files and ledger, replaced together, are seen, too.

        Raises: TrainingError where a file is gone, IntegrityError where it was altered, or is of another model.
        """
        files = {}
        for name in (_BOOSTER, _MODEL):
            stored = self.store.present(f"models/{version}/{name}")
            if stored is None:
                raise TrainingError(f"model {version} has no local copy of {name}; run `attrition train` again")
            files[name] = _text(self.store.verified(stored))
        if (found := _name(files)) != version:
            raise IntegrityError(
                f"{self.store.place(f'models/{version}/{_MODEL}').parent} does not hold the model that it is "
                f"named for: its files are those of {found}; restore the folder from a backup, or delete it and run "
                "`attrition train` again"
            )
        return files


def _question(settings: Mapping[str, Any]) -> Question:
    """What a model was asked, by the settings that it was trained with: models did not always carry it themselves."""
    contracts, outcome = settings["contracts"], settings["outcome"]
    return Question.of(
        outcome["kind"],
        lead_days=outcome["lead_days"],
        horizon_days=outcome["horizon_days"],
        cohort=Cohort(**settings["cohort"]),
        endings=Endings(
            grace_days=contracts["grace_days"],
            involuntary_reasons=tuple(contracts["involuntary_reasons"]),
            # Models of before the setting existed were trained as its default has it.
            pause_pauses_mrr=contracts.get("pause_pauses_mrr", Endings().pause_pauses_mrr),
        ),
        price_rise_is_expansion=contracts["price_rise_is_expansion"],
    )


def _name(files: Mapping[str, str]) -> str:
    """As `models.artifact.version` names a model."""
    return hashlib.sha256("".join(files[name] for name in sorted(files)).encode()).hexdigest()[:12]


def _text(place: Path) -> str:
    try:
        return place.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise IntegrityError(f"{place} is no text; restore it from a backup, or run `attrition train` again") from None


def _writer(text: str) -> Any:
    def write(place: Path) -> None:
        place.write_text(text, encoding="utf-8")

    return write
