"""The simulated company: the model's skill beside the true hazard's, each outcome's model, families, forecasts.

Everything here is simulated; the truth that it is compared with exists nowhere else.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from features.outcomes import Kind
from models import economics
from models.evaluation import metrics
from models.matrix import ENTITY
from pipelines.data.landing.ingest import ingest
from pipelines.data.snapshots.learned import learned_rows
from pipelines.foundation.settings.settings import FILE_NAME, load
from pipelines.foundation.simulation.simulate import SHOP_FILE, simulate
from pipelines.foundation.workspace.workspace import Workspace, open_workspace
from pipelines.prediction.charts import money as charts_of_money
from pipelines.prediction.scoring.forecast import horizon_forecast
from pipelines.prediction.training import backtest
from pipelines.prediction.training.task import PredictionTask, tasks_of
from pipelines.report.money import family_movement

# Before the first test: a year of history, and a year of training snapshots.
LEAD_MONTHS = 28
FORECAST_TABLES = (
    "customers", "subscriptions", "subscription_changes", "payments", "payment_methods", "support_contacts", "usage",
    "surveys", "treatments",
)  # fmt: skip
BETTER: dict[str, Callable[[Iterable[float]], float]] = {"roc_auc": max, "log_loss": min}
EFFORTS = (0.05, 0.1, 0.2, 0.3)  # shares of customers contacted
COHORTS = {"contract": FILE_NAME, "shop": SHOP_FILE}


@dataclass(frozen=True)
class Fold:
    """One test snapshot after training. truth, model: ROC AUC of the true hazard and of the model, same customers."""

    day: date
    rows: int
    truth: float
    model: float

    @property
    def skill(self) -> float:
        """Share of the truth's own skill: (AUC - 0.5) / (AUC of the truth - 0.5)."""
        return (self.model - 0.5) / (self.truth - 0.5)


@dataclass(frozen=True)
class Judged:
    """One outcome. model, best: means over the folds, ROC AUC and log loss; best is of the best baseline for each.

    slope: calibration slope over all folds together. families: mean absolute log-odds per family, largest first, by the
    newest model at every snapshot (what befalls whole plans differs between months, not between customers). reached:
    share of lost revenue within a share of customers, by money and by probability.
    """

    kind: Kind
    positives: int
    model: dict[str, float]
    best: dict[str, float]
    slope: float
    families: pd.Series
    reached: dict[float, tuple[float, float]]


@dataclass(frozen=True)
class Found:
    """folds: oldest first, of the first outcome. judged: the settings' outcome, then each further one."""

    folds: list[Fold]
    judged: list[Judged]

    @property
    def skill(self) -> float:
        return float(np.mean([fold.skill for fold in self.folds]))


def company(folder: Path, *, customers: int, months: int, seed: int, without: Collection[str] = ()) -> None:
    """Simulate; some families may be left without any effect."""
    simulate(folder, customers=customers, months=months, seed=seed, effects=dict.fromkeys(without, 0.0))


def found(folder: Path, cohort: str, *, folds: int = 1, also: bool = True) -> Found:
    """Walk forward over one cohort of a simulated company: its newest snapshots after training.

    also: further outcomes, too.
    """
    if COHORTS[cohort] != FILE_NAME:
        shutil.copy(folder / COHORTS[cohort], folder / FILE_NAME)
    workspace = landed(folder, folds=folds, also=also)
    tasks = tasks_of(workspace)
    judged = [_judged(task, backtest.backtest(task)) for task in tasks]
    truth = pd.read_parquet(folder / "truth" / "hazard.parquet")
    truth = truth[truth["cohort"] == cohort]
    predictions = backtest.all_predictions(workspace.store, backtest.backtest(tasks[0]))
    assert predictions is not None
    return Found([_fold(str(day), rows, truth) for day, rows in predictions.groupby("snapshot_on")], judged)


