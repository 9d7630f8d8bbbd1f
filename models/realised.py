"""What came of past probabilities: figures with intervals, and whether they are clearly worse than was promised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models import evaluation
from models.segments import of_customers

Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.object_]

RATIO = "observed_over_expected"


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """How much worse than promised is still tolerable. calibration: distance from 1 of slope, and of RATIO."""

    log_loss: float
    roc_auc: float
    calibration: float


def realised(
    labels: Floats,
    probabilities: Floats,
    customers: Texts,
    *,
    samples: int,
    seed: int,
    weights: Floats | None = None,
) -> dict[str, Any]:
    """Metrics of (n,) probabilities whose outcomes are known, RATIO (1 is perfect), and 95% `intervals` of all.

    Whole customers are drawn, since rows of one are not independent. weights: for how many like it each row stands.
    """
    figures: dict[str, Any] = asdict(evaluation.metrics(labels, probabilities, weights))
    intervals = (
        evaluation.intervals(labels, probabilities, customers, samples=samples, seed=seed, weights=weights)
        if len(labels)
        else {}
    )
    each = np.ones(len(labels)) if weights is None else weights
    ratio, low, high = observed_over_expected(
        each * labels, each * probabilities, customers, samples=samples, seed=seed
    )
    figures |= {"expected": float(each @ probabilities), RATIO: ratio}
    return figures | {"intervals": {name: list(found) for name, found in intervals.items()} | {RATIO: [low, high]}}


def observed_over_expected(
    labels: Floats, probabilities: Floats, customers: Texts, *, samples: int, seed: int
) -> tuple[float, float, float]:
    """Outcomes that happened over those expected, with a 95% interval; NaN where nothing was expected.

    Draws in which nothing is expected have no ratio, and are left out of the interval.
    """
    if not len(labels) or not probabilities.sum() > 0:
        return float("nan"), float("nan"), float("nan")
    drawn, everyone = of_customers(customers, samples=samples, seed=seed), np.ones(len(labels), dtype=np.bool_)
    happened, expected = drawn.sums(labels, everyone), drawn.sums(probabilities, everyone)
    ratios = happened[1:][expected[1:] > 0] / expected[1:][expected[1:] > 0]
    low, high = np.quantile(ratios, [0.025, 0.975]) if len(ratios) else (float("nan"), float("nan"))
    return float(happened[0] / expected[0]), float(low), float(high)


def promised(folds: Sequence[Mapping[str, Any]], part: str) -> dict[str, float | None]:
    """The worst log loss and ROC AUC among a backtest's folds: as bad had been seen before, and was accepted.

    part: "model" for all customers, or "untreated". None where no fold could tell.
    """
    losses, areas = (
        [fold[part][name] for fold in folds if fold[part].get(name) is not None] for name in ("log_loss", "roc_auc")
    )
    return {"log_loss": max(losses, default=None), "roc_auc": min(areas, default=None)}


def clearly_worse(
    figures: Mapping[str, Any], promise: Mapping[str, float | None], tolerance: Tolerance
) -> tuple[str, ...]:
    """Names of figures whose whole interval is worse than was promised, by more than is tolerable.

    >>> figures = {"intervals": {"log_loss": [0.25, 0.3], "roc_auc": [0.6, 0.7], "calibration_slope": [0.9, 1.1]}}
    >>> tolerance = Tolerance(log_loss=0.01, roc_auc=0.02, calibration=0.2)
    >>> clearly_worse(figures, {"log_loss": 0.2, "roc_auc": 0.71}, tolerance)
    ('log_loss',)
    """
    found = []
    for name, margin, sign in (("log_loss", tolerance.log_loss, 1.0), ("roc_auc", tolerance.roc_auc, -1.0)):
        low, high = _interval(figures, name)
        limit = promise.get(name)
        nearest = low if sign > 0 else high
        if limit is not None and sign * (nearest - limit) > margin:
            found.append(name)
    for name in ("calibration_slope", RATIO):
        low, high = _interval(figures, name)
        if low > 1 + tolerance.calibration or high < 1 - tolerance.calibration:
            found.append(name)
    return tuple(found)


def _interval(figures: Mapping[str, Any], name: str) -> tuple[float, float]:
    low, high = figures["intervals"].get(name) or (None, None)
    return (float("nan") if low is None else low), (float("nan") if high is None else high)
