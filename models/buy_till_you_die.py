"""A buy-till-you-die model: customers buy at their own rate until they silently leave.

BG/NBD of Fader, Hardie and Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2). Fitting it
needs no outcomes, so it knows the buying of the last days before a snapshot, which a model trained on outcomes cannot.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import betainc, betaln, expit, gammaln, hyp2f1, log_expit

from features.errors import TrainingError

Floats = npt.NDArray[np.float64]

_EPSILON = 1e-15  # what SciPy's function may be off by, and more where its arguments are large
_LARGE = 100.0
_SETTLED = 1e-14
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(257)

DAYS_PER_WEEK = 7.0  # fitted in weeks, as published: parameters near 1 are better conditioned


@dataclass(frozen=True)
class BuyingHistory:
    """Arrays of one entry per customer.

    frequency: order days after the first; recency: weeks from first to last order; age: weeks from first order to the
    snapshot.
    """

    frequency: Floats
    recency: Floats
    age: Floats

    @classmethod
    def from_days(cls, frequency: Floats, recency_days: Floats, age_days: Floats) -> BuyingHistory:
        return cls(frequency, recency_days / DAYS_PER_WEEK, age_days / DAYS_PER_WEEK)


@dataclass(frozen=True)
class BgNbd:
    """Buying rates are gamma (r, alpha, in weeks); after each order a customer leaves, with probability beta(a, b)."""

    r: float
    alpha: float
    a: float
    b: float

    def alive(self, history: BuyingHistory) -> Floats:
        """Probability of being still a customer at the snapshot; 1 for whoever ordered once (from the 2005 note)."""
        x = history.frequency
        # In logarithms: whoever bought daily for a year and then stopped for ten has odds beyond float64.
        ratio = np.log(self.alpha + history.age) - np.log(self.alpha + history.recency)
        having_left = np.log(self.a) - np.log(self.b + np.maximum(x, 1.0) - 1.0) + (self.r + x) * ratio
        return np.where(x > 0, expit(-having_left), 1.0)

    def no_order(self, history: BuyingHistory, *, horizon_days: float) -> Floats:
        """Probability of no order in the horizon: having left, or alive with none from an updated gamma rate."""
        weeks = horizon_days / DAYS_PER_WEEK
        stays_silent = ((self.alpha + history.age) / (self.alpha + history.age + weeks)) ** (self.r + history.frequency)
        return 1.0 - self.alive(history) * (1.0 - stays_silent)

    def expected_orders(self, history: BuyingHistory, *, horizon_days: float) -> Floats:
        """Expected order days in the horizon (2005 article, equation 10).

        The Gaussian hypergeometric function stands here after Euler's transformation: as published it overflows for a
        customer of a few hundred orders. Where it overflows even so, or what is left of a difference of equal numbers
        would be noise, the expectation is integrated.
        """
        weeks = horizon_days / DAYS_PER_WEEK
        orders, exact = self._closed(history, weeks)
        if not exact.all():
            orders[~exact] = self._integrated(
                BuyingHistory(history.frequency[~exact], history.recency[~exact], history.age[~exact]), weeks
            )
        return np.asarray(orders * self.alive(history), dtype=np.float64)

    def _closed(self, history: BuyingHistory, weeks: float) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Expected order days of whoever is still a customer, by the formula, and where it can be relied on."""
        x = history.frequency
        a = self.a
        # The formula has a removable pole at a = 1, and SciPy's function goes wrong where r - a is a whole number.
        if min(abs(a - 1.0), abs(self.r - a - round(self.r - a))) < 1e-6:
            return np.zeros_like(x), np.zeros(len(x), dtype=np.bool_)
        c = a + self.b + x - 1.0
        reach = self.alpha + history.age
        still = reach / (reach + weeks)
        with np.errstate(over="ignore", invalid="ignore"):
            taken = still ** (a - 1.0) * hyp2f1(c - self.r - x, a - 1.0, c, 1.0 - still)
            orders = np.asarray(c / (a - 1.0) * (1.0 - taken), dtype=np.float64)
            noise = _EPSILON * np.maximum(1.0, np.abs(taken)) * np.abs(c / (a - 1.0))
            most = (self.r + x) * weeks / reach  # of whoever never leaves
            exact = (orders > 0) & (orders <= most * (1.0 + 1e-9)) & (noise < 1e-8 * orders)
        return orders, exact & (max(self.a, self.b, self.r) < _LARGE) & (x < _LARGE)

    def _integrated(self, history: BuyingHistory, weeks: float) -> Floats:
        """The same as the mean over the probability p of leaving after an order, beta(a, b + x) of whoever is alive.

        Given p it is (1 - (reach / (reach + p * weeks)) ** (r + x)) / p. By Gauss and Legendre in log-odds of p; beyond
        odds where it no longer changes, which beta distributions of small parameters reach, by the share that is there.
        """
        shape, share = (self.r + history.frequency)[:, None], (weeks / (self.alpha + history.age))[:, None]
        low, high = self.a, (self.b + history.frequency)[:, None]
        middle, width = np.log(low) - np.log(high), np.sqrt(1.0 / low + 1.0 / high)
        first = np.maximum(middle - np.maximum(40.0 / low, 12.0 * width), np.log(_SETTLED / (shape * share)))
        last = np.minimum(middle + np.maximum(40.0 / high, 12.0 * width), -np.log(_SETTLED))
        half = np.maximum(last - first, 0.0) / 2.0
        odds = first + half * (1.0 + _NODES)
        p = expit(odds)
        given = -np.expm1(-shape * np.log1p(p * share)) / p
        logs = low * log_expit(odds) + high * log_expit(-odds) - betaln(low, high)
        between = (half * _WEIGHTS * np.exp(logs) * given).sum(axis=1, keepdims=True)
        below = betainc(low, high, expit(first)) * shape * share
        above = betainc(high, low, expit(-first - 2.0 * half)) * -np.expm1(-shape * np.log1p(share))
        return np.asarray((between + below + above)[:, 0], dtype=np.float64)


def fit(history: BuyingHistory) -> BgNbd:
    """Maximum likelihood over customers. Raises TrainingError where nobody ever came back."""
    if not (history.frequency > 0).any():
        raise TrainingError(
            "no customer has ordered on two days: a buying rhythm cannot be learnt; set start_model = false"
        )
    rows, counts = np.unique(
        np.column_stack([history.frequency, history.recency, history.age]), axis=0, return_counts=True
    )
    x, recency, age = rows.T
    weights = counts / counts.sum()

    def loss(logs: Floats) -> float:
        r, alpha, a, b = np.exp(logs)
        silent = -(r + x) * np.log(alpha + age)
        left = np.log(a) - np.log(b + np.maximum(x, 1.0) - 1.0) - (r + x) * np.log(alpha + recency)
        ends = np.where(x > 0, np.logaddexp(silent, left), silent)
        likelihood = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b) + ends
        # The weak pull towards 1 only matters where the data leave a parameter undetermined.
        return float(-weights @ likelihood + 1e-6 * (logs @ logs))

    found = minimize(loss, np.zeros(4), method="L-BFGS-B", bounds=[(-12.0, 12.0)] * 4)
    return BgNbd(*(float(value) for value in np.exp(found.x)))
