"""Snapshots of a workspace: the features of a day and what came after it, each computed once and stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq

from features.asof import instant
from models.question import Question
from pipelines.data.snapshots.definitions import Definition
from pipelines.data.snapshots.features import STOPPED, UNTOLD, FeatureInputs, features
from pipelines.data.snapshots.measured import MeasuredTables, measured_tables
from pipelines.data.snapshots.outcomes import Observed, OutcomeInputs, outcomes
from pipelines.data.snapshots.stopped import may_stop
from pipelines.data.snapshots.told import told, untold
from pipelines.foundation.storage.as_arrow import as_arrow
from pipelines.foundation.storage.atomic_file import unfinished
from pipelines.foundation.storage.counted_rows import Counted
from pipelines.foundation.storage.store import Store, StoredFile
from pipelines.foundation.workspace.calendar import Calendar
from pipelines.foundation.workspace.compiled_queries import CompiledQueries
from pipelines.foundation.workspace.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

    from models.matrix import Matrix


@dataclass(frozen=True, kw_only=True)
class Snapshots:
    """Those of one question, each computed when it is first asked for (`at`).

    files: what the tables are made of. complete_until: of tables whose sources say so, the first day that they do not
    cover. why_left_until: the first day of which it cannot be told why customers left. refusals: hash of the
    lists of those who may not be processed.
    start_model: whether matrices start from a buying model. compiled: None where queries are not translated once.
    measured: None where the engine is not DuckDB.
    """

    store: Store
    engine: Any
    tables: Mapping[str, ir.Table]
    files: tuple[Counted, ...]
    complete_until: Mapping[str, date]
    why_left_until: date
    refusals: str
    definition: Definition
    observed: Observed
    question: Question
    calendar: Calendar
    start_model: bool
    compiled: CompiledQueries | None = field(compare=False)
    measured: MeasuredTables | None = field(compare=False)

    def at(self, day: date) -> Snapshot:
        return Snapshot(self, day)

    def prepare(self, days: Iterable[date]) -> None:
        """Say which days will be asked for: what one pass over large tables gives for all of them is computed now."""
        if self.measured is not None:
            self.measured.prepare([day for day in days if not self.at(day).is_stored])

    def of(self, question: Question) -> Snapshots:
        """The same snapshots, with labels of another kind of outcome."""
        return replace(self, question=question)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the matrices."""
        from models.matrix import model_columns

        return model_columns(self.definition.columns, self.question, start_model=self.start_model)

    def known_by(self, day: date) -> tuple[str, ...]:
        """Names of what counts of the landings of which something was known by a day; others do not touch its view."""
        cut = instant(day, zone=self.definition.zone).isoformat()
        told = ((file.names, file.first_known_at) for file in self.files)
        return tuple(name for names, first in told if first is not None and first < cut for name in names)

    def untold(self, day: date) -> list[str]:
        """Columns in which nothing had been told by a day, as `Indicator.told_by` writes them."""
        wanted = self.definition.told_by
        if not wanted:
            return []
        return untold(as_arrow(self.engine, told(self.definition.view(self.tables, day), wanted)))

    def training_matrix(
        self, days: Iterable[date], *, progress: Callable[[str], None] = lambda _: None
    ) -> Matrix | None:
        """Snapshots whose outcomes are known, under each other; None where there is none."""
        from models.matrix import stack

        days, parts = list(days), []
        self.prepare(days)
        for day in days:
            found = self.at(day).labelled_matrix()
            if found is not None:
                parts.append(found)
            progress(f"snapshot of {day}")
        return stack(parts) if parts else None


