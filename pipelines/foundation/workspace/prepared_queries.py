"""Snapshot queries that are translated into SQL once, and then filled in for one day after the other.

Translation takes seconds for a snapshot of every indicator, more than DuckDB takes to run it. Only two literals of a
query depend on the day (`features.asof`), so it is translated for a day that occurs nowhere, and both are replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from features.asof import AsOf, instant, known_at
from features.catalog import Group, Spans
from features.training_set import part

COHORT = "attrition_cohort"
NO_DAY, NO_MOMENT = date(1904, 2, 29), datetime(1904, 2, 28, 23, 59, 59, 987654)  # noqa: DTZ001 - UTC without a mark


class Prepared:
    """The groups of one workspace, over tables of its DuckDB."""

    def __init__(self, engine: Any, tables: Mapping[str, ir.Table], spans: Spans, zone: ZoneInfo) -> None:
        self.engine, self.spans, self.zone = engine, spans, zone
        self.world: AsOf = known_at(tables, NO_DAY, NO_MOMENT)
        self._queries: dict[Group, tuple[str, pa.Schema]] = {}

    def columns(self, group: Group, day: date, customers: pa.Table) -> pa.Table:
        """`training_set.part` of a group at a day: customer_id and a column per indicator.

        customers: the cohort (customer_id), sorted.
        """
        self.engine.create_table(COHORT, customers, temp=True, overwrite=True)
        if group not in self._queries:
            expression = part(group, self.world, self.engine.table(COHORT), self.spans)
            self._queries[group] = self.engine.compile(expression), expression.schema().to_pyarrow()
        query, schema = self._queries[group]
        filled = fill(query, day, instant(day, zone=self.zone), self.engine)
        return self.engine.raw_sql(filled).to_arrow_table().cast(schema)


class PreparedOutcomes:
    """Outcomes by day, whose query is translated once, too.

    make: outcomes of a snapshot's day, as an expression. offsets: how many days after the snapshot's the other days of
    the expression lie.
    """

    def __init__(self, engine: Any, make: Callable[[date], ir.Table], offsets: Collection[int], zone: ZoneInfo) -> None:
        self.engine, self.offsets, self.zone = engine, offsets, zone
        expression = make(NO_DAY)
        self._query, self._schema = engine.compile(expression), expression.schema().to_pyarrow()

    def at(self, day: date) -> pa.Table:
        query = self._query
        for offset in {0, *self.offsets}:
            then, now = NO_DAY + timedelta(days=offset), day + timedelta(days=offset)
            moments = instant(then, zone=self.zone), instant(now, zone=self.zone)
            query = _replaced(query, (then, now), moments, self.engine)
        return self.engine.raw_sql(query).to_arrow_table().cast(self._schema)


class Reread:
    """Tables under names that stay, so that queries over them, translated once, see other rows later."""

    def __init__(self, engine: Any, tables: Mapping[str, ir.Table], spans: Spans, zone: ZoneInfo) -> None:
        self.engine = engine
        self.show(tables)
        self.tables = {name: engine.table(_view(name)) for name in tables}
        self.prepared = Prepared(engine, self.tables, spans, zone)

    def show(self, tables: Mapping[str, ir.Table]) -> None:
        """Put these rows under the names. They must have the columns of those before."""
        for name, table in tables.items():
            self.engine.create_view(_view(name), table, overwrite=True)


def _view(name: str) -> str:
    return f"attrition_reread_{name}"


def fill(query: str, day: date, moment: datetime, engine: Any) -> str:
    """A query made for NO_DAY and NO_MOMENT as it would have been made for this day and the moment it begins."""
    return _replaced(query, (NO_DAY, day), (NO_MOMENT, moment), engine)


def _replaced(query: str, days: tuple[date, date], moments: tuple[datetime, datetime], engine: Any) -> str:
    """With the second of two days and of two moments for the first."""
    for old, new in (map(ibis.literal, days), (ibis.literal(each, type="timestamp(6)") for each in moments)):
        query = query.replace(_written(old, engine), _written(new, engine))
    return query


def _written(literal: ir.Scalar, engine: Any) -> str:
    """How the engine's SQL writes a literal."""
    selected: str = engine.compile(literal.name("it"))
    return selected.removeprefix("SELECT ").removesuffix(' AS "it"')