def landed(folder: Path, *, folds: int, also: bool = True) -> Workspace:
    """The workspace of a simulated company, its exports landed, to be tested on so many days. also: as in `found`."""
    opened = open_workspace(folder, now=datetime.now(UTC))
    settings = opened.settings
    changed: dict[str, Any] = {"backtest": settings.backtest.model_copy(update={"folds": folds})}
    if not also:
        changed["outcome"] = settings.outcome.model_copy(update={"also": ()})
    workspace = Workspace(folder, settings.model_copy(update=changed), opened.as_of, opened.today)
    ingest(workspace.store, workspace.settings, today=workspace.today)
    return workspace


def _judged(task: PredictionTask, document: Mapping[str, Any]) -> Judged:
    done = document["folds"]
    predictions = backtest.all_predictions(task.store, document)
    assert predictions is not None
    model = {name: _mean([fold["model"][name] for fold in done]) for name in BETTER}
    best = {
        name: better(_mean([fold["baselines"][other][name] for fold in done]) for other in done[0]["baselines"])
        for name, better in BETTER.items()
    }
    labels, risks = predictions["label"].to_numpy(), predictions["churn_probability"].to_numpy()
    newest = task.calendar.fold_days()[-1]
    rows, train = (learned_rows(task.snapshots, days) for days in ([*newest.train, newest.test], newest.train))
    assert rows is not None
    assert train is not None
    return Judged(
        task.kind,
        int(labels.sum()),
        model,
        best,
        metrics(labels, risks).calibration_slope,
        family_movement(task.snapshots.definition, task.fitter.fit(train), rows),
        _reached(predictions),
    )


def _mean(figures: Sequence[float | None]) -> float:
    """Of a figure that some fold, where too little happened, does not have."""
    return float(np.mean([figure for figure in figures if figure is not None]))


def _reached(predictions: pd.DataFrame) -> dict[float, tuple[float, float]]:
    """Means over the folds: within each fold so many are contacted."""
    curves = [
        tuple(economics.reached(order, charts_of_money.lost(rows)) for order in charts_of_money.rankings(rows).values())
        for _, rows in predictions.groupby("snapshot_on")
        if charts_of_money.lost(rows).sum() > 0
    ]
    at = {share: [[curve.at(share) for curve in pair] for pair in curves] for share in EFFORTS}
    return {share: tuple(np.mean(pairs, axis=0)) for share, pairs in at.items() if pairs}


def forecasts(folder: Path, *, months: int, customers: int, seed: int) -> dict[str, Any]:
    """`horizon_forecast` of a company over so many months, 30 days for each, on three outcomes and few tables."""
    simulate(folder, customers=customers, months=months + LEAD_MONTHS, seed=seed)
    settings = load(folder / FILE_NAME)
    changed = {
        "sources": tuple(source for source in settings.sources if source.table in FORECAST_TABLES),
        "lookback_days": (30, 90),
        "outcome": settings.outcome.model_copy(update={"also": ("contraction", "expansion")}),
        "snapshots": settings.snapshots.model_copy(update={"min_history_days": 420, "at_most": 12}),
        "backtest": settings.backtest.model_copy(update={"folds": months, "every_days": 30, "bootstrap_samples": 10}),
    }
    opened = open_workspace(folder, now=datetime.now(UTC))
    workspace = Workspace(folder, settings.model_copy(update=changed), opened.as_of, opened.today)
    ingest(workspace.store, workspace.settings, today=workspace.today)
    return horizon_forecast(tasks_of(workspace))


def _fold(day: str, predictions: pd.DataFrame, truth: pd.DataFrame) -> Fold:
    """Judged on the customers whose true hazard was drawn in the week of the snapshot."""
    week = max(each for each in truth["day"].unique() if str(each) <= day)
    hazard = truth[truth["day"] == week].set_index(ENTITY)["hazard"].reindex(predictions[ENTITY])
    known = hazard.notna().to_numpy()
    labels = predictions["label"][known]
    return Fold(
        date.fromisoformat(day),
        int(known.sum()),
        float(roc_auc_score(labels, hazard[known])),
        float(roc_auc_score(labels, predictions["churn_probability"][known])),
    )
