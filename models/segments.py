"""Whether a model serves every part of the customers: calibration and lift of each, beside those of all others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from models.evaluation import TOP_SHARE, redrawn

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MIN_ROWS, MIN_POSITIVES = 100, 10  # below these a segment's figures are noise, and it is left out
CLEARLY = 0.05  # the chance, over all segments of a model together, to name one that is no worse


@dataclass(frozen=True)
class Segment:
    """One value of one column.

    calibration: outcomes that happened over those expected, 1 is perfect. lift: outcomes found in the tenth at most
    risk over the most that a tenth of its size could hold, 1 is perfect: unlike plain lift it has no ceiling that
    depends on how common the outcome is. Both with 95% intervals. worse: which of the two are clearly worse than
    elsewhere.
    """

    column: str
    segment: str
    rows: int
    positives: int
    calibration: float
    calibration_interval: tuple[float, float]
    lift: float
    lift_interval: tuple[float, float]
    worse: tuple[str, ...]


def judged(
    labels: Floats,
    probabilities: Floats,
    customers: npt.NDArray[np.object_],
    segments: Mapping[str, npt.NDArray[np.object_]],
    *,
    samples: int,
    seed: int,
) -> list[Segment]:
    """Each segment beside everybody outside it, in the order of columns and values.

    labels, probabilities, customers, and each of segments: (n,). Whole customers are drawn for the intervals, since
    rows of one are not independent. A segment is clearly worse where the difference is larger than chance would make it
    at `CLEARLY`, shared among all comparisons (Bonferroni).
    """
    chosen = [each for each in values(segments) if enough(labels, each[2]) and not each[2].all()]
    if not chosen:
        return []
    drawn = of_customers(customers, samples=samples, seed=seed)
    limit = float(norm.isf(CLEARLY / max(1, 2 * len(chosen)) / 2))
    found = []
    for column, value, inside in chosen:
        here, there = (_drawn_figures(labels, probabilities, rows, drawn) for rows in (inside, ~inside))
        found.append(
            Segment(
                column,
                value,
                rows=int(inside.sum()),
                positives=int(labels[inside].sum()),
                calibration=float(here[0][0]),
                calibration_interval=_interval(here[0]),
                lift=float(here[1][0]),
                lift_interval=_interval(here[1]),
                worse=_worse(here, there, limit),
            )
        )
    return found


def values(segments: Mapping[str, npt.NDArray[np.object_]]) -> list[tuple[str, str, Flags]]:
    """Column, value and (n,) rows of each segment; rows without a value are in none of the column's."""
    return [
        (column, str(value), texts == value)
        for column, texts in segments.items()
        for value in np.unique(texts[texts != ""].astype(str))
    ]


def enough(labels: Floats, inside: Flags) -> bool:
    """Whether the figures of some rows say more than chance does."""
    return int(inside.sum()) >= MIN_ROWS and MIN_POSITIVES <= int(labels[inside].sum()) < int(inside.sum())


@dataclass(frozen=True)
class Drawn:
    """times: (1 + samples, customers), once each and then as whole customers are drawn; places: (n,) each row's."""

    times: Floats
    places: npt.NDArray[np.int64]

    def sums(self, amounts: Floats, rows: Flags | npt.NDArray[np.int64]) -> Floats:
        """(1 + samples,) of the amounts of some rows; by customer first, so that no draw of every row is ever held."""
        each = np.bincount(self.places[rows], amounts[rows], minlength=self.times.shape[1])
        return np.asarray(self.times @ each)


def of_customers(customers: npt.NDArray[np.object_], *, samples: int, seed: int) -> Drawn:
    """Draw whole customers, with all their rows."""
    places, draws = redrawn(customers, samples=samples, seed=seed)
    return Drawn(np.array([np.ones(int(places.max()) + 1), *draws]), places)


def _drawn_figures(labels: Floats, probabilities: Floats, rows: Flags, drawn: Drawn) -> tuple[Floats, Floats]:
    """Calibration and lift of some rows, (1 + samples,) each."""
    return _calibration(labels, probabilities, rows, drawn), _lift(labels, probabilities, rows, drawn)


def _worse(here: tuple[Floats, Floats], there: tuple[Floats, Floats], limit: float) -> tuple[str, ...]:
    """limit: how many standard errors of the difference are more than chance."""
    found = []
    gap, short = np.log(here[0]) - np.log(there[0]), there[1] - here[1]
    if abs(np.log(here[0][0])) > abs(np.log(there[0][0])) and abs(gap[0]) > limit * gap[1:].std():
        found.append("calibration")
    if short[0] > limit * short[1:].std():
        found.append("lift")
    return tuple(found)


def _calibration(labels: Floats, probabilities: Floats, rows: Flags, drawn: Drawn) -> Floats:
    happened, expected = drawn.sums(labels, rows), drawn.sums(probabilities, rows)
    return np.asarray((happened + 0.5) / (expected + 0.5))  # a draw without any outcome still has a logarithm


def _lift(labels: Floats, probabilities: Floats, rows: Flags, drawn: Drawn) -> Floats:
    """The tenth is chosen once, by the rows as they are: what varies is what became of them."""
    there = np.flatnonzero(rows)
    count = max(1, round(TOP_SHARE * len(there)))
    top = there[np.argsort(-probabilities[there], kind="stable")[:count]]
    possible = np.minimum(drawn.sums(labels, rows), count)
    found = drawn.sums(labels, top)
    return np.asarray(found / np.maximum(possible, 1.0))


def _interval(values: Floats) -> tuple[float, float]:
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return float(low), float(high)
