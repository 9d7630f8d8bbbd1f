"""Do data arrive as they did: rows of each table within a span of days, and days since its newest fact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import log
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt

from features.asof import instant
from features.tables import TABLES
from models.unusual import swing, unusual
from pipelines.foundation.workspace.arrival_days import arrival_days

Floats = npt.NDArray[np.float64]

BEFORE = 4  # spans that one is held against, by their median
OVERLAP = 2  # neighbouring spans have three of these four in common, but not what is held against them


@dataclass(frozen=True)
class Arrivals:
    """Of the tables of a workspace, as they were known at the start of `as_of`.

    span_days: a snapshot's step. level: of false alarms, shared among the tables.
    """

    engine: Any
    tables: Mapping[str, ir.Table]
    as_of: date
    zone: ZoneInfo
    span_days: int
    level: float

    def volumes(self) -> list[dict[str, Any]]:
        """One entry per table: the rows that became known in the last span, and those before.

        `unusual` where they are fewer or more, in proportion to the spans just before, than the proportions of earlier
        spans to theirs make plausible; one of these may have been as far off. `stopped` where there are none and always
        were. usual: the median of the four spans before. spans: how many there are before.
        """
        names, span = sorted(self.tables), self.span_days
        level = self.level / len(names)
        return [{"table": name, "span_days": span, **volume(self._rows_by_span(name), level)} for name in names]

    def freshness(self) -> list[dict[str, Any]]:
        """One entry per table: days since its newest fact, and the longest pause between two days with facts so far.

        `late` where no pause was ever so long, and pauses as they were make one so long implausible.
        """
        names = sorted(self.tables)
        return [{"table": name, **pause(self._days(name), self.as_of, self.level / len(names))} for name in names]

    def _rows_by_span(self, name: str) -> list[int]:
        """Rows that became known in each span before `as_of`, newest first; only spans that the data cover whole."""
        table, span, key = self._known(name), self.span_days, TABLES[name].key
        if key:  # a row that is told anew, as what followed upon it was filled in, is no further one
            table = table.select(*key, "known_at").distinct()
        ago = (self._cut.epoch_seconds() - 1 - table.known_at.epoch_seconds()) // 86_400
        counted = self.engine.to_pyarrow(table.select(ago=ago.cast("int64")).group_by("ago").agg(rows=ibis._.count()))
        counts = dict(zip(counted["ago"].to_pylist(), counted["rows"].to_pylist(), strict=True))
        whole = (max(counts, default=-1) + 1) // span
        return [sum(counts.get(number * span + day, 0) for day in range(span)) for number in range(whole)]

    def _days(self, name: str) -> list[date]:
        days = arrival_days(self._known(name), TABLES[name])
        found = self.engine.to_pyarrow(days.filter(days.day < ibis.literal(self.as_of)).select("day").distinct())
        return sorted(found["day"].to_pylist())

    def _known(self, name: str) -> ir.Table:
        table = self.tables[name]
        return table.filter(table.known_at < self._cut)

    @property
    def _cut(self) -> ir.TimestampScalar:
        return ibis.literal(instant(self.as_of, zone=self.zone), type="timestamp(6)")


def volume(rows: list[int], level: float) -> dict[str, Any]:
    """rows: of each full span, newest first.

    >>> volume([0, 30, 28, 31, 30, 29, 30], level=0.05)["stopped"]
    True
    """
    changes = [_change(rows[place : place + BEFORE + 1]) for place in range(len(rows) - BEFORE)]
    found = swing(changes[0], np.array(changes[:0:-1]), least=1.0, overlap=OVERLAP, level=level) if changes else None
    earlier = rows[1:]
    return {
        "rows": rows[0] if rows else 0,
        "usual": float(np.median(earlier[:BEFORE])) if earlier else None,
        "spans": len(earlier),
        "unusual": found is not None and found.found,
        "p_value": "unknown" if found is None or found.p_value is None else found.p_value,
        "stopped": len(earlier) > BEFORE and rows[0] == 0 and min(earlier) > 0,
    }


def _change(rows: list[int]) -> float:
    """How far the first is from the median of the others: the logarithm of their ratio, over what chance alone does.

    One row more is counted on either side, here and in `_noise`, so that none has a logarithm.
    """
    usual = float(np.median(rows[1:]))
    return log((rows[0] + 1) / (usual + 1)) / _noise(rows[0], usual)


def _noise(one: float, other: float) -> float:
    """How far the logarithm of the ratio of two counts is off by chance alone."""
    return float(np.sqrt(1 / (one + 1) + 1 / (other + 1)))


def pause(days: list[date], today: date, level: float) -> dict[str, Any]:
    """days: with a fact each, rising.

    >>> days = [date(2026, 1, day) for day in (1, 2, 4, 5, 6)]
    >>> pause(days, date(2026, 1, 30), level=0.05)
    {'newest': '2026-01-06', 'days_since': 24, 'longest_pause': 2, 'pauses': 4, 'late': True}
    """
    pauses = [(after - before).days for before, after in pairwise(days)]
    since = (today - days[-1]).days if days else None
    longest = max(pauses, default=None)
    late = (
        since is not None
        and longest is not None
        and since > longest
        and unusual(since, np.array(pauses, dtype=np.float64), overlap=1, level=level).found
    )
    return {
        "newest": str(days[-1]) if days else None,
        "days_since": since,
        "longest_pause": longest,
        "pauses": len(pauses),
        "late": late,
    }


def cohort(sizes: list[tuple[int, int]], overlap: float, level: float) -> dict[str, Any]:
    """The entry of those at risk: today's number, against that of the day that today is compared with (`Pairs`).

    sizes: of the earlier pairs, then of today's.
    """
    changes = [log((after + 1) / (before + 1)) / _noise(before, after) for before, after in sizes]
    found = swing(changes[-1], np.array(changes[:-1]), least=1.0, overlap=overlap, level=level)
    return {
        "table": "cohort",
        "span_days": None,
        "rows": sizes[-1][1],
        "usual": float(sizes[-1][0]),
        "spans": found.values,
        "unusual": found.found,
        "p_value": "unknown" if found.p_value is None else found.p_value,
        "stopped": sizes[-1][1] == 0,
    }
