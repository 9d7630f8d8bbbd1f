"""How good probabilities are, with intervals that know customers recur."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import logit

from models.logistic import Regression, one_thread

Floats = npt.NDArray[np.float64]

TOP_SHARE = 0.1
_EDGE = 1e-9
_STEP = 1e-9
_SINGULAR = 1e12


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


def metrics(labels: Floats, probabilities: Floats, weights: Floats | None = None) -> Metrics:
    """Metrics of probabilities (n,) in [0, 1] against outcomes (n,) of 0.0 and 1.0.

    weights: (n,) for how many like it each row stands, 1 unless given; rows and positives are then those stood for.
    """
    return _Judge(labels, probabilities).metrics(np.ones(len(labels)) if weights is None else weights)


def intervals(
    labels: Floats,
    probabilities: Floats,
    customers: npt.NDArray[np.object_],
    *,
    samples: int,
    seed: int,
    weights: Floats | None = None,
) -> dict[str, tuple[float, float]]:
    """95% bootstrap interval per metric; whole customers are drawn, with all their rows. weights: as in `metrics`."""
    found_at = paired(labels, (probabilities,), customers, samples=samples, seed=seed, weights=weights)
    drawn = [each.as_dict() for (each,) in found_at[1:]]
    found: dict[str, tuple[float, float]] = {}
    for name in drawn[0]:
        values = np.array([sample[name] for sample in drawn], dtype=np.float64)
        values = values[np.isfinite(values)]
        low, high = np.quantile(values, [0.025, 0.975]) if len(values) else (np.nan, np.nan)
        if name not in ("n", "positives"):
            found[name] = (float(low), float(high))
    return found


def paired(
    labels: Floats,
    models: tuple[Floats, ...],
    customers: npt.NDArray[np.object_],
    *,
    samples: int,
    seed: int,
    weights: Floats | None = None,
) -> list[tuple[Metrics, ...]]:
    """Metrics of several models' probabilities (n,), first on all rows, then `samples` times on customers drawn anew.

    Each draw is one for all models: what they have in common by chance goes out of their differences.
    """
    places, draws = redrawn(customers, samples=samples, seed=seed)
    judges = [_Judge(labels, probabilities) for probabilities in models]
    each = np.ones(len(labels)) if weights is None else weights
    found = [tuple(judge.metrics(each) for judge in judges)]
    for judge, of_all in zip(judges, found[0], strict=True):
        judge.search_near(of_all)
    found.extend(tuple(judge.metrics(times[places] * each) for judge in judges) for times in draws)
    return found


def redrawn(
    customers: npt.NDArray[np.object_], *, samples: int, seed: int
) -> tuple[npt.NDArray[np.int64], Iterator[Floats]]:
    """(n,) place of each row's customer, and `samples` times how often each of the m customers is drawn, (m,)."""
    _, places = np.unique(customers.astype(str), return_inverse=True)
    count, random = int(places.max(initial=-1)) + 1, np.random.default_rng(seed)
    draws = (np.bincount(random.integers(0, count, count), minlength=count) for _ in range(samples))
    return places, (times.astype(np.float64) for times in draws)


def log_losses(labels: Floats, probabilities: Floats) -> Floats:
    """(n,) log loss of each row; probabilities of 0 and 1 count as nearly so."""
    inside = np.clip(probabilities, _EDGE, 1 - _EDGE)
    return np.asarray(-np.where(labels > 0, np.log(inside), np.log1p(-inside)))


class _Judge:
    """Metrics of one set of rows under many weightings: what does not depend on the weights is computed once.

    A bootstrap of scikit-learn's functions takes ten times as long, most of it sorting the same rows again.
    """

    def __init__(self, labels: Floats, probabilities: Floats) -> None:
        self.order = np.argsort(-probabilities, kind="stable")
        self.labels, ranked = labels[self.order], probabilities[self.order]
        self.log_odds = logit(np.clip(ranked, _EDGE, 1 - _EDGE))
        self.log_losses = log_losses(self.labels, ranked)
        self.squares = (ranked - self.labels) ** 2
        # Rows of one probability are one level: their order among each other must not count.
        self.level_ends = np.flatnonzero(np.append(np.diff(ranked) != 0, True)) if len(ranked) else np.empty(0, int)
        self.design = np.column_stack([np.ones(len(ranked)), self.log_odds])
        self.start = np.array([0.0, 1.0])  # intercept and slope of probabilities that hold

    def search_near(self, found: Metrics) -> None:
        """Of other weightings of these rows the calibration is like this one's."""
        if np.isfinite(found.calibration_slope):
            self.start = np.array([found.calibration_intercept, found.calibration_slope])

    def metrics(self, weights: Floats) -> Metrics:
        with one_thread():  # which share a sum among them, and so decide its last digit
            return self._metrics(weights)

    def _metrics(self, weights: Floats) -> Metrics:
        weights = weights[self.order]
        total, positives = float(weights.sum()), float(weights @ self.labels)
        counts = round(total), round(positives)
        if not 0 < positives < total:
            return Metrics(*counts, *[float("nan")] * 8)
        hits = np.cumsum(weights * self.labels)[self.level_ends]
        taken = np.cumsum(weights)[self.level_ends]
        slope, intercept = self._calibration(weights)
        recall = float(np.interp(TOP_SHARE * total, np.append(0, taken), np.append(0, hits))) / positives
        return Metrics(
            *counts,
            roc_auc=float(
                np.trapezoid(np.append(0, hits), np.append(0, taken - hits)) / positives / (total - positives)
            ),
            pr_auc=float(np.diff(hits, prepend=0) @ (hits / np.maximum(taken, _EDGE)) / positives),
            log_loss=float(weights @ self.log_losses / total),
            brier=float(weights @ self.squares / total),
            calibration_slope=slope,
            calibration_intercept=intercept,
            top_decile_lift=recall / TOP_SHARE,
            top_decile_recall=recall,
        )

    def _calibration(self, weights: Floats) -> tuple[float, float]:
        """Logistic regression of the outcome on the log-odds, searched from `start`."""
        regression = Regression(design=self.design, labels=self.labels, start=self.start, weights=weights)
        # Singular: one probability for all, or outcomes that it separates perfectly.
        intercept, slope = regression.fit(steps=25, tolerance=_STEP, singular=_SINGULAR)
        return float(slope), float(intercept)
