"""Logistic regression by Newton's method: the one loop of every fit here that needs no library."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from threadpoolctl import ThreadpoolController

Floats = npt.NDArray[np.float64]

_BLAS = ThreadpoolController()


def one_thread() -> AbstractContextManager[object]:
    """A block in which BLAS works alone.

    The last digit of a product of matrices depends on how many threads share it, and a model's digits make its version.
    """
    limited: AbstractContextManager[object] = _BLAS.limit(limits=1, user_api="blas")
    return limited


@dataclass(frozen=True, kw_only=True)
class Regression:
    """Of (n,) labels, 0.0 or 1.0, on a (n, m) design whose columns are all there is: an intercept is one of them.

    start: (m,) where the search begins, and where nothing is penalised. ridge: (m,) penalty of each number, half of it
    times the squared distance from `start`. offset: log-odds known beforehand. weights: for how many a row counts.

    What is left at 0.0 and 1.0 changes no digit of the others: a model's digits make its version.
    """

    design: Floats
    labels: Floats
    start: Floats
    ridge: Floats | float = 0.0
    offset: Floats | float = 0.0
    weights: Floats | float = 1.0

    def fit(self, *, steps: int, tolerance: float, halving: bool = False, singular: float = np.inf) -> Floats:
        """(m,) numbers of the least loss, after at most so many steps or when none moves by `tolerance` any more.

        halving: halve a step that leads farther away, for designs that a whole step may overshoot. singular: all are
        NaN where the condition of the curvature is above it; not asked for unless given.
        """
        with one_thread():
            return self._fit(steps=steps, tolerance=tolerance, halving=halving, singular=singular)

    def _fit(self, *, steps: int, tolerance: float, halving: bool, singular: float) -> Floats:
        found, ridge = self.start, np.diag(np.broadcast_to(self.ridge, self.start.shape))
        for _ in range(steps):
            expected = expit(self.offset + self.design @ found)
            spread = self.weights * expected * (1 - expected)
            curvature = (self.design * spread[:, None]).T @ self.design + ridge
            if singular < np.inf:
                across = np.linalg.eigvalsh(curvature)
                if across[0] <= 0 or across[-1] > singular * across[0]:
                    return np.full(len(found), np.nan)
            missing = self.design.T @ (self.weights * (self.labels - expected))
            step = np.linalg.solve(curvature, missing - self.ridge * (found - self.start))
            while halving and np.abs(step).max() >= tolerance and self._loss(found + step) > self._loss(found):
                step = step / 2
            found = found + step
            if np.abs(step).max() < tolerance:
                break
        return found

    def _loss(self, at: Floats) -> float:
        odds = self.offset + self.design @ at
        losses = self.weights * (np.logaddexp(0, odds) - self.labels * odds)
        return float(losses.sum() + (self.ridge * (at - self.start) ** 2).sum() / 2)
