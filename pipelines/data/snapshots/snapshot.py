"""Snapshots of a workspace: the features of a day and what came after it, each computed once and stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.asof import instant
from models.question import Question
from pipelines.data.snapshots.definitions import Definition
from pipelines.data.snapshots.features import STOPPED, UNTOLD, FeatureInputs, features
from pipelines.data.snapshots.measured import MeasuredTables
from pipelines.data.snapshots.outcomes import Observed, OutcomeInputs, outcomes
from pipelines.data.snapshots.told import told, untold
from pipelines.foundation.storage.as_arrow import as_arrow
from pipelines.foundation.storage.counted_rows import Counted
from pipelines.foundation.storage.store import Store, StoredFile
from pipelines.foundation.workspace.calendar import Calendar
from pipelines.foundation.workspace.compiled_queries import CompiledQueries

if TYPE_CHECKING:
    import pandas as pd

    from models.buy_till_you_die import BgNbd
    from models.matrix import Matrix


# Of this process, by what names a snapshot's features: the backtest, training and scoring read one day often.
BUYING_MODELS: dict[str, BgNbd] = {}


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

        def rows() -> Iterator[pa.Table]:
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

        def rows() -> Iterator[pa.Table]:
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

    def labels(self) -> pd.Series[Any] | None:
        """0 or 1 of each customer whose outcome is known, by customer_id; None where it is censored."""
        from models.matrix import ENTITY

        told = self.outcomes()
        return None if told is None else told.set_index(ENTITY)[self.snapshots.question.outcome].dropna()

    def labelled_frame(self) -> pd.DataFrame | None:
        """One row per customer whose outcome is known: customer_id, the indicators, the label; None: it is censored."""
        known = self.labels()
        return None if known is None else _labelled(self.frame(), known)

    def labelled(self, labels: pd.Series[Any]) -> Matrix:
        """Some of those whose outcome is known, as a model reads them. labels: theirs."""
        return self.matrix(_labelled(_read(self.snapshots.store.verified(self.file), labels.index), labels))

    def matrix(self, frame: pd.DataFrame | None = None) -> Matrix:
        """The snapshot as a model reads it, with the start model of that day. frame: some of its rows; None: all."""
        from models.matrix import matrix

        of = self.snapshots
        return matrix(
            self.frame() if frame is None else frame,
            self.day,
            question=of.question,
            columns=of.definition.columns,
            categories=of.definition.categories,
            start_model=of.start_model,
            buying=self._buying_model,
        )

    @property
    def _buying_model(self) -> BgNbd | None:
        """The start model of everybody on that day; None where rows have none."""
        from models.matrix import ALIVE, SUMMARY, buying_model

        of = self.snapshots
        if ALIVE not in of.columns:
            return None
        key = self.inputs.key
        if key not in BUYING_MODELS:
            table = pq.read_table(of.store.verified(self.file), columns=list(SUMMARY))
            BUYING_MODELS[key] = buying_model(table.to_pandas())
        return BUYING_MODELS[key]

    def _stored(self, path: str, rows: Callable[[], Iterator[pa.Table]], *, kind: str) -> StoredFile:
        store = self.snapshots.store
        found = store.present(path)
        if found is not None:
            return found
        tables = rows()
        first = next(tables)  # all there is, unless workers compute

        def write(place: Path) -> dict[str, int]:
            count = 0
            with pq.ParquetWriter(place, first.schema, compression="zstd") as file:
                for table in chain([first], tables):
                    file.write_table(table)
                    count += len(table)
            return {"rows": count}

        return store.put(path, write, kind=kind, day=str(self.day))


def _outcomes_place(inputs: OutcomeInputs) -> str:
    return f"outcomes/{inputs.day}-{inputs.key}.parquet"


def _read(place: Path, customers: pd.Index[Any] | None = None) -> pd.DataFrame:
    """A stored table, or some customers' rows of it, of which no others are held beside them."""
    if customers is None:
        table = pq.read_table(place)
    else:
        wanted, file = pa.array(customers), pq.ParquetFile(place)
        parts = (batch.filter(pc.is_in(batch["customer_id"], wanted)) for batch in file.iter_batches())
        table = pa.Table.from_batches(parts, schema=file.schema_arrow)
    frame: pd.DataFrame = table.to_pandas()
    return frame


def _labelled(frame: pd.DataFrame, labels: pd.Series[Any]) -> pd.DataFrame:
    from models.matrix import ENTITY, LABEL

    return frame.merge(labels.rename(LABEL), left_on=ENTITY, right_index=True, how="inner", validate="one_to_one")
