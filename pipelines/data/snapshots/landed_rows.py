"""Landed rows of an event table as arrays, a span of customers at a time, however many files they lie in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.windows import Measure, Windows
from models.matrix import ENTITY
from pipelines.data.snapshots.one_pass import Rows, by_customer

AT_ONCE = 2_000_000  # rows of a span, more where one customer has more: some 300 MB with what becomes of them
TEN_THOUSANDTHS = 10_000  # what decimals land in
LARGEST_SUM = 10**18 // 2  # 18 digits hold the difference of two of them


class CannotBeCountedError(Exception):
    """What the pass does not do, and an expression does: files in another order, sums of very many digits."""


@dataclass(frozen=True)
class Span:
    """Customers after one and up to another (None: the first, the last), and the row groups that hold rows of them."""

    after: str | None
    upto: str | None
    groups: tuple[tuple[Path, tuple[int, ...]], ...]


def spans_of(places: Sequence[Path]) -> list[Span]:
    """Raises: CannotBeCountedError where a file does not go from customer to customer."""
    groups = [each for place in places for each in _groups(place)]
    ends, rows = list[str](), 0
    for _, _, _, last, count in sorted(groups, key=lambda each: each[3]):
        rows += count
        if rows >= AT_ONCE and last not in ends[-1:]:
            ends.append(last)
            rows = 0
    found = []
    for after, upto in zip([None, *ends], [*ends, None], strict=True):
        inside: dict[Path, list[int]] = {}
        for place, number, first, last, _ in groups:
            if (after is None or last > after) and (upto is None or first <= upto):
                inside.setdefault(place, []).append(number)
        if inside:
            found.append(Span(after, upto, tuple((place, tuple(numbers)) for place, numbers in inside.items())))
    return found


def _groups(place: Path) -> Iterator[tuple[Path, int, str, str, int]]:
    """Place, number, first and last customer, and rows of each row group."""
    with pq.ParquetFile(place) as file:
        metadata, column = file.metadata, file.schema_arrow.names.index(ENTITY)
    before = ""
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        told = group.column(column).statistics
        if told is None or not told.has_min_max or told.min < before:
            raise CannotBeCountedError
        before = told.max
        yield place, number, told.min, told.max, group.num_rows


def rows_of(span: Span, windows: Windows) -> tuple[pa.Array, Rows, int]:
    """The customers of a span, sorted, their rows, and how many one of them has at most.

    Raises: CannotBeCountedError where a sum may not fit.
    """
    names = sorted({ENTITY, windows.contract.happened_at, windows.day, "known_at", *_columns(windows)})
    table = pa.concat_tables(_read(place, groups, names, span) for place, groups in span.groups)
    columns = {name: column.chunk(0) for name, column in _one_chunk(table).items()}
    customers, customer = _numbered(columns[ENTITY])
    values = [columns[each.column] for each in windows.measures if each.of == "values"]
    rows = Rows(
        customer=customer,
        happened=_whole(columns[windows.contract.happened_at], pa.int64()),
        known=_whole(columns["known_at"], pa.int64()),
        day=_whole(columns[windows.day], pa.int32()),
        added=_stacked(
            [_added(columns[each.column], each) for each in added_by_rows(windows)], np.int64, len(customer)
        ),
        values=_stacked([_codes(each) for each in values], np.int32, len(customer)),
    )
    most = int(np.bincount(customer).max()) if len(customer) else 0
    if rows.added.size and max(int(rows.added.max()), -int(rows.added.min())) * most >= LARGEST_SUM:
        raise CannotBeCountedError
    if len(span.groups) > 1:
        order = by_customer(customer, len(customers))
        rows = Rows(
            rows.customer[order],
            rows.happened[order],
            rows.known[order],
            rows.day[order],
            rows.added[:, order],
            rows.values[:, order],
        )
    return customers, rows, most


def added_by_rows(windows: Windows) -> list[Measure]:
    """Those to which each row adds what it says itself, in the order of `Rows.added`."""
    return [each for each in windows.measures if each.of == "sum" or (each.of == "rows" and each.column)]


def _columns(windows: Windows) -> set[str]:
    return {each.column for each in windows.measures if each.column}


def _read(place: Path, groups: Sequence[int], names: Sequence[str], span: Span) -> pa.Table:
    schema = pq.read_schema(place)
    texts = [name for name in names if pa.types.is_string(schema.field(name).type)]
    with pq.ParquetFile(place, read_dictionary=texts) as file:
        table = file.read_row_groups(list(groups), columns=list(names), use_threads=False).select(names)
    start, end = np.sum([_beyond(ids, span) for ids in table[ENTITY].chunks], axis=0).tolist()
    return table.slice(start, len(table) - start - end)


def _beyond(ids: pa.DictionaryArray, span: Span) -> tuple[int, int]:
    """How many rows are of customers outside the span: of those before it, and of those after."""
    told, row = ids.dictionary, np.asarray(ids.indices)
    early = 0 if span.after is None else np.asarray(pc.less_equal(told, span.after))[row].sum()
    late = 0 if span.upto is None else np.asarray(pc.greater(told, span.upto))[row].sum()
    return int(early), int(late)


def _one_chunk(table: pa.Table) -> dict[str, pa.ChunkedArray]:
    together = table.unify_dictionaries().combine_chunks()
    return dict(zip(together.column_names, together.columns, strict=True))


def _numbered(ids: pa.DictionaryArray) -> tuple[pa.Array, Any]:
    """The customers who have rows, sorted, and of each row the number of its own.

    The dictionary names those of its row groups who lie beyond the span, too.
    """
    code = np.asarray(ids.indices)
    is_there = np.zeros(len(ids.dictionary), bool)
    is_there[code] = True
    order = np.asarray(pc.sort_indices(ids.dictionary))
    order = order[is_there[order]]
    number = np.full(len(is_there), -1, np.int32)
    number[order] = np.arange(len(order), dtype=np.int32)
    return ids.dictionary.take(pa.array(order)), number[code]


def _whole(column: pa.Array, physical: pa.DataType) -> Any:
    """Days and moments, of which none is empty, as the whole numbers that they are."""
    return column.view(physical).to_numpy()


def _stacked(rows: Sequence[Any], dtype: Any, length: int) -> Any:
    return np.stack(rows) if rows else np.empty((0, length), dtype)


def _codes(column: pa.DictionaryArray) -> Any:
    return np.asarray(pc.fill_null(column.indices, -1)).astype(np.int32, copy=False)


def _added(column: pa.Array, measure: Measure) -> Any:
    """What each row adds to a sum: whole numbers, of decimals the ten-thousandths; 1 or 0 where rows are counted."""
    if measure.of == "rows":
        if measure.value is None:
            return np.asarray(pc.coalesce(pc.greater(column, 0), pa.scalar(value=False))).astype(np.int64)
        code = column.dictionary.index(measure.value).as_py()
        return (_codes(column) == code).astype(np.int64) if code >= 0 else np.zeros(len(column), np.int64)
    empty = measure.empty
    if pa.types.is_decimal(column.type):
        # Of 18 digits, the lower half of the 128 bits tells the number, whatever its sign.
        found = np.frombuffer(column.buffers()[1], np.int64)[::2][column.offset : column.offset + len(column)].copy()
        empty *= TEN_THOUSANDTHS
    else:
        found = column.fill_null(empty).to_numpy().astype(np.int64)
    if column.null_count:
        found[np.asarray(column.is_null())] = empty
    return found
