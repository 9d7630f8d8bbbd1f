"""The document of `attrition monitor` from a workspace's own files: arrivals, drift of its snapshots, past scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow.parquet as pq

from tests.models.oracles import drift
from tests.models.oracles.drift import Numbers, Texts
from tests.models.oracles.quality import Scored
from tests.pipelines.oracles import company

Cohort = dict[str, list[Any]]  # by column

DAY = timedelta(days=1)
PARTS = ("values", "nulls", "unseen")


def spans(moments: Sequence[datetime], as_of: date, days: int) -> list[int]:
    """Rows by span of so many days before the start of a day, newest first; only spans that lie after the oldest."""
    start = datetime(as_of.year, as_of.month, as_of.day)
    ago = [math.ceil((start - moment) / DAY) - 1 for moment in moments if moment < start]
    whole = (max(ago) + 1) // days if ago else 0
    return [sum(number * days <= each < (number + 1) * days for each in ago) for number in range(whole)]


def volume(rows: Sequence[int], level: float) -> dict[str, Any]:
    """rows: of each span, newest first. Each against the median of the four before it, in units of chance."""
    changes = [_change(rows[place], median(rows[place + 1 : place + 5])) for place in range(len(rows) - 4)]
    judged = drift.further(changes[0], changes[1:], least=1.0, overlap=2, level=level) if changes else None
    earlier = rows[1:]
    return {
        "rows": rows[0] if rows else 0,
        "usual": median(earlier[:4]) if earlier else None,
        "spans": len(earlier),
        "unusual": judged is not None and judged.threshold is not None and judged.statistic > judged.threshold,
        "p_value": "unknown" if judged is None or judged.p_value is None else judged.p_value,
        "stopped": len(earlier) > 4 and rows[0] == 0 and 0 not in earlier,
    }


def cohort(sizes: Sequence[tuple[int, int]], overlap: float, level: float) -> dict[str, Any]:
    """sizes: of each pair's cohorts, the earlier one first; today's pair is the last."""
    changes = [_change(after, before) for before, after in sizes]
    judged = drift.further(changes[-1], changes[:-1], least=1.0, overlap=overlap, level=level)
    return {
        "rows": sizes[-1][1],
        "usual": sizes[-1][0],
        "unusual": judged.threshold is not None and judged.statistic > judged.threshold,
        "p_value": "unknown" if judged.p_value is None else judged.p_value,
    }


def pause(days: Sequence[date], today: date, level: float) -> dict[str, Any]:
    """days: with a fact, rising. Late where no pause was so long, and all pauses make it implausible."""
    pauses = [(after - before).days for before, after in pairwise(days)]
    since = (today - days[-1]).days if days else None
    late = False
    if since is not None and pauses and since > max(pauses):
        judged = drift.larger(since, pauses, overlap=1, level=level)
        late = judged.threshold is not None and since > judged.threshold
    return {
        "newest": str(days[-1]) if days else None,
        "days_since": since,
        "longest_pause": max(pauses, default=None),
        "pauses": len(pauses),
        "late": late,
    }


def _change(rows: float, usual: float) -> float:
    """The logarithm of the ratio over its noise, one row more on either side."""
    return math.log((rows + 1) / (usual + 1)) / math.sqrt(1 / (rows + 1) + 1 / (usual + 1))


def pairs(learned: Sequence[date], today: date, step: int) -> tuple[date, list[tuple[date, date]], int]:
    """The day that today is compared with, earlier pairs as far apart, and how many steps that is.

    The newest day that was learned from, or the first later one of the grid for which three pairs do not overlap.
    """
    whole = math.ceil((today - learned[-1]).days / step)
    for lag in range(whole, 0, -1):
        apart = timedelta(days=step * lag)
        found = [(day - apart, day) for day in learned if day - apart in learned]
        if drift.times_of_their_own(len(found), max(lag, 2)) >= drift.FEWEST_TIMES:
            return learned[-1] + timedelta(days=step * (whole - lag)), found, lag
    return learned[-1], [], 1


def columns(folder: Path, day: date) -> Cohort:
    """A day's indicators as they were stored, without who has them."""
    (place,) = (folder / "snapshots").glob(f"{day}-*.parquet")
    found: Cohort = pq.read_table(place).to_pydict()
    return {name: values for name, values in found.items() if name != "customer_id"}


def apart(before: Cohort, today: Cohort, grid: Mapping[str, Sequence[float]], seen: Mapping[str, set[str]]) -> Any:
    """By column and part, how far two cohorts lie apart."""
    found: dict[tuple[str, str], float] = {}
    for name, values in today.items():
        found[name, "nulls"] = abs(drift.nulls(before[name]) - drift.nulls(values))
        if is_text(values):
            found[name, "values"] = drift.variation(before[name], values)
            found[name, "unseen"] = len(drift.unseen(values, seen[name])) / len(values)
        else:
            found[name, "values"] = drift.distance(before[name], values, grid[name])
    return found


def is_text(values: Sequence[Any]) -> bool:
    return any(isinstance(value, str) for value in values)


def stability(before: Cohort, today: Cohort, grid: Mapping[str, Sequence[float]]) -> dict[str, float]:
    def index(old: Numbers | Texts, new: Numbers | Texts, name: str) -> float:
        if is_text(new):
            return drift.psi_of_texts(old, new)  # type: ignore[arg-type]
        return drift.psi_of_numbers(old, new, grid[name][10:100:10])  # type: ignore[arg-type]

    return {name: index(before[name], values, name) for name, values in today.items()}


def scored(folder: Path, day: date) -> tuple[list[Scored], list[str]]:
    """Of whoever was scored on a day and has an outcome: probability, what came, and the band."""
    (run,) = company.ledger(
        folder, f"SELECT history FROM score_runs WHERE as_of = '{day}' ORDER BY sequence DESC LIMIT 1"
    )
    rows = pq.read_table(folder / run["history"]).to_pylist()
    left = company.left(folder, day)
    found = [row for row in rows if row["customer_id"] in left]
    people = [Scored(row["churn_probability"], left[row["customer_id"]], customer=row["customer_id"]) for row in found]
    return people, [row["churn_risk_band"] for row in found]
