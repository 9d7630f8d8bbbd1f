"""What weighted sum of events a group would show at the risks of another, with limits for any chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit, gammaincinv, ndtri

from models.logistic import Regression

Floats = npt.NDArray[np.float64]

_FAR = 30.0  # log-odds that no group is shifted by
_STRAIGHT = 0.01  # below such a skewness the gamma distribution has a shape too large to compute with
_PRIOR = 0.5  # how far, before anything was seen, the slope of calibrated log-odds strays from 1
_LOOSE = 10.0  # how far the level strays from an even chance
_EXACT = 1e-12  # of a shift: 1e-5 put the money of 20,000 customers off by up to 0.30 of their currency
_STEP = 1e-8


@dataclass(frozen=True)
class Group:
    """Customers who were dealt with alike: (n,) events (0 or 1), weights above 0, and log-odds known beforehand."""

    events: Floats
    weights: Floats
    log_odds: Floats


@dataclass(frozen=True)
class Standard:
    """Those for whom the sum is told: (m,) weights and log-odds."""

    weights: Floats
    log_odds: Floats


def refined(events: Floats, log_odds: Floats, size: Floats | None = None) -> Floats:
    """(n,) log-odds that fit the events better, but for their level: times a slope, near 1 unless much happened.

    size: (n,) anything else that the events may depend on, such as the logarithm of a value. Without events to tell,
    it does not count. Penalised logistic regression: risks that are too sure of themselves, blurred, or blind to what
    makes the large ones leave would make intervals too narrow. The priors are normal: the slope, of log-odds less their
    mean, around 1 and that of size, in its standard deviations, around 0, both with a standard deviation of a half; the
    level around 0 with one of 10. A slope below 0 counts as 0.
    """
    known = [log_odds - log_odds.mean()]
    if size is not None and size.std() > 0:
        known.append((size - size.mean()) / size.std())
    design = np.column_stack([np.ones(len(events)), *known])
    precision = np.array([1 / _LOOSE**2, *[1 / _PRIOR**2] * len(known)])
    middle = np.array([0.0, 1.0, *[0.0] * (len(known) - 1)])
    # From far away a whole step may lead farther away.
    regression = Regression(design=design, labels=events, start=middle, ridge=precision)
    found = regression.fit(steps=50, tolerance=_STEP, halving=True)
    found[1] = max(0.0, found[1])
    return np.asarray(design[:, 1:] @ found[1:])


def expected(group: Group, standard: Standard) -> float:
    """The sum over the standard, where all log-odds are shifted so that the group's own sum is what happened."""
    if not group.events.any():
        return 0.0
    return float(standard.weights.sum()) if group.events.all() else _sum(standard, shift(group))


def limit(group: Group, standard: Standard, *, below: float) -> float:
    """The same for the shift under which no more than what happened would have a chance of `1 - below`.

    below: 0.975 gives the lower limit of a 95% interval, 0.025 the upper one. It is that of a score test (as Wilson's
    interval, or Miettinen and Nurminen's): the variance is that of the shift which is tried, not of the few events
    seen, so that a group without any event has limits, too. The sum is taken to be gamma distributed with its own mean,
    variance and skewness (Pearson's type III), since a few large weights make it far from normal.
    """
    if below > 0.5 and not group.events.any():
        return 0.0
    if below < 0.5 and group.events.all():
        return float(standard.weights.sum())
    return _sum(standard, _root(lambda by: _surprise(group, by, below)))


def variance(group: Group, standard: Standard, by: float) -> float:
    """About the variance by chance of `expected`, where log-odds are shifted by so much."""
    spread = _spread(group, by)
    reach = float((standard.weights * _chances(standard.log_odds, by)[1]).sum())
    own = float((group.weights * _chances(group.log_odds, by)[1]).sum())
    return spread * (reach / own) ** 2 if own > 0 else float("inf")


def shift(group: Group) -> float:
    """By how much log-odds are shifted where they sum to what happened; far, but finite, where all or none did."""
    return _root(lambda by: _seen(group) - _sum(group, by))


def _surprise(group: Group, by: float, below: float) -> float:
    """By how many standard deviations what happened is above the value that so many of all sums lie below."""
    chances, spreads = _chances(group.log_odds, by)
    spread = float((group.weights**2 * spreads).sum())
    skewness = float((group.weights**3 * spreads * (1 - 2 * chances)).sum()) / spread**1.5
    return (_seen(group) - float(group.weights @ chances)) / float(np.sqrt(spread)) - _quantile(below, skewness)


def _quantile(below: float, skewness: float) -> float:
    """Of a gamma distribution of that skewness, moved and scaled to mean 0 and variance 1."""
    if abs(skewness) < _STRAIGHT:
        normal = float(ndtri(below))
        return normal + skewness * (normal**2 - 1) / 6
    shape = 4 / skewness**2
    if skewness > 0:
        return float((gammaincinv(shape, below) - shape) / shape**0.5)
    return -float((gammaincinv(shape, 1 - below) - shape) / shape**0.5)


def _root(rises: Callable[[float], float]) -> float:
    """Where a function of the shift crosses 0; the end that is nearer to it, where it does not."""
    ends = rises(-_FAR), rises(_FAR)
    if ends[0] * ends[1] > 0:
        return -_FAR if abs(ends[0]) < abs(ends[1]) else _FAR
    return float(brentq(rises, -_FAR, _FAR, xtol=_EXACT))


def _chances(log_odds: Floats, by: float) -> tuple[Floats, Floats]:
    """(n,) chances at a shift, and their variances, never quite 0."""
    chances = np.asarray(expit(log_odds + by))
    return chances, np.asarray(np.maximum(chances * expit(-log_odds - by), 1e-300))


def _spread(group: Group, by: float) -> float:
    return float((group.weights**2 * _chances(group.log_odds, by)[1]).sum())


def _sum(those: Group | Standard, by: float) -> float:
    return float(those.weights @ expit(those.log_odds + by))


def _seen(group: Group) -> float:
    return float(group.weights @ group.events)
