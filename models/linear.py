"""A ridge logistic regression on what the trees read, straight where they go in steps: the model's other member."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.logistic import Design, Regression, blocks
from models.matrix import Matrix

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

RIDGE = 0.03  # penalty per row and squared standardised weight; on real shops anything from 0.01 to 0.3 did as well
SEEN = 0.01  # a column's extreme hundredths are too few to draw a trend by
_STEPS = 25
_STEP = 1e-10
_AT_ONCE = 1 << 29  # bytes


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
        found = np.empty(len(logs))
        for rows in blocks(len(logs)):
            found[rows] = self.intercept + self._contributions(logs[rows]).sum(axis=1)
        return found

    def _contributions(self, logs: Floats) -> Floats:
        # Sums of a row depend, in the last digit, on how the rows lie in memory: always as in training.
        inside = np.clip(np.ascontiguousarray(logs), np.array(self.low), np.array(self.high))
        return np.asarray((inside - np.array(self.centre)) / np.array(self.scale) * np.array(self.weights))


def fit(logs: Floats, labels: Floats, counts: Floats, learned: Flags | None = None) -> Linear:
    """Ridge logistic regression of (n,) labels on their `design`; the intercept is free.

    counts: (n,) for how many rows each counts. learned: (n,) from which rows; None: from all.
    """
    places = np.arange(len(logs)) if learned is None else np.flatnonzero(learned)
    labels, counts = labels[places], counts[places]
    bounds = [np.quantile(logs[places, column], [SEEN, 1 - SEEN]) for column in range(logs.shape[1])]
    low, high = np.array(bounds).T
    inside = _made(len(places), lambda rows: np.clip(logs[places[rows]], low, high), columns=len(low))
    centre = sum(counts[rows] @ inside[rows] for rows in blocks(len(places))) / counts.sum()
    spread = sum(counts[rows] @ (inside[rows] - centre) ** 2 for rows in blocks(len(places))) / counts.sum()
    scale = np.where(high > low, np.sqrt(spread), 1.0)  # a constant column has nothing to say, whatever its weight

    def standardised(rows: slice) -> Floats:
        found = (inside[rows] - centre) / scale
        return np.column_stack([np.ones(len(found)), found])

    every = _made(len(places), standardised, columns=len(low))
    ridge = np.full(len(low) + 1, RIDGE * counts.sum())
    ridge[0] = 0.0
    regression = Regression(design=every, labels=labels, start=np.zeros(len(ridge)), ridge=ridge, weights=counts)
    found = regression.fit(steps=_STEPS, tolerance=_STEP)
    return Linear(float(found[0]), *(tuple(each.tolist()) for each in (low, high, centre, scale, found[1:])))


@dataclass(frozen=True)
class _Blocks:
    """Rows of a design that are made as they are asked for: so many that they would not fit beside the others."""

    rows: int
    make: Callable[[slice], Floats]

    def __len__(self) -> int:
        return self.rows

    def __getitem__(self, rows: slice) -> Floats:
        return self.make(rows)


def _made(rows: int, make: Callable[[slice], Floats], *, columns: int) -> Design:
    """The design that `make` gives of a block: at once where it is small, since Newton's method asks for it often."""
    return make(slice(0, rows)) if 8 * rows * columns <= _AT_ONCE else _Blocks(rows, make)


def design(rows: Matrix) -> Floats:
    """(n, m + 1) the columns as signed logarithms, and behind them the start, which is a logarithm already."""
    found = np.empty((len(rows), len(rows.columns) + 1))
    for block in blocks(len(rows)):
        found[block, :-1] = signed_logs(rows.values[block])
    found[:, -1] = rows.start
    return found


def signed_logs(values: Floats) -> Floats:
    """Counts and money are skewed, changes have a sign; nulls get a value below every logarithm of a count."""
    logs = np.sign(values) * np.log1p(np.abs(values))
    return np.where(np.isnan(logs), -1.0, logs)
