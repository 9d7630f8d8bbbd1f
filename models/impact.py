"""What plays changed: those recommended a play against those whom chance held out, in customers and in money.

Intention to treat: everybody counts in the group that chance put them in, whatever was done. What is told is the sum,
over the customers of the treatment group, of their chance of leaving without the play less that with it; in money, each
times what the customer is worth. The sum without the play is that of the holdout, carried over to the treatment group
by the probabilities known before: all log-odds are shifted so that the holdout's own sum is what happened there. So the
groups need not be alike by chance, no model has to be right for the difference to be right on average, and one large
customer who happens to stand in one group does not decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import logit, ndtri

from models import balance
from models.balance import Group, Standard

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

Verdict = Literal["kept", "harmed", "not_shown"]

TAIL = 0.025  # on either side of an interval of 95%
POWER = 0.8
CLEARLY = 0.05  # the chance, over all plays together, to call one effective that changes nothing
_EDGE = 1e-4
_SMALLEST = 1e-9


@dataclass(frozen=True, kw_only=True)
class Enrolled:
    """(n,) customers whom one play was, or but for chance would have been, recommended; one row each.

    treated: recommended, otherwise held out. left: 1 who left in the outcome window, else 0. probability: of leaving,
    as known on the day; below 1 in 10,000, or as near to 1, it counts as that. value: revenue over the horizon if they
    stay; null where it is not known.
    """

    treated: Flags
    left: Floats
    probability: Floats
    value: Floats


@dataclass(frozen=True)
class Kept:
    """How much was kept, and its 95% interval."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Impact:
    """Of one play or several. without: how many of the treated would have left without it, as far as can be told.

    p_value: the chance of so many customers kept, or lost, where plays change nothing: twice the tail at which the
    interval's end touches 0, never told as less than 2 in a thousand million.
    money: None where of one play no held-out or no treated customer is known to be worth anything; without_value:
    customers of unknown value, who are left out of it.
    detectable: the smallest number of customers kept that would show with probability POWER; None where even keeping
    all who leave would not.
    """

    treated: int
    held_out: int
    left_treated: int
    left_held_out: int
    without: float
    customers: Kept
    p_value: float
    money: Kept | None
    without_value: int
    detectable: float | None


