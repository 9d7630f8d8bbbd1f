"""Distributions in plain Python: Student's t and Pearson's type III, by textbook series and bisection."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

normal_quantile = NormalDist().inv_cdf


def crossing(rises: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function is 0, between two ends: by halves and chords in turn, until both ends meet."""
    below, above = rises(low), rises(high)
    for step in range(200):
        middle = (low + high) / 2
        if step % 3 and above > below:
            chord = low - below * (high - low) / (above - below)
            edge = (high - low) / 100  # beyond the chord, so that the other end comes near, too
            middle = min(max(chord + (edge if step % 3 == 1 else -edge), low), high)
        value = rises(middle)
        if value < 0:
            low, below = middle, value
        else:
            high, above = middle, value
        if high - low <= 1e-14 * max(1.0, abs(low)):
            break
    return (low + high) / 2


def t_above(value: float, degrees: float) -> float:
    """The chance that Student's t is above a value."""
    half = _beta(degrees / (degrees + value**2), degrees / 2, 0.5) / 2
    return half if value > 0 else 1 - half


def t_exceeded(chance: float, degrees: float) -> float:
    """The value that Student's t is above with a chance."""
    top = 1.0
    while t_above(top, degrees) > min(chance, 1 - chance):
        top *= 2
    return crossing(lambda value: chance - t_above(value, degrees), -top, top)


def pearson_below(value: float, skewness: float) -> float:
    """The chance that Pearson's type III with mean 0 and variance 1 is below a value: a gamma, moved and scaled."""
    if abs(skewness) < 1e-9:
        return NormalDist().cdf(value)
    if skewness < 0:
        return 1 - pearson_below(-value, -skewness)
    shape = 4 / skewness**2
    return _gamma(shape, shape + value * math.sqrt(shape))


def _gamma(shape: float, value: float) -> float:
    """The regularised lower incomplete gamma function: its series, or far out the continued fraction of the rest."""
    if value <= 0:
        return 0.0
    front = math.exp(shape * math.log(value) - value - math.lgamma(shape))
    if value < shape + 1:
        term = total = 1 / shape
        divisor = shape
        while abs(term) > abs(total) * 1e-17:
            divisor += 1
            term *= value / divisor
            total += term
        return front * total
    fraction = _fraction(
        value + 1 - shape, lambda step: -step * (step - shape), lambda step: value + 2 * step + 1 - shape
    )
    return 1 - front / fraction


def _beta(at: float, one: float, other: float) -> float:
    """The regularised incomplete beta function."""
    if at <= 0 or at >= 1:
        return 0.0 if at <= 0 else 1.0
    if at > (one + 1) / (one + other + 2):
        return 1 - _beta(1 - at, other, one)
    front = math.exp(
        math.lgamma(one + other) - math.lgamma(one) - math.lgamma(other) + one * math.log(at) + other * math.log1p(-at)
    )

    def above(step: int) -> float:
        half, odd = divmod(step, 2)
        if odd:
            return -(one + half) * (one + other + half) * at / ((one + 2 * half) * (one + 2 * half + 1))
        return half * (other - half) * at / ((one + 2 * half - 1) * (one + 2 * half))

    return front / (one * _fraction(1.0, above, lambda _: 1.0))


def _fraction(first: float, above: Callable[[int], float], below: Callable[[int], float]) -> float:
    """first + above(1) / (below(1) + above(2) / (below(2) + ...)), by Lentz's method."""
    value, upper, lower = first, first, 0.0
    for step in range(1, 100_000):
        lower = 1 / (below(step) + above(step) * lower)
        upper = below(step) + above(step) / upper
        value *= upper * lower
        if abs(upper * lower - 1) < 1e-16:
            break
    return value
