"""A workspace: its settings, its files, and the day it looks from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis.expr.types as ir

from features.errors import DataError, SettingsError
from models.question import Question
from pipelines.foundation.identity.objections import Refusals
from pipelines.foundation.identity.permissions import Permissions
from pipelines.foundation.identity.pseudonyms import pseudonyms, refuse_mixture
from pipelines.foundation.ledger.model_versions import Versions
from pipelines.foundation.settings import plays as plays_file
from pipelines.foundation.settings import settings as settings_file
from pipelines.foundation.settings.plays import Play
from pipelines.foundation.settings.settings import FILE_NAME, Settings
from pipelines.foundation.settings.sources import Source
from pipelines.foundation.settings.trusted_columns import unknown
from pipelines.foundation.storage.as_arrow import as_arrow
from pipelines.foundation.storage.atomic_file import unfinished
from pipelines.foundation.storage.counted_rows import Counted
from pipelines.foundation.storage.engine import open_engine
from pipelines.foundation.storage.landed_tables import by_arrival, counted_sources, landed_tables
from pipelines.foundation.storage.store import Store
from pipelines.foundation.workspace.calendar import Calendar, Grid, covered
from pipelines.foundation.workspace.compiled_queries import CompiledQueries
from pipelines.foundation.workspace.coverage import Coverage, coverage, reach
from pipelines.foundation.workspace.holdout import Holdout
from pipelines.foundation.workspace.told_days import ToldDays

if TYPE_CHECKING:
    from models.training import Fitted
    from pipelines.foundation.own_indicators.own_file import OwnFile


@dataclass(frozen=True)
class Workspace:
    """as_of: the local calendar day at whose start scoring looks; nothing known on or after it is used to predict.

    today: the local day of the run; nothing is known of it or later, whatever rows are dated.

    plays: what may be recommended; none where there is no plays.toml, and then nobody is held out. Where the workspace
    has indicators of its own, what plays name is judged when these are loaded (`own_files`).
    """

    root: Path
    settings: Settings
    as_of: date
    today: date
    plays: tuple[Play, ...] = ()

    @cached_property
    def store(self) -> Store:
        return Store(self.root)

    @property
    def scratch(self) -> Path:
        """The folder that holds what is not to last."""
        return self.root

    @cached_property
    def engine(self) -> Any:
        """What computes: never a file of its own, so that files stay readable by others while jobs run."""
        spilled = unfinished(self.scratch / "spilled")
        return open_engine(self.settings.engine, scratch=spilled, memory=self.settings.memory // 2)

    @cached_property
    def versions(self) -> Versions:
        """The models of the outcome whose scores go to the CRM."""
        return Versions(self.store, self.settings.outcome.kind)

    @cached_property
    def fits(self) -> dict[tuple[Question, tuple[int, ...]], Fitted]:
        """Models fitted in this process, by question and snapshots: the newest fold and `train` often see the same."""
        return {}

    @cached_property
    def compiled(self) -> CompiledQueries | None:
        """Queries that are translated once; None where the engine is not DuckDB."""
        return CompiledQueries(self.engine, self.settings.zone) if self.settings.engine.kind == "duckdb" else None

    @cached_property
    def own_files(self) -> tuple[OwnFile, ...]:
        """The workspace's own indicators; none of their code runs before this is asked for.

        Raises: SettingsError where a file is not confirmed on this machine or holds no catalog entries, and where plays
        or trusted columns name what is in neither catalog.
        """
        if not self.settings.indicators:
            return ()
        from pipelines.foundation.own_indicators.load import load
        from pipelines.foundation.own_indicators.own_file import families_of

        files = load(self.root, self.settings.indicators, self.settings.lookbacks)
        own = families_of(files)
        plays_file.with_own(self.plays, own)
        if told := unknown(self.settings.training.trusted_columns, self.settings.lookback_days, own=own):
            raise SettingsError(f"{self.root / FILE_NAME}:\n  {told}")
        return files

    @property
    def plays_by_code(self) -> tuple[Play, ...]:
        """The plays, where own families of reasons are named with the reason codes that they stand for."""
        if not self.settings.indicators:
            return self.plays
        from pipelines.foundation.own_indicators.own_file import families_of

        return plays_file.with_own(self.plays, families_of(self.own_files))

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
    def landed(self) -> list[Counted]:
        """What the tables are made of, in the order of arrival."""
        return by_arrival(self.landed_sources)

    @cached_property
    def landed_sources(self) -> list[list[Counted]]:
        """The same by source, oldest first."""
        return counted_sources(self.store, self.settings)

    @property
    def by_contract(self) -> bool:
        """Whether customers are at risk because of a subscription, not because of orders."""
        return self.settings.cohort.kind == "subscribed"

    @property
    def _entity_tables(self) -> set[str]:
        return {"subscriptions"} if self.by_contract else {"orders", "order_lines"}

    @cached_property
    def coverages(self) -> dict[str, Coverage]:
        """What each table's rows cover; of tables with rows before the day of the run alone."""
        return self._coverages(self.tables)

    def _coverages(self, names: Iterable[str]) -> dict[str, Coverage]:
        found = {name: coverage(self.told_days.rows(name), today=self.today) for name in sorted(names)}
        return {name: each for name, each in found.items() if each is not None}

    @cached_property
    def told_days(self) -> ToldDays:
        """How many rows of each table tell of each day."""
        return ToldDays(engine=self.engine, tables=self.tables, today=self.today, exported=self._exported)

    @cached_property
    def _exported(self) -> dict[str, date]:
        """The day of each table's newest export, where one was noted."""
        seen = [(each.table, each.landing.seen_on) for each in self.landed]
        days = sorted((day, name) for name, day in seen if day is not None)
        return {name: day for day, name in days}

    @cached_property
    def outcome_coverages(self) -> dict[str, Coverage]:
        """Of the tables that outcomes are read from. Raises: DataError where none has a row before today."""
        names = self._entity_tables | ({"subscription_changes"} if self.by_contract else set())
        found = self._coverages(names & self.tables.keys())
        if not self._entity_tables & found.keys():
            noun = "subscription" if self.by_contract else "order"
            raise DataError(
                f"no {noun} landed in {self.root}: every row was rejected, or is of the day of the run or later, "
                "or the files were empty"
            )
        return found

    @cached_property
    def data_days(self) -> tuple[date, date]:
        """The local days of the oldest order, or subscription, and of the newest fact that is believed.

        Where customers are bound by contract that is one of any table, since a subscription that runs on leaves no
        trace of its own.
        """
        entities = self.outcome_coverages
        telling = self.coverages if self.by_contract else entities
        first = min(each.first for name, each in entities.items() if name in self._entity_tables)
        return first, max(each.last for each in telling.values())

    @cached_property
    def reach(self) -> date:
        """The first day that no table covers whole; where nobody is bound by contract, orders alone tell."""
        telling = self.coverages if self.by_contract else self.outcome_coverages
        return reach(telling.values(), seen_on=min(self.today, max(self._exported.values(), default=self.data_days[1])))

    @cached_property
    def complete_until(self) -> date:
        """The first day of which not everything is known that outcomes are read from."""
        if self.settings.complete_until is not None:
            return self.settings.complete_until
        return min(self.table_until(name) for name in self.outcome_coverages)

    def table_until(self, name: str) -> date:
        """The first day of which a table may not have everything: as its sources say, or as its rows arrive."""
        covered_by = self.outcome_coverages if name in self.outcome_coverages else self.coverages
        return self.told_until(name) or covered_by[name].until(self.reach)

    def told_until(self, name: str) -> date | None:
        """The same as the table's sources say; None where none says it."""
        told = [each.complete_until for each in self.sources_of(name) if each.complete_until is not None]
        return min(told, default=None)

    @cached_property
    def stopped(self) -> dict[str, date]:
        """Tables that stopped while others went on, as it looks now: of each the first day that it may not cover.

        Without those that outcomes are read from, which no calendar day outlives, and without the customers: who they
        are stays known of those who are there.
        """
        others = self.tables.keys() - self.outcome_coverages.keys() - {"customers"}
        untils = {name: self.table_until(name) for name in sorted(others & self.coverages.keys())}
        return {name: until for name, until in untils.items() if until < self.reach}

    @cached_property
    def why_left_until(self) -> date:
        """The first day of which it cannot be told why customers left; date.max where reasons to end are recorded.

        Where none is recorded, payments tell it, for as long as there are any; date.min where there are none either.
        """
        subscriptions = self.tables.get("subscriptions")
        if subscriptions is not None:
            told = as_arrow(self.engine, subscriptions.aggregate(told=subscriptions.end_reason.count()))
            if told["told"][0].as_py():
                return date.max
        return self.stopped.get("payments", date.max) if "payments" in self.tables else date.min

    def pauses(self, name: str) -> tuple[tuple[date, date], ...]:
        """Spans within a table's rows of which the rows may be missing; none where a source says it was closed."""
        return () if name in self.closed else self.outcome_coverages[name].pauses

    @cached_property
    def closed(self) -> set[str]:
        """Tables of which a source says that nothing happened in their silences."""
        return {source.table for source in self.settings.sources if source.silence == "closed"}

    def sources_of(self, name: str) -> list[Source]:
        """The sources of a table."""
        return [source for source in self.settings.sources if source.table == name]

    @cached_property
    def calendar(self) -> Calendar:
        """Which days are learned from, tested and compared. Raises: DataError where nothing has landed."""
        settings, (first, last) = self.settings, self.data_days
        return Calendar(
            as_of=self.as_of,
            data_from=first,
            data_to=last,
            covered_until=covered(self.complete_until, today=self.today),
            pauses=tuple(sorted(pause for name in self.outcome_coverages for pause in self.pauses(name))),
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
    plays = plays_file.load(folder / plays_file.FILE_NAME, own=bool(settings.indicators))
    return Workspace(folder, settings, as_of or settings.as_of or today, today, plays)
