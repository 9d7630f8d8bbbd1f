"""The coming horizon in sum: customers lost and revenue retained, with an interval, from calibrated probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from models.level import shift_to

Floats = npt.NDArray[np.float64]

DRAWS = 1_000
CONFIDENCE = 0.9
FIGURES = ("customers_lost", "grr", "nrr")
PRIOR_SCALE = 0.15  # how far, in log-odds, the level of all risks strays before anything was seen of it
_EDGE = 1e-9
_WIDEST = 5.0
_SCALES = np.geomspace(0.005, 3.0, 200)
_CELLS = 2_000_000  # drawn at once, so that memory stays bounded


@dataclass(frozen=True, kw_only=True)
class Chances:
    """Of n customers at risk: probabilities of loss, of paying less and of paying more, and recurring revenue a month.

    At most one of the three happens to a customer. less, more: 0 where no such model exists; then revenue changes by
    loss alone.
    """

    lost: Floats
    less: Floats
    more: Floats
    mrr: Floats


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """By how much customers who paid less, or more, did so: shares of what they paid, as seen in the past, above 0."""

    less: Floats
    more: Floats


@dataclass(frozen=True)
class Range:
    """What is expected by the probabilities themselves, and the ends of the interval.

    The interval holds what comes with probability `CONFIDENCE`.
    """

    expected: float
    low: float
    high: float

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Stray:
    """How far the level of all risks strays from what a model expects, in log-odds.

    Normal, with a standard deviation of which only the chances are known: (k,) scales and weights, which sum to 1.
    """

    scales: Floats
    weights: Floats

    @classmethod
    def certain(cls, scale: float) -> Stray:
        """One scale, known."""
        return cls(np.array([scale]), np.array([1.0]))

    @property
    def usual(self) -> float:
        """The root mean square of strays to come."""
        return float(np.sqrt(self.weights @ self.scales**2))

    def drawn(self, draws: int, random: np.random.Generator) -> Floats:
        """(draws, 1) strays."""
        scale = random.choice(self.scales, size=(draws, 1), p=self.weights)
        return np.clip(scale * random.standard_normal((draws, 1)), -_WIDEST, _WIDEST)


def forecast(chances: Chances, sizes: Sizes, strays: Mapping[str, Stray], *, seed: int) -> dict[str, Range]:
    """customers_lost, grr and nrr (shares of the recurring revenue at the start; null where that is 0).

    What is expected is summed from the probabilities, the sizes of change at their mean: whoever adds up probabilities
    elsewhere finds the same figures. For the interval the horizon is drawn `DRAWS` times: whether each customer leaves,
    pays less or more (one of these at most), and by how much. Two things make it wide: chance, and that the level of
    risk of all customers together strays from what models expect, by a season or by news. strays: how far, by outcome:
    "lost", "less", "more". Where probabilities of one customer sum to more than 1, the later ones get what is left.
    """
    random = np.random.default_rng(seed)
    start = float(chances.mrr.sum())
    at_once = max(1, min(DRAWS, _CELLS // max(1, len(chances.mrr))))
    parts = [_draw(chances, sizes, strays, min(at_once, DRAWS - done), random) for done in range(0, DRAWS, at_once)]
    drawn = np.concatenate(parts)
    found = {}
    for name, mean, amounts, unit in zip(FIGURES, _expected(chances, sizes), drawn.T, (1.0, start, start), strict=True):
        found[name] = _around(mean / unit, amounts / unit) if unit > 0 else Range(np.nan, np.nan, np.nan)
    return found


def shift(labels: Floats, probabilities: Floats) -> tuple[float, float]:
    """By how much all log-odds had to move for the probabilities to sum to what happened.

    With it the variance that chance alone gives such a shift.
    """
    odds = logit(np.clip(probabilities, _EDGE, 1 - _EDGE))
    happened = float(np.clip(labels.sum(), 0.5, len(labels) - 0.5))  # none or all would be an endless shift
    found = shift_to(odds, float(logit(happened / len(labels))))
    expected = expit(odds + found)
    return found, float(1 / (expected * (1 - expected)).sum())


def stray(past: Sequence[tuple[float, float]]) -> Stray:
    """What past shifts and their variances by chance, as `shift` finds them, tell of strays to come (Bayes).

    Before any was seen, the scale is half-t with 3 degrees of freedom around PRIOR_SCALE (Gelman 2006): there may be no
    strays at all. Subtracting chance from each squared shift, but never below 0, would find strays in chance alone.

    >>> stray([]).usual > stray([(0.0, 0.01)] * 20).usual
    True
    """
    squares = _SCALES**2
    log_weights = np.log(_SCALES) - 2 * np.log1p(squares / (3 * PRIOR_SCALE**2))  # the grid is even in logarithm
    for found, chance in past:
        log_weights -= (np.log(squares + chance) + found**2 / (squares + chance)) / 2
    weights = np.exp(log_weights - log_weights.max())
    return Stray(_SCALES, weights / weights.sum())


def _draw(
    chances: Chances, sizes: Sizes, strays: Mapping[str, Stray], draws: int, random: np.random.Generator
) -> Floats:
    """(draws, 3) customers lost, and recurring revenue kept, first without and then with what is added."""
    shape, mrr = (draws, len(chances.mrr)), chances.mrr
    lost = random.random(shape) < _shifted(chances.lost, strays["lost"], draws, random)
    less = ~lost & (random.random(shape) < _of(1 - chances.lost, _shifted(chances.less, strays["less"], draws, random)))
    left = 1 - chances.lost - chances.less  # who pays less does not pay more
    more = ~lost & ~less & (random.random(shape) < _of(left, _shifted(chances.more, strays["more"], draws, random)))
    fall, rise = (
        random.choice(size, shape) if len(size) and happens.any() else np.zeros((1, 1))
        for size, happens in ((sizes.less, less), (sizes.more, more))
    )
    gross = mrr * ~lost * (1 - less * fall)
    net = gross + mrr * more * rise
    return np.column_stack([lost.sum(axis=1), gross.sum(axis=1), net.sum(axis=1)])


def _expected(chances: Chances, sizes: Sizes) -> tuple[float, float, float]:
    """The mean of what `_draw` draws where no level strays."""
    less = np.minimum(chances.less, 1 - chances.lost)
    more = np.minimum(chances.more, 1 - chances.lost - less)
    fall, rise = (float(size.mean()) if len(size) else 0.0 for size in (sizes.less, sizes.more))
    gross = float(chances.mrr @ (1 - chances.lost - less * fall))
    return float(chances.lost.sum()), gross, gross + float(chances.mrr @ (more * rise))


def _of(left: Floats, probability: Floats) -> Floats:
    """A probability, of all customers, among those to whom nothing else happened: (n,) the share `left` of each."""
    return np.asarray(np.minimum(1.0, probability / np.maximum(left, _EDGE)))


def _shifted(probability: Floats, stray: Stray, draws: int, random: np.random.Generator) -> Floats:
    """(draws, n), each draw of all customers at another level; what cannot happen cannot happen at any."""
    if not probability.any():
        return np.zeros((1, len(probability)))
    odds = logit(np.clip(probability, _EDGE, 1 - _EDGE))
    return np.asarray(expit(odds + stray.drawn(draws, random)))


def _around(expected: float, drawn: Floats) -> Range:
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Range(expected, min(float(low), expected), max(float(high), expected))
