"""What the model must beat: recency alone, logistic regression, and BG/NBD."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models import encoder
from models.linear_start import signed_logs
from models.matrix import Matrix

Floats = npt.NDArray[np.float64]

RECENCY = "days_since_last_order"


def baselines(train: Matrix, test: Matrix) -> dict[str, Floats]:
    """Name to (n,) probabilities at the test rows. A baseline whose columns are missing is left out."""
    coding = encoder.fit(train)
    train, test = coding.encode(train), coding.encode(test)
    found = {"logistic_regression": _logistic(signed_logs(train.values), train.outcomes, signed_logs(test.values))}
    if RECENCY in train.columns:
        column = train.columns.index(RECENCY)
        recency = [signed_logs(rows.values)[:, [column]] for rows in (train, test)]
        found["recency"] = _logistic(recency[0], train.outcomes, recency[1])
    if test.start.any():
        found["bg_nbd"] = np.asarray(expit(test.start), dtype=np.float64)
    return found


def _logistic(train: Floats, labels: Floats, test: Floats) -> Floats:
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    return np.asarray(pipeline.fit(train, labels).predict_proba(test)[:, 1], dtype=np.float64)
