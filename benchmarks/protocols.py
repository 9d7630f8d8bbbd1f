"""Ours beside other methods on the real data sets, over several test days each: means, and what chance does to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks import workspaces
from benchmarks.report import Report
from models import encoder, evaluation
from models.matrix import Matrix
from pipelines.data.snapshots.learned import learned_rows
from pipelines.prediction.training.backtest import all_predictions, backtest
from pipelines.prediction.training.task import PredictionTask, main_task

Floats = npt.NDArray[np.float64]

FOLDS = 6
OURS, BY_HAND = "ours", "lightgbm_by_hand"
SAMPLES, SEED = 100, 0
# As somebody would set it who has an hour: LightGBM's own defaults, but for small steps and as many as they take.
HAND_MADE = {
    "objective": "binary",
    "learning_rate": 0.03,
    "verbosity": -1,
    "deterministic": True,
    "force_col_wise": True,
}
HAND_MADE_ROUNDS = 150
FIGURES = ("roc_auc", "log_loss", "calibration_intercept")


@dataclass(frozen=True)
class Protocol:
    """A data set, what is asked of it, and how far apart its test days are. make: writes its workspace."""

    name: str
    every_days: int
    make: Callable[[Path], object]


@dataclass(frozen=True)
class Judged:
    """The means of one method over all test days, and how much better than ours it is: low and high, 95%.

    figures: of each of FIGURES its mean, that of the intercept by its size. against: of ROC AUC and log loss.
    """

    method: str
    figures: dict[str, float]
    against: dict[str, tuple[float, float]]


def protocols(data: Path) -> Iterator[Protocol]:
    """Those whose data are there. data: the folder of the data sets that do not ship."""
    for days, as_of, apart in (
        (181, date(1998, 1, 1), 14),  # half a year of 18 months: what comes before has matured for few days only
        (91, date(1998, 3, 29), 28),
        (56, date(1998, 5, 3), 28),
    ):

        def cdnow(folder: Path, days: int = days, as_of: date = as_of) -> None:
            workspaces.cdnow_within(folder, days, as_of)

        yield Protocol(f"CDNOW, {days} days", apart, cdnow)
    for years, apart, said in ((1, 14, "2010-11"), (2, 28, "2009-11")):

        def shop(folder: Path, years: int = years) -> None:
            workspaces.online_retail_of(folder, data, years=years)

        there = ("online_retail_2010_2011", "online_retail_2009_2010")[:years]
        if all((data / each).is_dir() for each in there):
            yield Protocol(f"Online Retail {said}", apart, shop)


def promise(report: Report, folder: Path, data: Path) -> None:
    """The figures of every method in every protocol. Nothing is promised of them: a change is held to them."""
    for number, protocol in enumerate(protocols(data)):
        place = folder / f"protocol-{number}"
        protocol.make(place)
        predictions = predicted(main_task(workspaces.opened(place, folds=FOLDS, every_days=protocol.every_days)))
        days = predictions["snapshot_on"].unique()
        report.note(f"{protocol.name}: means over {', '.join(days)}; {len(predictions):,} rows of customers")
        for each in judged(predictions):
            told = f"ROC AUC {each.figures['roc_auc']:.4f}, log loss {each.figures['log_loss']:.4f}"
            size = f", size of the calibration's intercept {each.figures['calibration_intercept']:.3f}"
            beside = "" if each.method == OURS else _difference(each)
            report.shown(f"{protocol.name}: {each.method}", told + size, beside)


def _difference(each: Judged) -> str:
    auc, loss = each.against["roc_auc"], each.against["log_loss"]
    return f"less ours: {auc[0]:+.4f} to {auc[1]:+.4f}, {loss[0]:+.4f} to {loss[1]:+.4f}"


def predicted(task: PredictionTask) -> pd.DataFrame:
    """Columns customer_id, snapshot_on, label, and the probabilities of each method: of the folds' test days."""
    document = backtest(task)
    found = all_predictions(task.store, document)
    if found is None:
        raise ValueError(f"no day could be tested: {document['skipped']}")
    folds = [fold for fold in task.calendar.fold_days() if str(fold.test) in set(found["snapshot_on"])]
    parts = []
    for fold in folds:
        train, test = (learned_rows(task.snapshots, days) for days in (fold.train, (fold.test,)))
        if train is None or test is None:
            raise ValueError(f"a fold at {fold.test} has predictions and no rows")
        parts.append(by_hand(train, test))
    methods = [name for name in ("bg_nbd", "logistic_regression", "recency") if name in found.columns]
    told = found[["customer_id", "snapshot_on", "label", "churn_probability", *methods]]
    return told.rename(columns={"churn_probability": OURS}).assign(**{BY_HAND: np.concatenate(parts)})


def by_hand(train: Matrix, test: Matrix) -> Floats:
    """(n,) probabilities of plain trees, as they come: no start, no correction, no calibration."""
    coding = encoder.fit(train)
    train, test = coding.encode(train), coding.encode(test)
    data = lgb.Dataset(train.values, train.outcomes)
    booster = lgb.train({**HAND_MADE, "seed": SEED, "num_threads": 2}, data, num_boost_round=HAND_MADE_ROUNDS)
    return np.asarray(booster.predict(test.values), dtype=np.float64)


def judged(predictions: pd.DataFrame) -> list[Judged]:
    """Each method, ours first. Customers are drawn anew with all their rows, one draw for all methods and days."""
    methods = [name for name in predictions.columns if name not in ("customer_id", "snapshot_on", "label")]
    methods.sort(key=lambda name: (name != OURS, name))
    places, draws = evaluation.redrawn(predictions["customer_id"].to_numpy(dtype=object), samples=SAMPLES, seed=SEED)
    all_of = {name: _means(predictions, name, np.ones(len(predictions))) for name in methods}
    drawn: dict[str, list[dict[str, float]]] = {name: [] for name in methods}
    for times in draws:
        for name in methods:
            drawn[name].append(_means(predictions, name, times[places]))
    found = []
    for name in methods:
        against = {}
        for figure in ("roc_auc", "log_loss"):
            apart = [mine[figure] - ours[figure] for mine, ours in zip(drawn[name], drawn[OURS], strict=True)]
            low, high = np.quantile(apart, [0.025, 0.975])
            against[figure] = (float(low), float(high))
        found.append(Judged(name, all_of[name], against))
    return found


def _means(predictions: pd.DataFrame, method: str, weights: Floats) -> dict[str, float]:
    """Of each figure the mean over the test days; of the intercept that of its size."""
    parts = []
    for rows in predictions.groupby("snapshot_on").indices.values():
        part = predictions.iloc[rows]
        labels, probabilities = (part[name].to_numpy(dtype=np.float64) for name in ("label", method))
        parts.append(evaluation.metrics(labels, probabilities, weights[rows]).as_dict())
    return {name: float(np.mean([abs(part[name]) for part in parts])) for name in FIGURES}
