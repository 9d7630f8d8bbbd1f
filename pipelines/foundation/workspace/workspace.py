"""A workspace: its settings, its files, and the day it looks from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import ibis.expr.types as ir

from features.contract import local_day
from features.errors import DataError, SettingsError
from features.tables import TABLES
from models.question import Question
from models.training import Fitted
from pipelines.foundation.identity.objections import Refusals
from pipelines.foundation.identity.permissions import Permissions
from pipelines.foundation.identity.pseudonyms import pseudonyms, refuse_mixture
from pipelines.foundation.ledger.model_versions import Versions
from pipelines.foundation.settings import plays as plays_file
from pipelines.foundation.settings import settings as settings_file
from pipelines.foundation.settings.plays import Play
from pipelines.foundation.settings.settings import FILE_NAME, Settings
from pipelines.foundation.storage.atomic_file import unfinished
from pipelines.foundation.storage.engine import open_engine
from pipelines.foundation.storage.landed_tables import landed_files, landed_tables
from pipelines.foundation.storage.store import Store, StoredFile
from pipelines.foundation.workspace.calendar import Calendar, Grid, covered
from pipelines.foundation.workspace.compiled_queries import CompiledQueries
from pipelines.foundation.workspace.holdout import Holdout


@dataclass(frozen=True)
class Workspace:
    """as_of: the local calendar day at whose start scoring looks; nothing known on or after it is used to predict.

    today: the local day of the run; nothing is known of it or later, whatever rows are dated.

    plays: what may be recommended; none where there is no plays.toml, and then nobody is held out.
    """

    root: Path
    settings: Settings
    as_of: date
    today: date
    plays: tuple[Play, ...] = ()

    @cached_property
    def store(self) -> Store:
        return Store(self.root)

    @cached_property
    def engine(self) -> Any:
        """What computes: never a file of its own, so that files stay readable by others while jobs run."""
        return open_engine(self.settings.engine, scratch=unfinished(self.root / "spilled"))

    @cached_property
    def versions(self) -> Versions:
        """The models of the outcome whose scores go to the CRM."""
        return Versions(self.store, self.settings.outcome.kind)

    @cached_property
    def fits(self) -> dict[tuple[Question, tuple[int, ...]], Fitted]:
        """Models fitted in this process, by question and snapshots: the newest fold and `train` often see the same."""
        return {}

    @cached_property
    def compiled(self) -> CompiledQueries:
        """Queries over `tables`, translated once."""
        return CompiledQueries(self.engine, self.settings.zone)

    @cached_property
    def permissions(self) -> Permissions:
        """Who may be processed and handed over, and what customers are called here."""
        return Permissions(self.root, self.settings.privacy, pseudonyms(self.store, self.settings))

    @cached_property
    def refusals(self) -> Refusals:
        """Who objected or did not consent, as the command began: of whom the tables hold no row."""
        return self.permissions.refusals().known_as(self.permissions.name_of)

    @property
    def holdout(self) -> Holdout:
        """Who is held out from plays; nobody where there are none."""
        plan = self.settings.retention
        return Holdout(plan.holdout_share if self.plays else None, plan.holdout_seed)

    @cached_property
    def tables(self) -> dict[str, ir.Table]:
        """Every landed table, without those who may not be processed: whatever is computed comes from here.

        Raises DataError where those that the cohort is made of are not there yet.
        """
        refuse_mixture(self.store, self.settings)
        tables = landed_tables(self.store, self.engine, settings=self.settings)
        if not self._entity_tables & tables.keys():
            noun = "subscriptions" if self.by_contract else "orders"
            raise DataError(f"no {noun} have landed in {self.root}; run `attrition ingest --project {self.root}`")
        return self.refusals.applied(tables, self.engine)

    @cached_property
    def landed(self) -> list[StoredFile]:
        """The landed files that the tables are made of."""
        return landed_files(self.store, settings=self.settings)

    @property
    def by_contract(self) -> bool:
        """Whether customers are at risk because of a subscription, not because of orders."""
        return self.settings.cohort.kind == "subscribed"

    @property
    def _entity_tables(self) -> set[str]:
        return {"subscriptions"} if self.by_contract else {"orders", "order_lines"}

    @cached_property
    def data_days(self) -> tuple[date, date]:
        """The local days of the oldest and the newest order.

        Where customers are bound by contract: of the oldest subscription, and of the newest fact of any table, since a
        subscription that runs on leaves no trace of its own.
        """
        entities = sorted(self._entity_tables & self.tables.keys())
        first = [day for name in entities if (day := self._span(name)["first"]) is not None]
        if not first:
            noun = "subscription" if self.by_contract else "order"
            raise DataError(f"no {noun} landed in {self.root}: every row was rejected, or the files were empty")
        telling = sorted(self.tables) if self.by_contract else entities
        last = [day for name in telling if (day := self._span(name)["last"]) is not None]
        return min(first), max(last)

    def _span(self, name: str) -> dict[str, Any]:
        table = self.tables[name]
        day = table[local_day(TABLES[name].happened_at)]
        found: dict[str, Any] = self.engine.to_pyarrow(table.agg(first=day.min(), last=day.max())).to_pylist()[0]
        return found

    @cached_property
    def calendar(self) -> Calendar:
        """Which days are learned from, tested and compared. Raises: DataError where nothing has landed."""
        settings = self.settings
        first, last = self.data_days
        return Calendar(
            as_of=self.as_of,
            data_from=first,
            data_to=last,
            covered_until=covered(settings.complete_until or last, today=self.today),
            maturity_days=settings.question.maturity_days,
            grid=Grid(**settings.snapshots.model_dump()),
            folds=settings.backtest.folds,
            fold_every_days=settings.backtest.every_days,
            embargo_days=settings.backtest.embargo_days,
        )


def open_workspace(folder: Path, *, now: datetime, as_of: date | None = None) -> Workspace:
    """Read the settings and the plays of a folder.

    as_of goes before the settings' own, and that before the local day of `now`.
    """
    if not folder.is_dir():
        raise SettingsError(f"{folder} is not a folder; make a workspace with `attrition init {folder}`")
    settings = settings_file.load(folder / FILE_NAME)
    today = now.astimezone(settings.zone).date()
    return Workspace(
        folder, settings, as_of or settings.as_of or today, today, plays_file.load(folder / plays_file.FILE_NAME)
    )
