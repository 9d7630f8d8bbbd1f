"""A shrunken linear correction that the trees may start from: straight trends cost trees hundreds of steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.logistic import Regression

Floats = npt.NDArray[np.float64]

RIDGE = 0.03  # penalty per row and squared standardised weight; on real shops anything from 0.01 to 0.3 did as well
SEEN = 0.01  # a column's extreme hundredths are too few to draw a trend by
_STEPS = 25
_STEP = 1e-10


@dataclass(frozen=True)
class LinearStart:
    """Log-odds that are added to the start model's. All but the intercept: one per model column, on signed logarithms.

    A value outside low to high counts as the nearer of the two, so that a trend is never drawn beyond what was seen.
    """

    intercept: float
    low: tuple[float, ...]
    high: tuple[float, ...]
    centre: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]

    def contributions(self, values: Floats) -> Floats:
        """(n, m) log-odds of each column against its average over the training rows."""
        return self._contributions(signed_logs(values))

    def log_odds(self, values: Floats) -> Floats:
        """(n,) intercept plus contributions."""
        return self.log_odds_of(signed_logs(values))

    def log_odds_of(self, logs: Floats) -> Floats:
        """The same of values that are `signed_logs` already."""
        return np.asarray(self.intercept + self._contributions(logs).sum(axis=1))

    def _contributions(self, logs: Floats) -> Floats:
        # Sums of a row depend, in the last digit, on how the rows lie in memory: always as in training.
        inside = np.clip(np.ascontiguousarray(logs), np.array(self.low), np.array(self.high))
        return np.asarray((inside - np.array(self.centre)) / np.array(self.scale) * np.array(self.weights))


def fit(values: Floats, start: Floats, labels: Floats) -> LinearStart:
    """Ridge logistic regression with the start log-odds as an offset; the intercept is free."""
    return fit_logs(signed_logs(values), start, labels)


def fit_logs(logs: Floats, start: Floats, labels: Floats) -> LinearStart:
    """The same of values that are `signed_logs` already."""
    low, high = np.quantile(logs, [SEEN, 1 - SEEN], axis=0)
    logs = np.clip(logs, low, high)
    centre, scale = logs.mean(axis=0), logs.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)  # a constant column has nothing to say, whatever its weight
    design = np.column_stack([np.ones(len(logs)), (logs - centre) / scale])
    ridge = np.full(design.shape[1], RIDGE * len(logs))
    ridge[0] = 0.0
    regression = Regression(design=design, labels=labels, start=np.zeros(design.shape[1]), ridge=ridge, offset=start)
    found = regression.fit(steps=_STEPS, tolerance=_STEP)
    return LinearStart(float(found[0]), *(tuple(each.tolist()) for each in (low, high, centre, scale, found[1:])))


def signed_logs(values: Floats) -> Floats:
    """Counts and money are skewed, changes have a sign; nulls get a value below every logarithm of a count."""
    logs = np.sign(values) * np.log1p(np.abs(values))
    return np.where(np.isnan(logs), -1.0, logs)
