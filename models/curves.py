"""Curves that show how good probabilities are: ranking (ROC, precision-recall, gain, lift) and reliability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Curve:
    """Points (m,) of a curve, x never falling. Rows of equal probability are one step: their order says nothing."""

    x: Floats
    y: Floats

    def at(self, x: float) -> float:
        """Height at x, on the straight line between the neighbouring points."""
        return float(np.interp(x, self.x, self.y))

    def thinned(self, points: int) -> Curve:
        """At most `points` of the points, evenly along the curve's length, both ends kept: for drawing.

        >>> Curve(np.arange(5.0), np.arange(5.0)).thinned(3)
        Curve(x=array([0., 2., 4.]), y=array([0., 2., 4.]))
        """
        if len(self.x) <= points:
            return self
        steps = np.hypot(np.diff(self.x) / (np.ptp(self.x) or 1.0), np.diff(self.y) / (np.ptp(self.y) or 1.0))
        length = np.concatenate([[0.0], np.cumsum(steps)])
        kept = np.unique(np.searchsorted(length, np.linspace(0.0, length[-1], points)))
        return Curve(self.x[kept], self.y[kept])


@dataclass(frozen=True)
class Reliability:
    """One entry per bin, from low to high probability: rows, mean probability, share of positives, its 95% interval."""

    rows: Ints
    predicted: Floats
    observed: Floats
    low: Floats
    high: Floats


def roc(labels: Floats, probabilities: Floats) -> Curve:
    """From (0, 0) to (1, 1): share of negatives (x) and of positives (y) at or above each probability.

    labels: (n,) of 0.0 and 1.0, both present; probabilities: (n,).

    >>> roc(np.array([0.0, 1.0, 1.0]), np.array([0.2, 0.2, 0.9]))
    Curve(x=array([0., 0., 1.]), y=array([0. , 0.5, 1. ]))
    """
    taken, found = _from_the_top(labels, probabilities)
    _refuse_one_class(taken, found)
    return Curve((taken - found) / (taken[-1] - found[-1]), found / found[-1])


def pr(labels: Floats, probabilities: Floats) -> Curve:
    """Recall (x) and precision (y) at each probability, from the highest down; its area by steps is average precision.

    labels: (n,) of 0.0 and 1.0, both present; probabilities: (n,). The first point, at recall 0, repeats the precision
    of the second: nothing taken has none.

    >>> pr(np.array([0.0, 1.0, 1.0]), np.array([0.2, 0.3, 0.9]))
    Curve(x=array([0. , 0.5, 1. , 1. ]), y=array([1.        , 1.        , 1.        , 0.66666667]))
    """
    taken, found = _from_the_top(labels, probabilities)
    _refuse_one_class(taken, found)
    precision = found[1:] / taken[1:]
    return Curve(found / found[-1], np.concatenate([precision[:1], precision]))


def gain(labels: Floats, probabilities: Floats) -> Curve:
    """From (0, 0) to (1, 1): share of all rows, those at most risk first (x), and of all positives among them (y).

    labels: (n,) of 0.0 and 1.0, both present; probabilities: (n,).

    >>> gain(np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.2, 0.2, 0.9, 0.1])).y
    array([0. , 0.5, 1. , 1. ])
    """
    taken, found = _from_the_top(labels, probabilities)
    _refuse_one_class(taken, found)
    return Curve(taken / taken[-1], found / found[-1])


def lift(gains: Curve, shares: Floats) -> Curve:
    """How many times more positives than in a random pick of the same size, at shares (m,) of all rows in (0, 1].

    >>> lift(Curve(np.array([0.0, 0.25, 1.0]), np.array([0.0, 0.5, 1.0])), np.array([0.25, 1.0]))
    Curve(x=array([0.25, 1.  ]), y=array([2., 1.]))
    """
    return Curve(shares, np.interp(shares, gains.x, gains.y) / shares)


def reliability(labels: Floats, probabilities: Floats, *, bins: int = 10) -> Reliability:
    """What was predicted beside what happened, in at most `bins` bins of nearly equal numbers of rows.

    labels: (n,) of 0.0 and 1.0; probabilities: (n,). Rows of equal probability share a bin, so there may be fewer.

    >>> reliability(np.array([0.0, 1.0, 1.0, 1.0]), np.array([0.3, 0.3, 0.8, 0.9]), bins=2).observed
    array([0.5, 1. ])
    """
    if not len(labels):
        nothing = np.empty(0)
        return Reliability(np.empty(0, np.int64), nothing, nothing, nothing, nothing)
    _, places, counts = np.unique(probabilities, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - counts / 2  # a level's middle rank: the order of its rows cannot move it
    level_bins = np.minimum((middle * bins / len(labels)).astype(np.int64), bins - 1)
    _, row_bins = np.unique(level_bins[places], return_inverse=True)
    rows = np.bincount(row_bins).astype(np.float64)
    positives = np.bincount(row_bins, labels).astype(np.float64)
    low, high = wilson(positives, rows)
    return Reliability(
        rows=rows.astype(np.int64),
        predicted=np.bincount(row_bins, probabilities) / rows,
        observed=positives / rows,
        low=low,
        high=high,
    )


def wilson(positives: Floats, rows: Floats, *, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Ends (m,) and (m,) of the interval of a share, given positives (m,) out of rows (m,), each at least 1.

    Wilson (1927): unlike the textbook interval it stays inside 0 and 1, and has a width where all or none are positive.

    >>> low, high = wilson(np.array([0.0, 5.0]), np.array([10.0, 10.0]))
    >>> low.round(3), high.round(3)
    (array([0.   , 0.237]), array([0.278, 0.763]))
    """
    z = float(ndtri(0.5 + confidence / 2))
    share = positives / rows
    centre = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z / (1 + z**2 / rows) * np.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2))
    return np.clip(centre - half, 0.0, share), np.clip(centre + half, share, 1.0)


def _from_the_top(labels: Floats, probabilities: Floats) -> tuple[Floats, Floats]:
    """Rows and positives at or above each distinct probability, highest first, after a leading 0."""
    _, places, counts = np.unique(-probabilities, return_inverse=True, return_counts=True)
    positives = np.bincount(places, labels, minlength=len(counts))
    return np.concatenate([[0.0], np.cumsum(counts)]), np.concatenate([[0.0], np.cumsum(positives)])


def _refuse_one_class(taken: Floats, found: Floats) -> None:
    if not 0 < found[-1] < taken[-1]:
        raise ValueError(
            f"{found[-1]:.0f} of {taken[-1]:.0f} rows are positive; a curve of ranking needs both outcomes"
        )
