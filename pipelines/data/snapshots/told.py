"""Which columns had told something of anybody by a day: what nobody exports is unknown, and not 0."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from features.asof import AsOf
from features.catalog import Evidence


def told(view: AsOf, columns: Sequence[str]) -> ir.Table:
    """One row: the day, and for each of `columns`, as `Indicator.told_by` writes them, whether anything had been told.

    Judged by what was known that day, so that a column which is exported later changes nothing before.
    """
    alternatives = {column: _first_there(view, column) for column in columns}
    names = sorted({name for parts in alternatives.values() for name in parts})
    by_table: dict[str, list[str]] = {}
    for name in names:
        by_table.setdefault(name.partition(".")[0], []).append(name)
    parts = [view[table].agg(**{name: _any(view[table], name) for name in own}) for table, own in by_table.items()]
    row = reduce(lambda one, other: one.cross_join(other), parts)
    return row.select(
        day=view.today, **{column: reduce(or_, (row[name] for name in parts)) for column, parts in alternatives.items()}
    )


def untold(found: pa.Table) -> list[str]:
    """The columns in which nothing had been told, of what `told` gave."""
    return [name for name, some in found.to_pylist()[0].items() if not some]


def _first_there(view: AsOf, column: str) -> list[str]:
    """Of alternatives those of the first table that is there."""
    parts = column.split("|")
    table = next(name for name in (part.partition(".")[0] for part in parts) if name in view)
    return [part for part in parts if part.startswith(f"{table}.")]


def _any(table: ir.Table, name: str) -> ir.BooleanScalar:
    return ibis.coalesce(Evidence.of(name).seen_in(table).any(), ibis.literal(value=False))
