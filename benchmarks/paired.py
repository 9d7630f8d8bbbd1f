"""Methods beside ours on the same customers and days: each day's figures, their means, and what chance does to both."""

from __future__ import annotations

from typing import TypedDict

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.methods import OURS
from models import evaluation

Floats = npt.NDArray[np.float64]

SAMPLES, SEED = 400, 0
COMPARED = ("roc_auc", "log_loss")
FIGURES = (*COMPARED, "calibration_slope", "calibration_intercept")
NOT_METHODS = ("customer_id", "snapshot_on", "label")
SIZE = "calibration_intercept_size"


class Judged(TypedDict):
    """One method on one day, or over all of them.

    figures: FIGURES; of all days their means, and SIZE, the mean size of the intercept. less_ours: of COMPARED, the
    figure less ours, and its 95% interval's low and high.
    """

    figures: dict[str, float]
    less_ours: dict[str, tuple[float, float, float]]


class Day(TypedDict):
    """A test day: how many were asked about, to how many it happened, and each method on it."""

    snapshot_on: str
    rows: int
    positives: int
    methods: dict[str, Judged]


class Compared(TypedDict):
    """Ours first in both; days from old to new."""

    methods: dict[str, Judged]
    days: list[Day]


def compared(predictions: pd.DataFrame, *, samples: int = SAMPLES) -> Compared:
    """Every method beside ours.

    predictions: customer_id, snapshot_on, label, and a column of probabilities of each method. Whole customers are
    drawn anew with their rows of all days, one draw for all methods: what they have in common by chance goes out of
    their differences, and days that share customers do not count as if each had others.
    """
    methods = [name for name in predictions.columns if name not in NOT_METHODS]
    methods.sort(key=lambda name: name != OURS)
    places, draws = evaluation.redrawn(predictions["customer_id"].to_numpy(dtype=object), samples=samples, seed=SEED)
    labels, of_day = predictions["label"].to_numpy(dtype=np.float64), predictions.groupby("snapshot_on").indices
    told = {name: predictions[name].to_numpy(dtype=np.float64) for name in methods}
    ranked = {name: [_Ranked(labels[rows], told[name][rows]) for rows in of_day.values()] for name in methods}
    drawn = np.empty((samples, len(methods), len(of_day), len(COMPARED)))
    for sample, times in enumerate(draws):
        for method, name in enumerate(methods):
            for day, rows in enumerate(of_day.values()):
                drawn[sample, method, day] = ranked[name][day].figures(times[places[rows]])
    apart = drawn - drawn[:, :1]
    figures = {name: [_figures(labels[rows], told[name][rows]) for rows in of_day.values()] for name in methods}
    days: list[Day] = [
        {
            "snapshot_on": str(snapshot_on),
            "rows": len(rows),
            "positives": int(labels[rows].sum()),
            "methods": {
                name: _judged(figures[name][day], figures[OURS][day], apart[:, method, day])
                for method, name in enumerate(methods)
            },
        }
        for day, (snapshot_on, rows) in enumerate(of_day.items())
    ]
    means = {name: _means(figures[name]) for name in methods}
    over_all = {
        name: _judged(means[name], means[OURS], apart[:, method].mean(axis=1)) for method, name in enumerate(methods)
    }
    return {"methods": over_all, "days": days}


def _figures(labels: Floats, probabilities: Floats) -> dict[str, float]:
    found = evaluation.metrics(labels, probabilities).as_dict()
    return {name: float(found[name]) for name in FIGURES}


def _means(days: list[dict[str, float]]) -> dict[str, float]:
    means = {name: float(np.mean([day[name] for day in days])) for name in FIGURES}
    return {**means, SIZE: float(np.mean([abs(day["calibration_intercept"]) for day in days]))}


def _judged(mine: dict[str, float], ours: dict[str, float], apart: Floats) -> Judged:
    low, high = np.nanquantile(apart, [0.025, 0.975], axis=0)
    less = {
        name: (mine[name] - ours[name], float(low[place]), float(high[place])) for place, name in enumerate(COMPARED)
    }
    return {"figures": mine, "less_ours": less}


class _Ranked:
    """Rows of one day from the likeliest to the least: what figures of many draws share is computed once."""

    def __init__(self, labels: Floats, probabilities: Floats) -> None:
        self.order = np.argsort(-probabilities, kind="stable")
        ranked, self.labels = probabilities[self.order], labels[self.order]
        # Rows of one probability are one step of the curve: their order among each other must not count.
        self.ends = np.flatnonzero(np.append(np.diff(ranked) != 0, True))
        self.losses = evaluation.log_losses(self.labels, ranked)

    def figures(self, weights: Floats) -> tuple[float, float]:
        """COMPARED, each row counting so often."""
        weights = weights[self.order]
        hits, taken = (np.append(0.0, np.cumsum(each)[self.ends]) for each in (weights * self.labels, weights))
        missed = taken - hits
        area = np.trapezoid(hits, missed) / (hits[-1] * missed[-1]) if hits[-1] * missed[-1] > 0 else np.nan
        return float(area), float(weights @ self.losses / taken[-1])
