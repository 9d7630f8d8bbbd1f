"""Queries that are translated into SQL once, and then filled in for one day after the other.

Translation takes seconds for a snapshot of every indicator, more than DuckDB takes to run it. Of a query only the
literals of its days depend on the day (`features.asof`), so it is translated for a day that occurs nowhere, and these
are replaced.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Mapping
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from features.asof import instant

NO_DAY = date(1904, 2, 29)
_DATES = re.compile(r"\b(\d{4})(?:-|, ?)\d{1,2}(?:-|, ?)\d{1,2}\b")


class CompiledQueries:
    """Queries of one engine, by name, over tables that stay (`rows_of`)."""

    def __init__(self, engine: Any, zone: ZoneInfo) -> None:
        self.engine, self.zone = engine, zone
        self._queries: dict[Hashable, tuple[str, pa.Schema]] = {}

    def run(
        self, name: Hashable, make: Callable[[date], ir.Table], day: date, *, offsets: Collection[int] = ()
    ) -> pa.Table:
        """What the query gives for a day.

        make: the query of a day, called once per name. offsets: how many days after it the other days lie that its
        literals tell of. Raises: AssertionError where a literal of the day that occurs nowhere would be left.
        """
        if name not in self._queries:
            expression = make(NO_DAY)
            self._queries[name] = self.engine.compile(expression), expression.schema().to_pyarrow()
        query, schema = self._queries[name]
        filled = self.filled(query, day, offsets=offsets)
        return self.engine.raw_sql(filled).to_arrow_table().cast(schema)

    def filled(self, query: str, day: date, *, offsets: Collection[int] = ()) -> str:
        """A query made for NO_DAY as it would have been made for this day."""
        found = query
        for offset in {0, *offsets}:
            then, now = NO_DAY + timedelta(days=offset), day + timedelta(days=offset)
            found = found.replace(self._date(then), self._date(now))
            found = found.replace(self._moment(then), self._moment(now))
        last = NO_DAY + timedelta(days=max(offsets, default=0))
        left = [year for year in map(int, _DATES.findall(found)) if NO_DAY.year <= year <= last.year]
        if left or found == query:
            raise AssertionError(f"a query for {day} tells of {'no day' if found == query else 'days that never were'}")
        return found

    def rows_of(self, name: str, rows: ir.Table | pa.Table) -> ir.Table:
        """The rows under a name that queries keep: the same name later stands for other rows of the same columns."""
        if isinstance(rows, pa.Table):
            return self.engine.create_table(name, rows, temp=True, overwrite=True)
        return self.engine.create_view(name, rows, overwrite=True)

    def reread(self, tables: Mapping[str, ir.Table]) -> dict[str, ir.Table]:
        """Tables under names that stay."""
        return {name: self.rows_of(f"attrition_reread_{name}", table) for name, table in tables.items()}

    def _date(self, day: date) -> str:
        return self._written(ibis.literal(day))

    def _moment(self, day: date) -> str:
        return self._written(ibis.literal(instant(day, zone=self.zone), type="timestamp(6)"))

    def _written(self, literal: ir.Scalar) -> str:
        """How the engine's SQL writes a literal."""
        selected: str = self.engine.compile(literal.name("it"))
        return selected.removeprefix("SELECT ").removesuffix(' AS "it"')
