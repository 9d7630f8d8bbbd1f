"""Categories as numbers: the share of churn within each category, shrunk to the mean where it has few customers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from sklearn.preprocessing import TargetEncoder

from models.matrix import Matrix

Floats = npt.NDArray[np.float64]

# Rows of one customer at many snapshots count nearly once; scikit-learn's own choice leaves single rows unshrunk.
SHRINKAGE = 100.0


@dataclass(frozen=True)
class Encoder:
    """mean: share of churn over all training rows, which an unseen category gets; shares: column, category, share."""

    mean: float = 0.0
    shares: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def encode(self, rows: Matrix) -> Matrix:
        """The rows with every category as a number."""
        if not rows.categories:
            return rows
        values = rows.values.copy()
        for name, texts in rows.categories.items():
            values[:, rows.columns.index(name)] = self.numbers(name, texts)
        return replace(rows, values=values, categories={})

    def numbers(self, name: str, texts: npt.NDArray[np.object_]) -> Floats:
        """(n,) what stands for the categories of a column."""
        known = self.shares[name]
        return np.array([known.get(text, self.mean) for text in texts], dtype=np.float64)


def fit(train: Matrix, rows: npt.NDArray[np.bool_] | None = None) -> Encoder:
    """Shares of churn, shrunk to the mean as by SHRINKAGE rows of it (Micci-Barreca 2001). rows: (n,) None: all.

    Where rows stand for others that were left out, shares are of the rows that are there: higher throughout, which the
    members make nothing of, since they are calibrated after it.
    """
    if not train.categories:
        return Encoder()
    names, some = list(train.categories), np.ones(len(train), dtype=np.bool_) if rows is None else rows
    texts = np.column_stack([train.categories[name][some] for name in names])
    found = TargetEncoder(target_type="binary", smooth=SHRINKAGE).fit(texts, train.outcomes[some])
    shares = {
        name: dict(zip(map(str, categories), map(float, encodings), strict=True))
        for name, categories, encodings in zip(names, found.categories_, found.encodings_, strict=True)
    }
    return Encoder(float(found.target_mean_), shares)


def cross_fitted(train: Matrix, folds: npt.NDArray[np.int64]) -> Matrix:
    """Training rows, each encoded by an encoder that did not see its customer.

    Otherwise trees would read a customer's own outcome back.

    folds: (n,) fold of each row; all rows of a customer are in one.
    """
    if not train.categories:
        return train
    values = train.values.copy()
    for fold in np.unique(folds):
        held_out = folds == fold
        others = fit(train, ~held_out)
        for name, texts in train.categories.items():
            values[held_out, train.columns.index(name)] = others.numbers(name, texts[held_out])
    return replace(train, values=values, categories={})
