"""Pareto/NBD: customers buy at their own rate, and leave at any time at their own rate, not only after an order.

Schmittlein, Morrison and Colombo (1987), Counting Your Customers, Management Science 33(1). The likelihood is that of
Fader and Hardie (2005), A Note on Deriving the Pareto/NBD Model, before its integrals are put into hypergeometric
functions: here they are summed by Gauss and Legendre. No library that is kept up offers it without a sampler.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import gammaln

from models.buy_till_you_die import DAYS_PER_WEEK, BuyingHistory

Floats = npt.NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)
_SETTLED = 40.0  # beyond this exponent nothing is left that a sum of float64 would notice
_BOUND = 6.0  # logarithms of parameters, fitted in weeks, stay within this


@dataclass(frozen=True)
class ParetoNbd:
    """Buying rates are gamma (r, alpha), rates of leaving are gamma (s, beta), both in weeks."""

    r: float
    alpha: float
    s: float
    beta: float

    def log_likelihood(self, history: BuyingHistory) -> Floats:
        """(n,) logarithm of each customer's likelihood."""
        x = history.frequency
        buying = gammaln(self.r + x) - gammaln(self.r) + self.r * np.log(self.alpha)
        return np.asarray(buying + np.logaddexp(self._here(history), self._left(history)), dtype=np.float64)

    def alive(self, history: BuyingHistory) -> Floats:
        """(n,) probability of being still a customer at the snapshot."""
        here = self._here(history)
        return np.exp(here - np.logaddexp(here, self._left(history)))

    def no_order(self, history: BuyingHistory, *, horizon_days: float) -> Floats:
        """(n,) probability of no order in the horizon.

        A next order u weeks after the snapshot, from somebody who is there until then, has the mean density
        (r + x) alpha^r beta^s / (alpha + T + u)^(r + x + 1) / (beta + T + u)^s, in units of the likelihood; it is
        summed over the horizon.
        """
        x, weeks = history.frequency[:, None], horizon_days / DAYS_PER_WEEK
        later = history.age[:, None] + weeks * (1 + _NODES) / 2
        density = -(self.r + x + 1) * np.log(self.alpha + later) - self.s * np.log1p(later / self.beta)
        whole = np.logaddexp(self._here(history), self._left(history))
        ordered = (self.r + history.frequency) * weeks / 2 * (np.exp(density - whole[:, None]) @ _WEIGHTS)
        return np.asarray(np.clip(1 - ordered, 0.0, 1.0), dtype=np.float64)

    def _here(self, history: BuyingHistory) -> Floats:
        """(n,) log likelihood of the orders and of being there at the snapshot, without what both ends share."""
        reach = np.log(self.alpha + history.age)
        return np.asarray(-(self.r + history.frequency) * reach - self.s * np.log1p(history.age / self.beta))

    def _left(self, history: BuyingHistory) -> Floats:
        """(n,) the same of the orders and of having left since the last one, whenever that was.

        The integral over the moment y of leaving, s beta^s (alpha + y)^-(r + x) (beta + y)^-(s + 1), is taken in
        logarithms of alpha + y, where it falls no faster than an exponential.
        """
        shape = (self.r + history.frequency)[:, None]
        first, last = (np.log(self.alpha + each)[:, None] for each in (history.recency, history.age))
        half = np.minimum(last - first, _SETTLED / shape) / 2
        at = first + half * (1 + _NODES)
        since = np.maximum(np.exp(at) - self.alpha, 0.0)
        logs = (1 - shape) * (at - first) - (self.s + 1) * np.log1p(since / self.beta)
        total = (half * np.exp(logs)) @ _WEIGHTS
        with np.errstate(divide="ignore"):  # whoever ordered last at the snapshot had no time to leave
            return np.asarray(((1 - shape) * first)[:, 0] + np.log(self.s / self.beta) + np.log(total))


def fit(history: BuyingHistory) -> ParetoNbd:
    """Maximum likelihood over customers."""
    rows, counts = np.unique(
        np.column_stack([history.frequency, history.recency, history.age]), axis=0, return_counts=True
    )
    alike, weights = BuyingHistory(*rows.T), counts / counts.sum()

    def loss(logs: Floats) -> float:
        # The weak pull towards 1 only matters where the data leave a parameter undetermined, as in BG/NBD.
        return float(-weights @ ParetoNbd(*np.exp(logs)).log_likelihood(alike) + 1e-6 * (logs @ logs))

    found = minimize(loss, np.zeros(4), method="L-BFGS-B", bounds=[(-_BOUND, _BOUND)] * 4)
    return ParetoNbd(*(float(value) for value in np.exp(found.x)))
