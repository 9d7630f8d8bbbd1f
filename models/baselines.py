"""What the model must beat: recency alone, logistic regression, and BG/NBD."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from models import encoder
from models.linear import design
from models.logistic import one_thread
from models.matrix import Matrix

Floats = npt.NDArray[np.float64]

RECENCY = "days_since_last_order"


def baselines(train: Matrix, test: Matrix) -> dict[str, Floats]:
    """Name to (n,) probabilities at the test rows. A baseline whose columns are missing is left out."""
    coding = encoder.fit(train)
    learned, asked = (design(coding.encode(rows))[:, :-1] for rows in (train, test))
    column = [train.columns.index(RECENCY)] if RECENCY in train.columns else []
    recent = learned[:, column], asked[:, column]  # copies, since the others are overwritten
    found = {"logistic_regression": _logistic(learned, train, asked)}
    if column:
        found["recency"] = _logistic(recent[0], train, recent[1])
    if test.start.any():
        found["bg_nbd"] = np.asarray(expit(test.start), dtype=np.float64)
    return found


def _logistic(learned: Floats, train: Matrix, asked: Floats) -> Floats:
    """learned, asked: logarithms of the rows, which are overwritten: they are many."""
    scaler = StandardScaler(copy=False)
    regression = LogisticRegression(C=0.1, solver="newton-cholesky")
    with one_thread():
        regression.fit(
            scaler.fit(learned, sample_weight=train.weights).transform(learned), train.outcomes, train.weights
        )
        return np.asarray(regression.predict_proba(scaler.transform(asked))[:, 1], dtype=np.float64)
