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
            known = self.shares[name]
            values[:, rows.columns.index(name)] = [known.get(text, self.mean) for text in texts]
        return replace(rows, values=values, categories={})


def fit(train: Matrix) -> Encoder:
    """Shares of churn, shrunk to the mean as by SHRINKAGE rows of it (Micci-Barreca 2001)."""
    if not train.categories:
        return Encoder()
    names = list(train.categories)
    texts = np.column_stack([train.categories[name] for name in names])
    found = TargetEncoder(target_type="binary", smooth=SHRINKAGE).fit(texts, train.outcomes)
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
        values[held_out] = fit(train.only(~held_out)).encode(train.only(held_out)).values
    return replace(train, values=values, categories={})
