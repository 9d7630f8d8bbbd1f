"""The horizon in sum, in plain Python: every course that it can take with its chance, and what past levels teach.

Written from docs/decisions/0010 and from what the forecast says of itself; it draws nothing and shares no code with it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

Courses = list[tuple[float, float]]  # a figure, and the chance of it

PRIOR, DEGREES = 0.15, 3  # half-t, Gelman 2006
WIDEST_SCALE, STEPS = 3.0, 6_000


@dataclass(frozen=True)
class AtRisk:
    """One customer: chances of leaving, of paying less and of paying more, of all that may come; revenue a month."""

    lost: float
    less: float
    more: float
    mrr: float

    def courses(self, falls: Sequence[float], rises: Sequence[float]) -> list[tuple[float, float, float, float]]:
        """(chance, lost, revenue kept of what was there, revenue kept and added) of each course."""
        less = min(self.less, 1 - self.lost)
        more = min(self.more, 1 - self.lost - less)
        found = [(self.lost, 1.0, 0.0, 0.0)]
        found += [(less / len(falls), 0.0, self.mrr * (1 - fall), self.mrr * (1 - fall)) for fall in falls]
        found += [(more / len(rises), 0.0, self.mrr, self.mrr * (1 + rise)) for rise in rises]
        same = 1 - self.lost - (less if falls else 0.0) - (more if rises else 0.0)
        return [*found, (same, 0.0, self.mrr, self.mrr)]


def expected(customers: Sequence[AtRisk], falls: Sequence[float], rises: Sequence[float]) -> dict[str, float]:
    """The figures as they are on average of all that may come; null (NaN) where nothing is paid at the start."""
    start = math.fsum(each.mrr for each in customers)
    sums = [0.0, 0.0, 0.0]
    for each in customers:
        for chance, *figures in each.courses(falls, rises):
            sums = [total + chance * figure for total, figure in zip(sums, figures, strict=True)]
    lost, kept, with_more = sums
    if start == 0:
        return {"customers_lost": lost, "grr": math.nan, "nrr": math.nan}
    return {"customers_lost": lost, "grr": kept / start, "nrr": with_more / start}


def distribution(customers: Sequence[AtRisk], falls: Sequence[float], rises: Sequence[float]) -> dict[str, Courses]:
    """Every value that a figure can take with its chance, in order: of a few customers, who are told one by one."""
    start = math.fsum(each.mrr for each in customers)
    whole = {(0.0, 0.0, 0.0): 1.0}
    for each in customers:
        further: dict[tuple[float, float, float], float] = {}
        for sums, before in whole.items():
            for chance, *figures in each.courses(falls, rises):
                lost, kept, more = (round(a + b, 9) for a, b in zip(sums, figures, strict=True))
                further[lost, kept, more] = further.get((lost, kept, more), 0.0) + before * chance
        whole = further
    found: dict[str, Courses] = {}
    for place, (name, unit) in enumerate((("customers_lost", 1.0), ("grr", start), ("nrr", start))):
        values: dict[float, float] = {}
        for sums, chance in whole.items():
            value = sums[place] / unit
            values[value] = values.get(value, 0.0) + chance
        found[name] = sorted(values.items())
    return found


def at_most(courses: Courses, value: float) -> float:
    return math.fsum(chance for figure, chance in courses if figure <= value + 1e-9)


def below(courses: Courses, value: float) -> float:
    return math.fsum(chance for figure, chance in courses if figure < value - 1e-9)


def shift(labels: Sequence[float], probabilities: Sequence[float]) -> tuple[float, float]:
    """By how much all log-odds move until the probabilities sum to what happened; the variance that chance gives it.

    A sum of independent outcomes varies by p (1 - p) each, and moves by as much per unit of shift.
    """
    happened = math.fsum(labels)
    odds = [math.log(each / (1 - each)) for each in probabilities]
    low, high = -40.0, 40.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if math.fsum(_chance(each + middle) for each in odds) < happened else (low, middle)
    moved = [_chance(each + low) for each in odds]
    return low, 1 / math.fsum(each * (1 - each) for each in moved)


def usual_stray(past: Sequence[tuple[float, float]]) -> float:
    """Root mean square of the strays to come: normal around 0, of a scale that is half-t before anything was seen.

    A past shift is a stray plus chance of known variance. Integrated over scales up to WIDEST_SCALE, in logarithms.
    """
    edges = [math.exp(-9 + (math.log(WIDEST_SCALE) + 9) * step / STEPS) for step in range(STEPS + 1)]
    weights = squares = 0.0
    for left, right in pairwise(edges):
        scale, width = math.sqrt(left * right), right - left
        weight = width * (1 + (scale / PRIOR) ** 2 / DEGREES) ** (-(DEGREES + 1) / 2)
        for found, chance in past:
            spread = scale**2 + chance
            weight *= math.exp(-(found**2) / (2 * spread)) / math.sqrt(spread)
        weights += weight
        squares += weight * scale**2
    return math.sqrt(squares / weights)


def came(rows: Sequence[Mapping[str, float | None]]) -> dict[str, float]:
    """What a past horizon brought: rows of one customer each, `left` and revenue `before` and `after`, None: unknown.

    As docs/figures.md has it, net per customer; of whom a price is not known no rate tells.
    """
    found = {"customers_lost": math.fsum(row["left"] or 0.0 for row in rows)}
    paid = [
        (before, after) for row in rows if (before := row["before"]) is not None and (after := row["after"]) is not None
    ]
    start = math.fsum(before for before, _ in paid)
    if start:
        contracted = math.fsum(before - after for before, after in paid if 0 < after < before)
        churned = math.fsum(before for before, after in paid if after == 0)
        expanded = math.fsum(after - before for before, after in paid if after > before)
        found["grr"] = (start - contracted - churned) / start
        found["nrr"] = (start + expanded - contracted - churned) / start
    return found


def _chance(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds)) if log_odds > -700 else 0.0