def impact(plays: Sequence[Enrolled]) -> Impact:
    """Of one play, or of several in sum, each against its own holdout: their shares may differ.

    Raises: ValueError where a play has no treated or no held-out customer.
    """
    if not plays or any(not 0 < play.treated.sum() < len(play.treated) for play in plays):
        raise ValueError("each play needs customers in both groups")
    heads, worth = [_heads(play) for play in plays], [_worth(play) for play in plays]
    purses = [pair for pair in worth if pair is not None]
    return Impact(
        treated=sum(int(play.treated.sum()) for play in plays),
        held_out=sum(int((~play.treated).sum()) for play in plays),
        left_treated=sum(int(play.left[play.treated].sum()) for play in plays),
        left_held_out=sum(int(play.left[~play.treated].sum()) for play in plays),
        without=sum(balance.expected(pair.held_out, pair.standard) for pair in heads),
        customers=(found := _Sum.of(heads)).kept(),
        p_value=found.p_value(),
        money=_Sum.of(purses).kept() if len(purses) == len(plays) else None,
        without_value=sum(int(np.isnan(play.value).sum()) for play in plays),
        detectable=_detectable(heads),
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Each p-value as it counts among several (Holm 1979): of many that are looked at, one stands out by chance.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    found, largest = [1.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda each: p_values[each])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        found[place] = largest
    return found


def verdict(kept: Kept, *, p_value: float) -> Verdict:
    """Whether it is enough evidence. p_value: as it counts among several."""
    if p_value > CLEARLY:
        return "not_shown"
    return "kept" if kept.estimate > 0 else "harmed"


@dataclass(frozen=True)
class _Pair:
    treated: Group
    held_out: Group
    standard: Standard

    @classmethod
    def of(cls, play: Enrolled, log_odds: Floats, weights: Floats) -> _Pair:
        """Rows without weight, or with a null, are left out."""
        counts = np.nan_to_num(weights) > 0
        inside, outside = counts & play.treated, counts & ~play.treated
        return cls(
            Group(play.left[inside], weights[inside], log_odds[inside]),
            Group(play.left[outside], weights[outside], log_odds[outside]),
            Standard(weights[inside], log_odds[inside]),
        )

    def both(self) -> Group:
        parts = self.treated, self.held_out
        return Group(
            np.concatenate([part.events for part in parts]),
            np.concatenate([part.weights for part in parts]),
            np.concatenate([part.log_odds for part in parts]),
        )


def _heads(play: Enrolled) -> _Pair:
    return _Pair.of(play, balance.refined(play.left, _log_odds(play)), np.ones(len(play.left)))


def _worth(play: Enrolled) -> _Pair | None:
    """The customers who are worth something; that value may tell of the risk what the probabilities do not."""
    known = np.nan_to_num(play.value) > 0
    if not (known & play.treated).any() or not (known & ~play.treated).any():
        return None
    odds = np.zeros(len(known))
    odds[known] = balance.refined(play.left[known], _log_odds(play)[known], np.log(play.value[known]))
    return _Pair.of(play, odds, play.value)


def _log_odds(play: Enrolled) -> Floats:
    return np.asarray(logit(np.clip(play.probability, _EDGE, 1 - _EDGE)))


@dataclass(frozen=True)
class _Sum:
    """What is lost without the plays and with them, each by its own estimate."""

    pairs: Sequence[_Pair]
    without: Sequence[float]
    with_it: Sequence[float]

    @classmethod
    def of(cls, pairs: Sequence[_Pair]) -> _Sum:
        return cls(
            pairs,
            [balance.expected(pair.held_out, pair.standard) for pair in pairs],
            [balance.expected(pair.treated, pair.standard) for pair in pairs],
        )

    @property
    def estimate(self) -> float:
        return sum(self.without) - sum(self.with_it)

    def kept(self) -> Kept:
        return Kept(self.estimate, self.end(TAIL, upper=False), self.end(TAIL, upper=True))

    def end(self, tail: float, *, upper: bool) -> float:
        """One end of the interval: its groups' limits, their distances from the estimates squared, summed, and rooted.

        That is Newcombe's interval (1998), also called MOVER: unlike an estimate plus and minus some standard errors it
        is as lopsided as its parts.
        """
        squares, least, most = 0.0, 1 - tail, tail  # the limits of what is lost
        for pair, without, with_it in zip(self.pairs, self.without, self.with_it, strict=True):
            held = balance.limit(pair.held_out, pair.standard, below=most if upper else least)
            treated = balance.limit(pair.treated, pair.standard, below=least if upper else most)
            squares += (held - without) ** 2 + (treated - with_it) ** 2
        return self.estimate + float(squares**0.5) * (1 if upper else -1)

    def p_value(self) -> float:
        """Twice the tail at which the interval's end touches 0."""

        def touches(log_tail: float) -> float:
            end = self.end(float(np.exp(log_tail)), upper=self.estimate < 0)
            return end if self.estimate > 0 else -end

        first, last = float(np.log(_SMALLEST)), float(np.log(0.5 - _SMALLEST))
        if self.estimate == 0 or touches(last) <= 0:
            return 1.0
        return 2 * _SMALLEST if touches(first) >= 0 else float(2 * np.exp(brentq(touches, first, last, xtol=1e-9)))


def _detectable(pairs: Sequence[_Pair]) -> float | None:
    """From the variance that chance alone gives where no play changes anything."""
    spread = leaving = 0.0
    for pair in pairs:
        by = balance.shift(pair.both())
        spread += sum(balance.variance(group, pair.standard, by) for group in (pair.treated, pair.held_out))
        leaving += balance.expected(pair.both(), pair.standard)
    found = float(ndtri(1 - TAIL) + ndtri(POWER)) * spread**0.5
    return found if found <= leaving else None
