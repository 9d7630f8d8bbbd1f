"""From log-odds to probabilities that come true: Platt's two numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from models.logistic import one_thread

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Calibrator:
    """probability = 1 / (1 + exp(-(intercept + slope * log_odds))); (0, 1) changes nothing."""

    intercept: float
    slope: float

    def calibrated(self, log_odds: Floats) -> Floats:
        return np.asarray(self.intercept + self.slope * log_odds, dtype=np.float64)

    def probability(self, log_odds: Floats) -> Floats:
        return np.asarray(expit(self.calibrated(log_odds)), dtype=np.float64)


def fit(log_odds: Floats, labels: Floats, weights: Floats | None = None) -> Calibrator:
    """Least log loss over both numbers (Platt 1999), unpenalised; a slope below 0 becomes 0.

    Log-odds that rank worse than chance carry nothing, and turned around they would lower the risk of a customer for
    what is told as a reason of it.

    weights: for how many rows each one counts; None: for one.

    >>> fit(np.array([-2.0, -2.0, -2.0, 2.0, 2.0, 2.0]), np.array([0, 0, 1, 0, 1, 1])).slope < 1
    True
    """
    with one_thread():
        fitted = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000).fit(log_odds[:, None], labels, weights)
    if fitted.coef_[0, 0] < 0:
        return Calibrator(float(logit(np.average(labels, weights=weights))), 0.0)
    return Calibrator(float(fitted.intercept_[0]), float(fitted.coef_[0, 0]))
