"""A ridge logistic regression on what the trees read, straight where they go in steps: the model's other member."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.logistic import Regression
from models.matrix import Matrix

Floats = npt.NDArray[np.float64]

RIDGE = 0.03  # penalty per row and squared standardised weight; on real shops anything from 0.01 to 0.3 did as well
SEEN = 0.01  # a column's extreme hundredths are too few to draw a trend by
_STEPS = 25
_STEP = 1e-10


@dataclass(frozen=True)
class Linear:
    """An intercept, and of each model column, and of the start log-odds behind them, one number each.

    A value outside low to high counts as the nearer of the two, so that a trend is never drawn beyond what was seen.
    """

    intercept: float
    low: tuple[float, ...]
    high: tuple[float, ...]
    centre: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]

    def log_odds(self, rows: Matrix) -> Floats:
        """(n,) intercept plus contributions."""
        return self.log_odds_of(design(rows))

    def contributions(self, rows: Matrix) -> tuple[Floats, Floats]:
        """(n, m) log-odds of each column, and (n,) of the start, each against its average over the training rows."""
        found = self._contributions(design(rows))
        return found[:, :-1], found[:, -1]

    def log_odds_of(self, logs: Floats) -> Floats:
        """The same of a `design`."""
        return np.asarray(self.intercept + self._contributions(logs).sum(axis=1))

    def _contributions(self, logs: Floats) -> Floats:
        # Sums of a row depend, in the last digit, on how the rows lie in memory: always as in training.
        inside = np.clip(np.ascontiguousarray(logs), np.array(self.low), np.array(self.high))
        return np.asarray((inside - np.array(self.centre)) / np.array(self.scale) * np.array(self.weights))


def fit(rows: Matrix) -> Linear:
    """Ridge logistic regression of the outcomes; the intercept is free."""
    return fit_design(design(rows), rows.outcomes)


def fit_design(logs: Floats, labels: Floats) -> Linear:
    """The same of a `design`."""
    low, high = np.quantile(logs, [SEEN, 1 - SEEN], axis=0)
    logs = np.clip(logs, low, high)
    centre, scale = logs.mean(axis=0), logs.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)  # a constant column has nothing to say, whatever its weight
    every = np.column_stack([np.ones(len(logs)), (logs - centre) / scale])
    ridge = np.full(every.shape[1], RIDGE * len(logs))
    ridge[0] = 0.0
    regression = Regression(design=every, labels=labels, start=np.zeros(every.shape[1]), ridge=ridge)
    found = regression.fit(steps=_STEPS, tolerance=_STEP)
    return Linear(float(found[0]), *(tuple(each.tolist()) for each in (low, high, centre, scale, found[1:])))


def design(rows: Matrix) -> Floats:
    """(n, m + 1) the columns as signed logarithms, and behind them the start, which is a logarithm already."""
    return np.column_stack([signed_logs(rows.values), rows.start])


def signed_logs(values: Floats) -> Floats:
    """Counts and money are skewed, changes have a sign; nulls get a value below every logarithm of a count."""
    logs = np.sign(values) * np.log1p(np.abs(values))
    return np.where(np.isnan(logs), -1.0, logs)
