"""Logistic regression by Newton's method: the one loop of every fit here that needs no library."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from threadpoolctl import ThreadpoolController

Floats = npt.NDArray[np.float64]

_BLAS = ThreadpoolController()
_BLOCK = 1 << 14  # rows whose part of the curvature is added up at once


class Design(Protocol):
    """(n, m) numbers, of which blocks of rows are asked for: an array, or what makes them as they are asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice, /) -> Floats: ...


def blocks(rows: int) -> list[slice]:
    """So many rows, a block at a time: what is made of a block takes little memory, however many there are."""
    return [slice(start, min(rows, start + _BLOCK)) for start in range(0, rows, _BLOCK)]


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

    design: Design
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
            curvature, missing = self._slopes(found)
            curvature += ridge
            if singular < np.inf:
                across = np.linalg.eigvalsh(curvature)
                if across[0] <= 0 or across[-1] > singular * across[0]:
                    return np.full(len(found), np.nan)
            step = np.linalg.solve(curvature, missing - self.ridge * (found - self.start))
            while halving and np.abs(step).max() >= tolerance and self._loss(found + step) > self._loss(found):
                step = step / 2
            found = found + step
            if np.abs(step).max() < tolerance:
                break
        return found

    def _slopes(self, at: Floats) -> tuple[Floats, Floats]:
        """Curvature (m, m) and slope (m,) of the log loss, turned around."""
        curvature, missing = np.zeros((len(at), len(at))), np.zeros(len(at))
        for design, labels, offset, weights in self._blocks():
            expected = expit(offset + design @ at)
            spread = weights * expected * (1 - expected)
            curvature += (design * spread[:, None]).T @ design
            missing += design.T @ (weights * (labels - expected))
        return curvature, missing

    def _loss(self, at: Floats) -> float:
        losses = 0.0
        for design, labels, offset, weights in self._blocks():
            odds = offset + design @ at
            losses += float((weights * (np.logaddexp(0, odds) - labels * odds)).sum())
        return losses + float((self.ridge * (at - self.start) ** 2).sum() / 2)

    def _blocks(self) -> Iterator[tuple[Floats, Floats, Floats, Floats]]:
        offset, weights = (np.broadcast_to(each, self.labels.shape) for each in (self.offset, self.weights))
        for rows in blocks(len(self.design)):
            yield self.design[rows], self.labels[rows], offset[rows], weights[rows]