@dataclass(frozen=True)
class Snapshot:
    """One day's."""

    snapshots: Snapshots
    day: date

    @property
    def inputs(self) -> FeatureInputs:
        of = self.snapshots
        stopped = tuple(sorted(name for name, until in of.complete_until.items() if until < self.day))
        return FeatureInputs(
            day=self.day,
            definition=of.definition,
            landed=of.known_by(self.day),
            refusals=of.refusals,
            stopped=stopped,
        )

    @property
    def unknown_columns(self) -> frozenset[str]:
        """Columns that are null for everybody, because what they rest on had stopped or told nothing."""
        stopped, untold = (self._noted(name) for name in (STOPPED, UNTOLD))
        return self.snapshots.definition.unknown_columns(stopped, untold)

    def _noted(self, name: str) -> list[str]:
        noted = pq.read_schema(self.snapshots.store.verified(self.file)).metadata[name.encode()].decode()
        return noted.split(",") if noted else []

    @property
    def outcome_inputs(self) -> OutcomeInputs | None:
        """None where the outcomes are not known yet."""
        of = self.snapshots
        if not of.calendar.is_known(self.day):
            return None
        known_on = of.calendar.known_on(self.day)
        return OutcomeInputs(
            day=self.day,
            observed=of.observed,
            landed=of.known_by(known_on),
            refusals=of.refusals,
            why_known=known_on <= of.why_left_until,
        )

    @property
    def is_stored(self) -> bool:
        """Whether the features are there already."""
        return self.snapshots.store.present(self._place) is not None

    @property
    def _place(self) -> str:
        return f"snapshots/{self.day}-{self.inputs.key}.parquet"

    @cached_property
    def file(self) -> StoredFile:
        """The stored features, computed unless they are there. Training and scoring both come here."""
        of, inputs = self.snapshots, self.inputs

        def rows() -> pa.Table:
            return features(
                inputs.definition,
                of.tables,
                inputs.day,
                of.engine,
                stopped=inputs.stopped,
                compiled=of.compiled,
                measured=of.measured,
            )

        return self._stored(self._place, rows, kind="snapshot")

    @cached_property
    def outcome_file(self) -> StoredFile | None:
        """The stored outcomes of the cohort, computed unless they are there; None where they are censored."""
        of, inputs = self.snapshots, self.outcome_inputs
        if inputs is None:
            return None

        def rows() -> pa.Table:
            return outcomes(
                inputs.observed, of.tables, inputs.day, of.engine, why_known=inputs.why_known, compiled=of.compiled
            )

        return self._stored(_outcomes_place(inputs), rows, kind="outcome")

    @property
    def stored_outcomes(self) -> StoredFile | None:
        """The same where it is computed already; None where it is not, or cannot be."""
        inputs = self.outcome_inputs
        return None if inputs is None else self.snapshots.store.present(_outcomes_place(inputs))

    def compute(self) -> None:
        """Features and outcomes, stored unless they are there: what takes the time, where others only name a day."""
        _ = self.file, self.outcome_file

    def frame(self) -> pd.DataFrame:
        """One row per customer of the cohort: customer_id and the indicator columns."""
        return _read(self.snapshots.store.verified(self.file))

    def outcomes(self) -> pd.DataFrame | None:
        """One row per customer with an outcome: customer_id, a column per kind, treated (0 or 1). None: censored.

        Whether somebody pays more or less is null where a price is not known.
        """
        stored = self.outcome_file
        return None if stored is None else _read(self.snapshots.store.verified(stored))

    def labelled_frame(self) -> pd.DataFrame | None:
        """One row per customer with an outcome: customer_id, the indicators, the label; None where it is censored.

        Whose outcome is not known is left out.
        """
        from models.matrix import ENTITY, LABEL

        labels = self.outcomes()
        if labels is None:
            return None
        labels = labels[[ENTITY, self.snapshots.question.outcome]].set_axis([ENTITY, LABEL], axis=1).dropna()
        return self.frame().merge(labels, on=ENTITY, how="inner", validate="one_to_one")

    def labelled_matrix(self) -> Matrix | None:
        """None where outcomes are censored, or nobody has one."""
        frame = self.labelled_frame()
        return None if frame is None or not len(frame) else self.matrix(frame)

    def matrix(self, frame: pd.DataFrame | None = None) -> Matrix:
        """The snapshot as the model reads it, with the start model of that day. frame: the same, at hand already."""
        from models.matrix import matrix

        of = self.snapshots
        return matrix(
            self.frame() if frame is None else frame,
            self.day,
            question=of.question,
            columns=of.definition.columns,
            categories=of.definition.categories,
            start_model=of.start_model,
        )

    def _stored(self, path: str, rows: Callable[[], pa.Table], *, kind: str) -> StoredFile:
        store = self.snapshots.store
        found = store.present(path)
        if found is not None:
            return found
        table = rows()

        def write(place: Path) -> None:
            pq.write_table(table, place, compression="zstd")

        return store.put(path, write, kind=kind, day=str(self.day), rows=table.num_rows)


def learned_keys(snapshots: Snapshots, days: Iterable[date], *, planned: str) -> tuple[tuple[str, str], ...]:
    """Of each day the names of its features and of its outcomes: all that is learned from these days, or tested on.

    Raises: AssertionError for a day whose outcomes are not known. planned: what such a day was planned for.
    """
    found = []
    for day in days:
        snapshot = snapshots.at(day)
        outcomes = snapshot.outcome_inputs
        if outcomes is None:
            raise AssertionError(f"{planned} was planned with {day}, which has no outcomes")
        found.append((snapshot.inputs.key, outcomes.key))
    return tuple(found)


def snapshots_of(workspace: Workspace) -> Snapshots:
    """Those that the settings ask for. Raises: DataError where nothing has landed."""
    settings, question = workspace.settings, workspace.settings.question
    tables = tuple(sorted(workspace.tables))
    definition = Definition(
        cohort=question.cohort,
        lookbacks=settings.lookbacks,
        time_zone=settings.time_zone,
        tables=tables,
        personal=settings.age_and_gender,
        pause_pauses_mrr=settings.endings.pause_pauses_mrr,
        own=workspace.own_files,
    )
    return Snapshots(
        store=workspace.store,
        engine=workspace.engine,
        tables=workspace.tables,
        files=tuple(workspace.landed),
        complete_until={name: until for name in may_stop(tables) if (until := workspace.told_until(name)) is not None},
        why_left_until=workspace.why_left_until,
        refusals=workspace.refusals.fingerprint if workspace.refusals else "",
        definition=definition,
        observed=Observed(
            cohort=question.cohort,
            lead_days=question.lead_days,
            horizon_days=question.horizon_days,
            endings=settings.endings if question.by_contract else None,
            price_rise_is_expansion=question.by_contract and settings.contracts.price_rise_is_expansion,
            time_zone=settings.time_zone,
            tables=tables,
        ),
        question=question,
        calendar=workspace.calendar,
        start_model=settings.training.start_model,
        compiled=workspace.compiled,
        measured=None
        if workspace.compiled is None
        else measured_tables(definition, workspace.store, workspace.landed, unfinished(workspace.scratch / "measured")),
    )


def _outcomes_place(inputs: OutcomeInputs) -> str:
    return f"outcomes/{inputs.day}-{inputs.key}.parquet"


def _read(place: Path) -> pd.DataFrame:
    frame: pd.DataFrame = pq.read_table(place).to_pandas()
    return frame
