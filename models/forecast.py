"""The coming horizon in sum: customers lost and revenue retained, with an interval, from calibrated probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit, logit

Floats = npt.NDArray[np.float64]

DRAWS = 1_000
CONFIDENCE = 0.9
PRIOR_SCALE = 0.15  # how far, in log-odds, the level of all risks strays before anything was seen of it
_EDGE = 1e-9
_WIDEST = 5.0
_SCALES = np.geomspace(0.005, 3.0, 200)
_CELLS = 2_000_000  # drawn at once, so that memory stays bounded


@dataclass(frozen=True, kw_only=True)
class Chances:
    """Of n customers at risk: probabilities of loss, of paying less and of paying more, and recurring revenue a month.

    less, more: 0 where no such model exists; then revenue changes by loss alone.
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
    """expected, and the interval that holds what comes with probability `CONFIDENCE`; `low` and `high` of it."""

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

    The horizon is drawn `DRAWS` times: whether each customer leaves, pays less or more, and by how much. Two things
    make the interval wide: chance, and that the level of risk of all customers together strays from what models
    expect, by a season or by news. strays: how far, by outcome: "lost", "less", "more".
    """
    random = np.random.default_rng(seed)
    start = float(chances.mrr.sum())
    at_once = max(1, min(DRAWS, _CELLS // max(1, len(chances.mrr))))
    parts = [_draw(chances, sizes, strays, min(at_once, DRAWS - done), random) for done in range(0, DRAWS, at_once)]
    drawn = np.concatenate(parts)
    found = {"customers_lost": _around(float(chances.lost.sum()), _range(drawn[:, 0]))}
    for name, amounts in (("grr", drawn[:, 1]), ("nrr", drawn[:, 2])):
        found[name] = _range(amounts / start if start > 0 else np.full(DRAWS, np.nan))
    return found


def shift(labels: Floats, probabilities: Floats) -> tuple[float, float]:
    """By how much all log-odds had to move for the probabilities to sum to what happened.

    With it the variance that chance alone gives such a shift.
    """
    odds = logit(np.clip(probabilities, _EDGE, 1 - _EDGE))
    happened = float(np.clip(labels.sum(), 0.5, len(labels) - 0.5))  # none or all would be an endless shift
    found = float(brentq(lambda by: expit(odds + by).sum() - happened, -4 * _WIDEST, 4 * _WIDEST))
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
    less, more = (
        ~lost & (random.random(shape) < _given(_shifted(chance, strays[name], draws, random), chances))
        for name, chance in (("less", chances.less), ("more", chances.more))
    )
    fall, rise = (
        random.choice(size, shape) if len(size) and happens.any() else np.zeros((1, 1))
        for size, happens in ((sizes.less, less), (sizes.more, more))
    )
    gross = mrr * ~lost * (1 - less * fall)
    net = gross + mrr * (more & ~less) * rise
    return np.column_stack([lost.sum(axis=1), gross.sum(axis=1), net.sum(axis=1)])


def _given(probability: Floats, chances: Chances) -> Floats:
    """Given that they stay: the models' probabilities are of all customers."""
    return np.asarray(np.minimum(1.0, probability / np.maximum(1 - chances.lost, _EDGE)))


def _shifted(probability: Floats, stray: Stray, draws: int, random: np.random.Generator) -> Floats:
    """(draws, n), each draw of all customers at another level; what cannot happen cannot happen at any."""
    if not probability.any():
        return np.zeros((1, len(probability)))
    odds = logit(np.clip(probability, _EDGE, 1 - _EDGE))
    return np.asarray(expit(odds + stray.drawn(draws, random)))


def _around(expected: float, found: Range) -> Range:
    """With the probabilities' own sum as what is expected: whoever adds them up elsewhere finds the same figure."""
    return Range(expected, min(found.low, expected), max(found.high, expected))


def _range(values: Floats) -> Range:
    low, high = np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Range(float(values.mean()), float(low), float(high))
