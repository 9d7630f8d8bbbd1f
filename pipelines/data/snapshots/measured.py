"""Measures of large event tables for many snapshots at once, in place of a query for each."""

from __future__ import annotations

import os
import shutil
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.asof import instant
from features.windows import Measure, Windows, together
from pipelines.data.snapshots.definitions import Definition
from pipelines.foundation.storage.counted_rows import Counted
from pipelines.foundation.storage.store import Store

if TYPE_CHECKING:
    from pipelines.data.snapshots.landed_rows import Span

LARGE = 2_000_000  # rows from which on it is worth the seconds that a process needs to load what compiles
DAYS_AT_ONCE = 60  # more make the pass's own arrays large
THREADS = 2  # each holds a span's rows
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, kw_only=True)
class MeasuredTables:
    """What `features.windows` declares, of the large tables of a workspace on DuckDB: `prepare` days, then take them.

    One pass over the landed files serves all days. What it does not do is left to the expressions: tables whose rows
    have versions (a key), end, or tell values that become known later than they do; tables of which a file does not go
    from customer to customer; sums of more than 18 digits. Rows of people who may not be processed are counted like
    others, and left at that: they are in no cohort.

    windows: by table, those that are left to it are taken out. files: by table. folder: for what is computed and not
    taken; removed with this object.
    """

    windows: dict[str, Windows]
    files: Mapping[str, Sequence[Path]]
    lookback_days: tuple[int, ...]
    zone: ZoneInfo
    folder: Path

    def __post_init__(self) -> None:
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    def prepare(self, days: Iterable[date]) -> None:
        """Compute the days, unless they are there."""
        for name in list(self.windows):
            missing = sorted({day for day in days if not self._place(name, day).exists()})
            for start in range(0, len(missing), DAYS_AT_ONCE):
                if name in self.windows:
                    self._pass(self.windows[name], missing[start : start + DAYS_AT_ONCE])

    def take(self, day: date, customers: pa.ChunkedArray) -> dict[str, pa.Table]:
        """By table, the measures of these customers on a day, in their order; they are there once."""
        self.prepare([day])
        found = {}
        for name, windows in self.windows.items():
            place = self._place(name, day)
            found[name] = _beside(customers, windows, self.lookback_days, place)
            place.unlink()
        return found

    def _place(self, name: str, day: date) -> Path:
        return self.folder / f"{name}-{day}.arrow"

    def _pass(self, windows: Windows, days: Sequence[date]) -> None:
        try:
            from pipelines.data.snapshots.landed_rows import CannotBeCountedError, spans_of
        except ImportError:  # numba does not load on every machine
            del self.windows[windows.table]
            return
        schema = pa.schema([("customer_id", pa.string()), *_scratch_columns(windows, self.lookback_days)])
        self.folder.mkdir(parents=True, exist_ok=True)
        places = [self._place(windows.table, day) for day in days]
        try:
            spans = spans_of(self.files[windows.table])
            with ExitStack() as open_files:
                files = [open_files.enter_context(pa.ipc.new_file(str(place), schema)) for place in places]
                work = _Work(
                    windows,
                    lookback_days=self.lookback_days,
                    days=days,
                    cuts=self._cuts(days),
                    files=files,
                    schema=schema,
                )
                with ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:
                    list(pool.map(work.run, spans))
        except CannotBeCountedError:
            for place in places:
                place.unlink(missing_ok=True)
            del self.windows[windows.table]

    def _cuts(self, days: Sequence[date]) -> Any:
        cuts = [instant(day, zone=self.zone) for day in days]
        return np.array(cuts, "datetime64[us]").astype(np.int64)


def measured_tables(definition: Definition, store: Store, counted: Sequence[Counted], folder: Path) -> MeasuredTables:
    """Of the tables that are large, and of a kind that one pass does. counted: what was verified and opened."""
    groups = (group for family in definition.families for group in family.groups)
    files, windows = dict[str, list[Path]](), dict[str, Windows]()
    for name, each in together(group.windows for group in groups if group.windows is not None).items():
        of = [file for file in counted if file.table == name]
        places = [store.place(file.rows.path) for file in of]
        if _is_plain(each) and all(file.ended is None for file in of) and _rows_of(places) >= LARGE:
            files[name], windows[name] = places, each
    return MeasuredTables(
        windows=windows,
        files=files,
        lookback_days=definition.lookbacks.lookback_days,
        zone=definition.zone,
        folder=folder,
    )


def _is_plain(windows: Windows) -> bool:
    """Whether its rows stay what they are once they are known, and what is asked of all of them is so but once."""
    columns = [windows.contract.column(each.column) for each in windows.measures if each.column]
    of_all = [each.of for each in windows.measures if not each.column]
    stays = not windows.contract.key and not any(each.known_at or each.state for each in columns)
    return stays and len(set(of_all)) == len(of_all)


