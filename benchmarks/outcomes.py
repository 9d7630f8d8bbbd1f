"""Each outcome's probabilities on simulated companies: whether they hold, on the folds of a backtest together.

Everything here is simulated.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import simulated
from benchmarks.report import Report
from features.outcomes import BY_REASON, Kind
from models import by_reason, evaluation
from models.evaluation import Metrics
from pipelines.prediction.training.backtest import all_predictions, backtest
from pipelines.prediction.training.task import tasks_of

MONTHS, FOLDS, SAMPLES = 36, 6, 200
KEY = ["customer_id", "snapshot_on"]
TOLD = "churn_probability"  # the column of whatever is predicted, as a backtest names it
SLOPES = (0.9, 1.1)
COLUMNS = ("outcome", "happened", "calibration slope", "95%", "of each company", "intercept", "log loss")


@dataclass(frozen=True)
class Calibration:
    """Of one outcome, all folds together. slope: its 95% interval. of_each: the slope of each company alone."""

    metrics: Metrics
    slope: tuple[float, float]
    of_each: tuple[float, ...]


def promise(report: Report, folder: Path, *, customers: int, seeds: Sequence[int]) -> None:
    """The calibration slope of each outcome, over companies of all seeds together."""
    companies = []
    for seed in seeds:
        place = folder / f"outcomes-{seed}"
        simulated.company(place, customers=customers, months=MONTHS, seed=seed)
        companies.append(predicted(place))
        print(f"company of seed {seed} tested", file=sys.stderr, flush=True)
    lines, documents = [], {}
    for kind in companies[0]:
        found = calibration([company[kind] for company in companies])
        metrics, (low, high) = found.metrics, found.slope
        each = ", ".join(f"{slope:.2f}" for slope in found.of_each)
        slope, intercept = metrics.calibration_slope, metrics.calibration_intercept
        lines.append(
            [
                *(kind, f"{metrics.positives:,}", f"{slope:.3f}", f"{low:.2f} to {high:.2f}", each),
                *(f"{intercept:+.3f}", f"{metrics.log_loss:.5f}"),
            ]
        )
        documents[kind] = {**metrics.as_dict(), "slope_interval": [low, high], "slope_of_each": list(found.of_each)}
        for bound, at_least in zip(SLOPES, (True, False), strict=True):
            report.row(f"simulated {kind}: calibration slope", slope, bound, at_least=at_least)
    told = f"{len(seeds)} simulated companies of {customers:,} customers, {FOLDS} test days each"
    report.table(told, COLUMNS, lines, {"set": told, "seeds": list(seeds), "outcomes": documents})


def predicted(folder: Path) -> dict[Kind, pd.DataFrame]:
    """Of each outcome customer_id, snapshot_on, label and churn_probability, as they are handed over."""
    found: dict[Kind, pd.DataFrame] = {}
    for task in tasks_of(simulated.landed(folder, folds=FOLDS)):
        predictions = all_predictions(task.store, backtest(task))
        if predictions is not None:
            found[task.kind] = predictions[[*KEY, "label", TOLD]]
    return handed_over(found)


def handed_over(found: Mapping[Kind, pd.DataFrame]) -> dict[Kind, pd.DataFrame]:
    """The same, with both ways of leaving split from leaving itself on the days that all three were tested on."""
    if not {"churn", *BY_REASON} <= found.keys():
        return dict(found)
    ways = [found[kind].set_index(KEY)[TOLD] for kind in ("churn", *BY_REASON)]
    together = pd.concat(ways, axis=1, join="inner", keys=("churn", *BY_REASON))
    split = by_reason.split(*(together[kind].to_numpy() for kind in together.columns))
    told = dict(found)
    for kind, probabilities in zip(BY_REASON, split, strict=True):
        labels = found[kind].set_index(KEY)["label"].reindex(together.index)
        told[kind] = pd.DataFrame({"label": labels, TOLD: probabilities}).reset_index()
    return told


def calibration(companies: Sequence[pd.DataFrame]) -> Calibration:
    """Of one outcome, companies together: nobody is a customer of two, whatever the ids."""
    labels, told = (
        np.concatenate([each[name].to_numpy(dtype=np.float64) for each in companies]) for name in ("label", TOLD)
    )
    customers = np.concatenate(
        [(f"{number} " + each["customer_id"].astype(str)).to_numpy(object) for number, each in enumerate(companies)]
    )
    intervals = evaluation.intervals(labels, told, customers, samples=SAMPLES, seed=0)
    return Calibration(
        evaluation.metrics(labels, told),
        intervals["calibration_slope"],
        tuple(
            evaluation.metrics(each["label"].to_numpy(dtype=np.float64), each[TOLD].to_numpy()).calibration_slope
            for each in companies
        ),
    )
