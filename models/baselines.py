"""What the model must beat: recency alone, logistic regression, and BG/NBD."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models import encoder
from models.linear import signed_logs
from models.matrix import Matrix

Floats = npt.NDArray[np.float64]

RECENCY = "days_since_last_order"


def baselines(train: Matrix, test: Matrix) -> dict[str, Floats]:
    """Name to (n,) probabilities at the test rows. A baseline whose columns are missing is left out."""
    coding = encoder.fit(train)
    train, test = coding.encode(train), coding.encode(test)
    learned, asked = signed_logs(train.values), signed_logs(test.values)
    found = {"logistic_regression": _logistic(learned, train.outcomes, asked)}
    if RECENCY in train.columns:
        column = [train.columns.index(RECENCY)]
        found["recency"] = _logistic(learned[:, column], train.outcomes, asked[:, column])
    if test.start.any():
        found["bg_nbd"] = np.asarray(expit(test.start), dtype=np.float64)
    return found


def _logistic(train: Floats, labels: Floats, test: Floats) -> Floats:
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, solver="newton-cholesky"))
    return np.asarray(pipeline.fit(train, labels).predict_proba(test)[:, 1], dtype=np.float64)
