"""How many rows of each table tell of each local day, without the ends that are planned and have not come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import ibis.expr.types as ir

from features.tables import TABLES
from pipelines.foundation.storage.as_arrow import as_arrow
from pipelines.foundation.workspace.arrival_days import arrival_days
from pipelines.foundation.workspace.coverage import coverage, planned_from

Counts = dict[date, int]


@dataclass(frozen=True, kw_only=True)
class ToldDays:
    """Of the tables of a workspace. today: the day of the run. exported: that of each table's newest export, if known.

    A contract's end may be told long before: it says that the data reach its day only once it has come.
    """

    engine: Any
    tables: Mapping[str, ir.Table]
    today: date
    exported: Mapping[str, date]

    def rows(self, name: str) -> Counts:
        """By day the rows of a table, ends that are planned aside. Those of the day of the run and later are there."""
        own, ends = self._counted(name)
        planned = self.planned(name)
        told = {day: count for day, count in ends.items() if day not in planned}
        return {day: own.get(day, 0) + told.get(day, 0) for day in own.keys() | told.keys()}

    def planned(self, name: str) -> Counts:
        """By day the ends before the day of the run that are plans.

        Nothing else tells of these days, though it should, or the table's newest export was made before.
        """
        own, ends = self._counted(name)
        exported = self.exported[name] + timedelta(days=1) if name in self.exported else date.max
        over = {day: count for day, count in ends.items() if day < min(self.today, exported)}
        begun = coverage(own, today=self.today) if over else None
        alone = None if begun is None else planned_from(begun, over, others=self._others(name))
        since = min(alone or date.max, exported)
        return {day: count for day, count in ends.items() if since <= day < self.today}

    def _others(self, name: str) -> date | None:
        """The newest day that a row of another table is believed to tell of."""
        own = (coverage(self._counted(each)[0], today=self.today) for each in self.tables if each != name)
        return max((each.last for each in own if each is not None), default=None)

    def _counted(self, name: str) -> tuple[Counts, Counts]:
        """What happened of a table, by day, and what ended."""
        if name not in self._counts:
            self._counts[name] = self._count(name)
        return self._counts[name]

    @cached_property
    def _counts(self) -> dict[str, tuple[Counts, Counts]]:
        return {}

    def _count(self, name: str) -> tuple[Counts, Counts]:
        days = arrival_days(self.tables[name], TABLES[name], versions=True)
        found = as_arrow(self.engine, days.group_by("day", "end").agg(rows=days.count())).to_pylist()
        own, ends = ({row["day"]: row["rows"] for row in found if row["end"] == end} for end in (False, True))
        return own, ends
