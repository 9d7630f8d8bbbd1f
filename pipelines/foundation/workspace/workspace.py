"""A workspace: its settings, its files, and the day it looks from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import ibis.expr.types as ir

from features.contract import local_day
from features.errors import DataError, SettingsError
from features.tables import TABLES
from models.training import Fitted
from pipelines.foundation.identity import objections
from pipelines.foundation.identity.objections import Refusals
from pipelines.foundation.identity.pseudonyms import Pseudonyms, pseudonyms, refuse_mixture
from pipelines.foundation.ledger.model_versions import Versions
from pipelines.foundation.settings import plays as plays_file
from pipelines.foundation.settings import settings as settings_file
from pipelines.foundation.settings.plays import Play
from pipelines.foundation.settings.settings import FILE_NAME, Settings
from pipelines.foundation.storage.atomic_file import unfinished
from pipelines.foundation.storage.engine import open_engine
from pipelines.foundation.storage.landed_tables import landed_files, landed_tables
from pipelines.foundation.storage.store import Store, StoredFile
from pipelines.foundation.workspace.prepared_queries import Prepared, PreparedOutcomes

# What costs time to make, and does not depend on the outcome.
_SHARED = ("store", "engine", "pseudonyms", "refusals", "tables", "landed", "data_days", "prepared", "prepared_others")


@dataclass(frozen=True)
class Workspace:
    """as_of: the local calendar day at whose start scoring looks; nothing known on or after it is used to predict.

    plays: what may be recommended; none where there is no plays.toml, and then nobody is held out.
    """

    root: Path
    settings: Settings
    as_of: date
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
        """The models of this workspace's outcome."""
        return Versions(self.store, self.settings.outcome.kind)

    @cached_property
    def each_outcome(self) -> tuple[Workspace, ...]:
        """The workspace itself, then one like it per further outcome: engine, tables and files are shared."""
        settings, views = self.settings, []
        for kind in settings.outcome.also:
            changed = {
                "outcome": settings.outcome.model_copy(update={"kind": kind, "also": ()}),
                "tracking": settings.tracking.model_copy(
                    update={"experiment": f"{settings.tracking.experiment}-{kind}"}
                ),
            }
            view = replace(self, settings=settings.model_copy(update=changed))
            vars(view).update({name: getattr(self, name) for name in _SHARED})
            views.append(view)
        return (self, *views)

    @cached_property
    def fits(self) -> dict[tuple[int, ...], Fitted]:
        """Models fitted in this process, by the snapshots they saw: the newest fold and `train` often see the same."""
        return {}

    @cached_property
    def prepared(self) -> Prepared:
        """Snapshot queries over `tables`, translated once."""
        return Prepared(self.engine, self.tables, self.settings.spans, self.settings.zone)

    @cached_property
    def prepared_others(self) -> dict[str, PreparedOutcomes]:
        """Other queries over `tables` that were translated already, by what they are of."""
        return {}

    @cached_property
    def refusals(self) -> Refusals:
        """Who objected or did not consent, by the lists that the settings name."""
        return objections.read(self.root, self.settings.privacy).known_as(self.name_of)

    @cached_property
    def pseudonyms(self) -> Pseudonyms | None:
        """The names that customers landed under, where they are not their own ids."""
        return pseudonyms(self.store, self.settings)

    def name_of(self, customer: str) -> str:
        """What a customer of the company is called in this workspace's files."""
        return customer if self.pseudonyms is None else self.pseudonyms.of(customer)

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
        first = [self._span(name)["first"] for name in sorted(self._entity_tables & self.tables.keys())]
        if any(day is None for day in first):
            noun = "subscription" if self.by_contract else "order"
            raise DataError(f"no {noun} landed in {self.root}: every row was rejected, or the files were empty")
        telling = self.tables.keys() if self.by_contract else self._entity_tables & self.tables.keys()
        last = [day for name in sorted(telling) if (day := self._span(name)["last"]) is not None]
        return min(first), max(last)

    def _span(self, name: str) -> dict[str, Any]:
        table = self.tables[name]
        day = table[local_day(TABLES[name].happened_at)]
        found: dict[str, Any] = self.engine.to_pyarrow(table.agg(first=day.min(), last=day.max())).to_pylist()[0]
        return found

    @property
    def complete_until(self) -> date:
        """The first day that the data do not cover completely: as set, otherwise the newest of `data_days`."""
        return self.settings.complete_until or self.data_days[1]

    @property
    def data_as_of(self) -> date:
        """The newest day with data that scoring can know of."""
        return min(self.data_days[1], self.as_of - timedelta(days=1))

    def grid_days(self, first: date, last: date) -> list[date]:
        """The days of the snapshot grid from `first` to `last`, both included."""
        plan = self.settings.snapshots
        start = first + timedelta(days=(plan.anchor - first).days % plan.every_days)
        return [start + timedelta(days=step) for step in range(0, (last - start).days + 1, plan.every_days)]

    def training_days(self, until: date) -> list[date]:
        """Grid days whose outcome windows end by `until`, with enough history before them; the newest `at_most`."""
        plan = self.settings.snapshots
        last = min(until, self.complete_until) - timedelta(days=self.settings.maturity_days)
        first = self.data_days[0] + timedelta(days=max(1, plan.min_history_days))
        newest = last - timedelta(days=(last - plan.anchor).days % plan.every_days)
        days = [newest - timedelta(days=plan.every_days * step) for step in range(plan.at_most)]
        return sorted(day for day in days if day >= first)


def open_workspace(folder: Path, *, now: datetime, as_of: date | None = None) -> Workspace:
    """Read the settings and the plays of a folder.

    as_of goes before the settings' own, and that before the local day of `now`.
    """
    if not folder.is_dir():
        raise SettingsError(f"{folder} is not a folder; make a workspace with `attrition init {folder}`")
    settings = settings_file.load(folder / FILE_NAME)
    day = as_of or settings.as_of or now.astimezone(settings.zone).date()
    return Workspace(folder, settings, day, plays_file.load(folder / plays_file.FILE_NAME))
