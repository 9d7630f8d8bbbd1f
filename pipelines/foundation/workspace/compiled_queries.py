"""Queries that are translated into SQL once, and then filled in for one day after the other.

Translation takes seconds for a snapshot of every indicator, more than DuckDB takes to run it. Of a query only the
literals of its days depend on the day (`features.asof`), so it is translated for a day that occurs nowhere, and these
are replaced. A query of tables under names that stay depends on their columns beside, not on their rows: what one
workspace of a process translated serves the next, and what one process translated serves others (`kept_queries`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa

from features.asof import instant
from pipelines.foundation.workspace import kept_queries
from pipelines.foundation.workspace.kept_queries import Translated

# Of this process, by all that a translation depends on.
TRANSLATED: dict[Hashable, Translated] = {}
NO_DAY = date(1904, 2, 29)
_DATES = re.compile(r"\b(\d{4})(?:-|, ?)\d{1,2}(?:-|, ?)\d{1,2}\b")


def _after(offset: int) -> date:
    return NO_DAY + timedelta(days=offset)


class CompiledQueries:
    """Queries by name over tables under names that stay; one object for an engine, since the names are the engine's.

    Whoever runs a query first says what rows it reads (`over`, `rows_of`): others may have read others since.
    """

    def __init__(self, engine: Any, zone: ZoneInfo) -> None:
        self.engine, self.zone = engine, zone
        self._rows: dict[str, ir.Table | pa.Table] = {}
        self._named: dict[str, ir.Table] = {}
        self._of_others: dict[Hashable, Translated] = {}  # queries that read tables which no other engine has
        self._literals: dict[date | datetime, str] = {}  # the same few days stand in each of hundreds of queries

    def run(
        self,
        name: Hashable,
        make: Callable[[date], ir.Table],
        day: date,
        *,
        offsets: Collection[int] = (),
        needs_day: bool = True,
        kept_by: tuple[str, ...] = (),
    ) -> pa.Table:
        """What the query gives for a day.

        name: tells everything that the query depends on, but its day and the columns of the tables. make: the query of
        a day, called once per name. offsets: how many days after it the other days lie that its literals tell of.
        needs_day: False where all that it reads may be of that day already, so that it need not tell of it. kept_by:
        modules that hold, or import, all code that writes the query; with them the machine keeps it, and name is such
        as `fingerprint` takes. None where a workspace's own code or texts decide what stands in it.
        Raises: AssertionError where a literal of the day that occurs nowhere would be left.
        """
        query, schema = self._translated(name, make, offsets, kept_by)
        filled = self.filled(query, day, offsets=offsets, needs_day=needs_day)
        return self.engine.raw_sql(filled).to_arrow_table().cast(schema)

    def _translated(
        self, name: Hashable, make: Callable[[date], ir.Table], offsets: Collection[int], kept_by: tuple[str, ...]
    ) -> Translated:
        columns = frozenset((each, table.schema()) for each, table in self._named.items())
        shared = (name, self.engine.name, self.zone, columns)
        found = self._of_others.get(name) or TRANSLATED.get(shared)
        if found is None:
            key = self._key(name, offsets, kept_by) if kept_by else None
            found = None if key is None else kept_queries.read(key)
            if found is None:
                expression = make(NO_DAY)
                found = self.engine.compile(expression), expression.schema().to_pyarrow()
                if not self._reads_named_alone(expression):
                    self._of_others[name] = found
                    return found
                if key is not None:
                    kept_queries.write(key, found)
            TRANSLATED[shared] = found
        return found

    def _key(self, name: Hashable, offsets: Collection[int], kept_by: tuple[str, ...]) -> str:
        # How its days are written tells of the zone's rules, too, which another release of them may change.
        days = tuple((self._date(each), self._moment(each)) for each in map(_after, sorted({0, *offsets})))
        return kept_queries.key_of(name, self.engine.name, self.zone.key, days, tables=self._named, by=kept_by)

    def _reads_named_alone(self, expression: ir.Table) -> bool:
        read = expression.op().find(ops.PhysicalTable)
        return all(isinstance(each, ops.DatabaseTable) and each.name in self._named for each in read)

    def filled(self, query: str, day: date, *, offsets: Collection[int] = (), needs_day: bool = True) -> str:
        """A query made for NO_DAY as it would have been made for this day."""
        found = query
        for offset in {0, *offsets}:
            then, now = _after(offset), day + timedelta(days=offset)
            found = found.replace(self._date(then), self._date(now))
            found = found.replace(self._moment(then), self._moment(now))
        last = _after(max(offsets, default=0))
        left = [year for year in map(int, _DATES.findall(found)) if NO_DAY.year <= year <= last.year]
        if left or (needs_day and found == query):
            raise AssertionError(f"a query for {day} tells of {'days that never were' if left else 'no day'}")
        return found

    def over(self, tables: Mapping[str, ir.Table]) -> dict[str, ir.Table]:
        """Tables under names that stay."""
        return {name: self.rows_of(f"attrition_{name}", table) for name, table in tables.items()}

    def rows_of(self, name: str, rows: ir.Table | pa.Table, *, copied: bool = True) -> ir.Table:
        """The rows under a name that queries keep: the same name later stands for other rows of the same columns.

        copied: rows of Arrow are, into the engine; otherwise it reads them where they are, which is cheaper once.
        """
        if self._rows.get(name) is not rows:
            if isinstance(rows, pa.Table) and not copied:
                self.engine.con.register(name, rows)
                self._named[name] = self.engine.table(name)
            elif isinstance(rows, pa.Table):
                self._named[name] = self.engine.create_table(name, rows, temp=True, overwrite=True)
            else:
                self._named[name] = self.engine.create_view(name, rows, overwrite=True)
            self._rows[name] = rows
        return self._named[name]

    def _date(self, day: date) -> str:
        return self._written(day, "date")

    def _moment(self, day: date) -> str:
        return self._written(instant(day, zone=self.zone), "timestamp(6)")

    def _written(self, value: date | datetime, kind: str) -> str:
        """How the engine's SQL writes a literal."""
        if value not in self._literals:
            selected: str = self.engine.compile(ibis.literal(value, type=kind).name("it"))
            self._literals[value] = selected.removeprefix("SELECT ").removesuffix(' AS "it"')
        return self._literals[value]