def _rows_of(places: Sequence[Path]) -> int:
    return sum(pq.read_metadata(place).num_rows for place in places)


class _Work:
    """Spans of customers, one after the other, to a file per day."""

    def __init__(
        self,
        windows: Windows,
        *,
        lookback_days: Sequence[int],
        days: Sequence[date],
        cuts: Any,
        files: Sequence[Any],
        schema: pa.Schema,
    ) -> None:
        from pipelines.data.snapshots.landed_rows import added_by_rows
        from pipelines.data.snapshots.one_pass import Columns, Snapshots

        self.windows, self.files, self.schema, self.lock = windows, files, schema, Lock()
        edges = sorted({edge for days in lookback_days for edge in (days, 2 * days)})
        longest = edges[-1] if any(each.before for each in windows.measures) else lookback_days[-1]
        today = np.array([(day - _EPOCH).days for day in days], np.int32)
        self.snapshots = Snapshots(cuts, today, np.searchsorted(edges, np.arange(longest + 1)).astype(np.uint8))
        place = {name: number for number, name in enumerate(schema.names[1:])}

        def places(measures: Iterable[Measure | None], suffix: str = "") -> Any:
            found = [
                [-1 if each is None else place.get(f"{each.name}_{days}d{suffix}", -1) for days in lookback_days]
                for each in measures
            ]
            return np.array(found, np.int32).reshape(-1, len(lookback_days))

        counted = [_the_one(windows, "days"), _the_one(windows, "rows"), *added_by_rows(windows)]
        last = next((place[each.name] for each in windows.measures if each.of == "last_day"), -1)
        self.columns = Columns(
            near=places(counted),
            far=places(counted, "_before"),
            values=places(each for each in windows.measures if each.of == "values"),
            last=last,
            edges=np.array([[edges.index(days), edges.index(2 * days)] for days in lookback_days], np.int32),
        )

    def run(self, span: Span) -> None:
        from pipelines.data.snapshots.landed_rows import CannotBeCountedError, rows_of
        from pipelines.data.snapshots.one_pass import measure

        customers, rows, most = rows_of(span, self.windows)
        out = np.zeros((len(self.files), len(self.schema) - 1, len(customers)), np.int64)
        if not measure(rows, self.snapshots, self.columns, most, out):
            raise CannotBeCountedError
        types = [field.type.to_pandas_dtype() for field in self.schema][1:]
        for file, found in zip(self.files, out, strict=True):
            arrays = [pa.array(column.astype(dtype, copy=False)) for column, dtype in zip(found, types, strict=True)]
            with self.lock:
                file.write_batch(pa.record_batch([customers, *arrays], schema=self.schema))


def _the_one(windows: Windows, of: str) -> Measure | None:
    return next((each for each in windows.measures if each.of == of and not each.column), None)


def _scratch_columns(windows: Windows, lookback_days: Sequence[int]) -> Iterator[tuple[str, pa.DataType]]:
    """Narrow, but for sums: no customer has two thousand million rows."""
    for measure in windows.measures:
        for name in measure.columns(lookback_days):
            yield name, pa.int64() if measure.of == "sum" else pa.int32()


def _beside(customers: pa.ChunkedArray, windows: Windows, lookback_days: Sequence[int], place: Path) -> pa.Table:
    """The measures of some customers, in their order and in the types that the expressions have."""
    with pa.memory_map(str(place)) as file:
        computed = pa.ipc.open_file(file).read_all()
        at = pc.index_in(customers.combine_chunks(), value_set=computed["customer_id"].combine_chunks())
        nobody = np.asarray(at.is_null())
        taken = np.asarray(at.fill_null(0))
        found = pa.table({"customer_id": customers})
        for measure in windows.measures:
            for name in measure.columns(lookback_days):
                values = computed[name].to_numpy()[taken] if len(computed) else np.zeros(len(nobody), np.int64)
                found = found.append_column(name, _typed(values, nobody, measure, windows))
    return found


def _typed(values: Any, nobody: Any, measure: Measure, windows: Windows) -> pa.Array:
    if measure.of == "last_day":
        from pipelines.data.snapshots.one_pass import NEVER

        return pa.array(values, pa.int32(), mask=nobody | (values == NEVER)).view(pa.date32())
    values = np.where(nobody, 0, values).astype(np.int64, copy=False)
    if measure.of != "sum" or windows.contract.landed[measure.column] == "int64":
        return pa.array(values)
    halves = np.stack([values, values >> 63], axis=1)  # the 128 bits of a decimal, the lower half first
    return pa.Array.from_buffers(pa.decimal128(18, 4), len(values), [None, pa.py_buffer(halves)])
