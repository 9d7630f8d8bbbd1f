"""How far two cohorts lie apart, column by column."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.object_]

# Of a column's grid, so that a distance to the cohort of the grid falls short of the exact one by a hundredth and a
# customer at most. Two other cohorts may differ by more between two of its points, or beyond its ends.
POINTS = 101
BINS = 10  # of the population stability index; this and the next are convention
FURTHEST = 0.99  # two cohorts that have nothing in common differ by no more than the grid can tell
SMALLEST = 1e-4  # what an empty bin's share counts as


@dataclass(frozen=True)
class Profile:
    """A cohort of n customers, summed up so that many fit into memory beside each other.

    below: (m, 2 * POINTS) shares of a number column's values, nulls aside, that are less than each point of its grid,
    then of those up to it; NaN where all are null. missing: (m,) shares of nulls. shares: of each category column's
    texts, nulls aside. gone: the share of nulls of each.
    """

    n: int
    below: Floats
    missing: Floats
    shares: Mapping[str, Mapping[str, float]]
    gone: Mapping[str, float]


def grid(values: Floats) -> Floats:
    """(m, POINTS) quantiles of the columns of (n, m) values, nulls aside; NaN for a column without any."""
    points = np.full((values.shape[1], POINTS), np.nan)
    for column, ranked in enumerate(_ranked(values)):
        if len(ranked):
            points[column] = ranked[np.linspace(0, len(ranked) - 1, POINTS).round().astype(np.int64)]
    return points


def profile(values: Floats, categories: Mapping[str, Texts], points: Floats) -> Profile:
    """A cohort's (n, m) values on the grid of `points`, and its (n,) texts, of which "" is null."""
    below = np.full((values.shape[1], 2 * POINTS), np.nan)
    for column, ranked in enumerate(_ranked(values)):
        if len(ranked):
            sides = [np.searchsorted(ranked, points[column], side=side) for side in ("left", "right")]
            below[column] = np.concatenate(sides) / len(ranked)
    missing = np.isnan(values).mean(axis=0) if len(values) else np.ones(values.shape[1])
    shares, gone = {}, {}
    for name, texts in categories.items():
        found, counts = np.unique(texts.astype(str), return_counts=True)
        present = dict(zip(found.tolist(), counts.tolist(), strict=True))
        gone[name] = present.pop("", 0) / max(len(texts), 1)
        shares[name] = {text: count / sum(present.values()) for text, count in present.items()}
    return Profile(len(values), below, missing, shares, gone)


def distances(one: Profile, other: Profile) -> Floats:
    """(2 * (m + k),) distances of m number and k category columns, then the differences between their shares of nulls.

    Numbers: the largest difference between distribution functions (Kolmogorov and Smirnov). Categories: half the sum of
    the differences between shares (total variation). 0 where a column has no values on one side: the nulls tell of it.
    """
    apart = np.nan_to_num(np.abs(one.below - other.below)).max(axis=1, initial=0.0)
    texts = [total_variation(shares, other.shares[name]) for name, shares in one.shares.items()]
    nulls = [abs(gone - other.gone[name]) for name, gone in one.gone.items()]
    return np.concatenate([apart, texts, np.abs(one.missing - other.missing), nulls])


def total_variation(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """0 for equal shares, 1 for no text in common; 0 where there is no text at all on one side.

    >>> total_variation({"a": 0.5, "b": 0.5}, {"a": 0.5, "c": 0.5})
    0.5
    """
    if not one or not other:
        return 0.0
    return sum(abs(one.get(text, 0.0) - other.get(text, 0.0)) for text in one.keys() | other.keys()) / 2


def stretched(apart: Floats) -> Floats:
    """Distances of 0 to 1 without an upper end, small ones unchanged: nothing in common is far more than half.

    >>> stretched(np.array([0.01, 0.5, 1.0])).round(2)
    array([0.01, 0.69, 4.61])
    """
    return np.asarray(-np.log1p(-np.minimum(apart, FURTHEST)))


def unstretched(far: Floats) -> Floats:
    """The distance that was stretched."""
    return np.asarray(-np.expm1(-far))


def noise(one: int, other: int) -> float:
    """A distance that cohorts of these sizes reach by the luck of the draw: half the Kolmogorov-Smirnov scale.

    >>> noise(200, 200)
    0.05
    """
    return 0.5 * float(np.sqrt(1 / max(one, 1) + 1 / max(other, 1)))


def psi(before: Profile, today: Profile) -> Floats:
    """(m + k,) population stability index: tenths of the cohort of the grid, or texts, and nulls as a bin of their own.

    The share of an empty bin counts as SMALLEST.

    People ask for it. Its usual limits (0.1 and 0.25) know neither the number of customers nor how much a column always
    moved, so nothing here is decided by it.
    """
    places = np.linspace(0, POINTS - 1, BINS + 1).round().astype(np.int64)[1:-1] + POINTS
    numbers = [
        _divergence(_bins(old, gone, places), _bins(new, now, places))
        for old, gone, new, now in zip(before.below, before.missing, today.below, today.missing, strict=True)
    ]
    texts = []
    for name, shares in before.shares.items():
        names = sorted(shares.keys() | today.shares[name].keys())
        old, new = (
            np.array(
                [*(found.shares[name].get(text, 0.0) * (1 - found.gone[name]) for text in names), found.gone[name]]
            )
            for found in (before, today)
        )
        texts.append(_divergence(old, new))
    return np.array([*numbers, *texts], dtype=np.float64)


def _bins(below: Floats, missing: float, places: npt.NDArray[np.int64]) -> Floats:
    """Shares of all customers in the bins between some points of the grid, and of nulls."""
    inside = np.diff(np.nan_to_num(below[places]), prepend=0.0, append=1.0) * (1 - missing)
    return np.append(inside, missing)


def _divergence(before: Floats, today: Floats) -> float:
    old, new = np.maximum(before, SMALLEST), np.maximum(today, SMALLEST)
    return float(((new - old) * np.log(new / old)).sum())


def _ranked(values: Floats) -> list[Floats]:
    """Each column's values in order, nulls aside."""
    columns = np.sort(np.ascontiguousarray(values.T), axis=1)  # nulls last
    return [ranked[: len(ranked) - int(np.isnan(ranked).sum())] for ranked in columns]


def unseen(cohort: Profile, known: Mapping[str, Collection[str]]) -> dict[str, dict[str, float]]:
    """By category column, the texts that are not among the known ones, each with its share of all customers."""
    return {
        name: {text: share * (1 - cohort.gone[name]) for text, share in shares.items() if text not in known[name]}
        for name, shares in cohort.shares.items()
    }
