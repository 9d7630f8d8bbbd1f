"""The simulated company: how much of the true hazard's own skill the model reaches, which families matter, forecasts.

Everything here is simulated; the truth that it is compared with exists nowhere else.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from models.evaluation import metrics
from models.matrix import ENTITY, Matrix
from pipelines import backtest
from pipelines.ingest import ingest
from pipelines.outlook import outlook
from pipelines.report_money import family_movement
from pipelines.settings import FILE_NAME, load
from pipelines.simulation.simulate import SHOP_FILE, simulate
from pipelines.snapshots import training_matrix
from pipelines.workspace import Workspace, open_workspace

# Before the first test: a year of history, and a year of training snapshots.
LEAD_MONTHS = 28
FORECAST_TABLES = (
    "customers", "subscriptions", "subscription_changes", "payments", "payment_methods", "support_contacts", "usage",
    "surveys", "treatments",
)  # fmt: skip
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
class Found:
    """folds: oldest first. families: mean absolute log-odds per family at the newest test snapshot, largest first.

    slope: calibration slope over all folds together.
    """

    folds: list[Fold]
    families: pd.Series
    slope: float

    @property
    def skill(self) -> float:
        return float(np.mean([fold.skill for fold in self.folds]))


def company(folder: Path, *, customers: int, months: int, seed: int, without: str | None = None) -> None:
    """Simulate; one family may be left without any effect."""
    effects: Mapping[str, float] = {} if without is None else {without: 0.0}
    simulate(folder, customers=customers, months=months, seed=seed, effects=effects)


def found(folder: Path, cohort: str, *, folds: int = 1) -> Found:
    """Walk forward over one cohort of a simulated company: its newest snapshots after training."""
    if COHORTS[cohort] != FILE_NAME:
        shutil.copy(folder / COHORTS[cohort], folder / FILE_NAME)
    opened = open_workspace(folder, now=datetime.now(UTC))
    settings = opened.settings
    few = settings.model_copy(update={"backtest": settings.backtest.model_copy(update={"folds": folds})})
    workspace = Workspace(folder, few, opened.as_of)
    ingest(workspace.store, workspace.settings)
    planned = backtest.plan(workspace)
    rows = training_matrix(workspace, backtest.days_of(planned))
    assert rows is not None
    truth = pd.read_parquet(folder / "truth" / "hazard.parquet")
    truth = truth[truth["cohort"] == cohort]
    judged, told = [], []
    families = pd.Series(dtype=float)
    for fold in planned:
        train, test = (backtest.rows_on(rows, days) for days in (fold.train, (fold.test,)))
        assert train is not None
        assert test is not None
        fitted = backtest.fit(workspace, train)
        probabilities = fitted.probability(test)
        judged.append(_fold(fold.test, test, probabilities, truth))
        told.append((test.outcomes, probabilities))
        families = family_movement(workspace, fitted, test)
    labels, risks = (np.concatenate(parts) for parts in zip(*told, strict=True))
    return Found(judged, families, metrics(labels, risks).calibration_slope)


def forecasts(folder: Path, *, months: int, customers: int, seed: int) -> dict[str, Any]:
    """`outlook` of a company over so many months, a forecast of 30 days for each, on three outcomes and few tables."""
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
    workspace = Workspace(folder, settings.model_copy(update=changed), opened.as_of)
    ingest(workspace.store, workspace.settings)
    return outlook(workspace)


def _fold(day: date, test: Matrix, probabilities: np.ndarray, truth: pd.DataFrame) -> Fold:
    """Judged on the customers whose true hazard was drawn in the week of the snapshot."""
    week = max(each for each in truth["day"].unique() if each <= day)
    hazard = truth[truth["day"] == week].set_index(ENTITY)["hazard"].reindex(test.customers.astype(str))
    known = hazard.notna().to_numpy()
    labels = test.outcomes[known]
    return Fold(
        day,
        int(known.sum()),
        float(roc_auc_score(labels, hazard[known])),
        float(roc_auc_score(labels, probabilities[known])),
    )
