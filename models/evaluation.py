"""How good probabilities are, with intervals that know customers recur."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

Floats = npt.NDArray[np.float64]

TOP_SHARE = 0.1
_EDGE = 1e-9


@dataclass(frozen=True)
class Metrics:
    """n rows and positives; the rest by the usual definitions. NaN where there is one class only.

    calibration_slope, calibration_intercept: logistic regression of the outcome on the predicted log-odds (Cox 1958); 1
    and 0 are perfect. top_decile_lift: share of churn among the tenth at most risk over the share among all;
    top_decile_recall: share of all churn found in that tenth.
    """

    n: int
    positives: int
    roc_auc: float
    pr_auc: float
    log_loss: float
    brier: float
    calibration_slope: float
    calibration_intercept: float
    top_decile_lift: float
    top_decile_recall: float

    def as_dict(self) -> dict[str, float | int]:
        return asdict(self)


def metrics(labels: Floats, probabilities: Floats, *, weights: Floats | None = None) -> Metrics:
    """Metrics of probabilities (n,) in [0, 1] against outcomes (n,) of 0.0 and 1.0."""
    weights = np.ones(len(labels)) if weights is None else weights
    total, positives = float(weights.sum()), float(weights @ labels)
    n, churned = round(total), round(positives)
    if not 0 < positives < total:
        nan = float("nan")
        return Metrics(n, churned, nan, nan, nan, nan, nan, nan, nan, nan)
    inside = np.clip(probabilities, _EDGE, 1 - _EDGE)
    slope = LogisticRegression(C=np.inf, max_iter=200).fit(logit(inside)[:, None], labels, sample_weight=weights)
    recall = _top_recall(labels, probabilities, weights)
    return Metrics(
        n=n,
        positives=churned,
        roc_auc=float(roc_auc_score(labels, probabilities, sample_weight=weights)),
        pr_auc=float(average_precision_score(labels, probabilities, sample_weight=weights)),
        log_loss=float(log_loss(labels, inside, sample_weight=weights)),
        brier=float(brier_score_loss(labels, probabilities, sample_weight=weights)),
        calibration_slope=float(slope.coef_[0, 0]),
        calibration_intercept=float(slope.intercept_[0]),
        top_decile_lift=recall / TOP_SHARE,
        top_decile_recall=recall,
    )


def intervals(
    labels: Floats, probabilities: Floats, customers: npt.NDArray[np.object_], *, samples: int, seed: int
) -> dict[str, tuple[float, float]]:
    """95% bootstrap interval per metric; whole customers are drawn, with all their rows."""
    _, places = np.unique(customers.astype(str), return_inverse=True)
    count, random = int(places.max(initial=-1)) + 1, np.random.default_rng(seed)
    drawn: list[dict[str, float | int]] = []
    for _ in range(samples):
        times = np.bincount(random.integers(0, count, count), minlength=count)
        drawn.append(metrics(labels, probabilities, weights=times[places].astype(np.float64)).as_dict())
    names = [name for name in Metrics.__dataclass_fields__ if name not in ("n", "positives")]
    found: dict[str, tuple[float, float]] = {}
    for name in names:
        values = np.array([sample[name] for sample in drawn], dtype=np.float64)
        values = values[np.isfinite(values)]
        low, high = np.quantile(values, [0.025, 0.975]) if len(values) else (np.nan, np.nan)
        found[name] = (float(low), float(high))
    return found


def _top_recall(labels: Floats, probabilities: Floats, weights: Floats) -> float:
    """Share of churn in the weighted tenth at most risk; equal probabilities share the place at the edge fairly."""
    levels, places = np.unique(-probabilities, return_inverse=True)
    weight = np.bincount(places, weights, minlength=len(levels))
    churn = np.bincount(places, weights * labels, minlength=len(levels))
    before = np.cumsum(weight) - weight
    taken = np.clip((TOP_SHARE * weights.sum() - before) / np.maximum(weight, _EDGE), 0, 1)
    return float((taken * churn).sum() / churn.sum())
