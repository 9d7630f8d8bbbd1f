"""The coming horizon in sum, and how good such forecasts were: customers lost and revenue retained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.outcomes import OUTCOMES
from models import forecast
from models.forecast import Chances, Range, Sizes
from models.matrix import ENTITY
from pipelines.data.snapshots.features import as_matrix, feature_frame, outcome_frame
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.prediction.training import backtest

Floats = npt.NDArray[np.float64]

# What each outcome is to a forecast; those of which there is no model are left out.
PARTS: Mapping[str, str] = {kind: each.revenue for kind, each in OUTCOMES.items() if each.revenue != "lost"}
FIGURES = ("customers_lost", "grr", "nrr")


def outlook(workspace: Workspace) -> dict[str, Any]:
    """The forecast of the horizon from `as_of`, and those that could have been made at each day of the backtest.

    {"confidence", "horizon_days", "next": {figure: {"expected", "low", "high"}} or null, "past": [{"snapshot_on",
    "figures": {figure: {"expected", "low", "high", "actual"}}}], "coverage": {figure: share of past intervals that held
    what came}, "error": {figure: mean absolute error}}. Figures are customers_lost and, by contract, grr and nrr of the
    customers at risk. A past forecast uses only errors and sizes of change that had been seen by its day.
    """
    folds = _folds(workspace)
    days = sorted(set.intersection(*(set(frame["snapshot_on"]) for frame in folds.values()))) if folds else []
    past = [{"snapshot_on": day, "figures": _past(workspace, folds, day, days)} for day in days]
    names = [name for name in FIGURES if past and name in past[0]["figures"]]
    ahead = _next(workspace, folds, days)
    return {
        "confidence": forecast.CONFIDENCE,
        "horizon_days": workspace.settings.outcome.horizon_days,
        "next": ahead,
        "past": past,
        "coverage": {name: float(np.mean([_held(each["figures"][name]) for each in past])) for name in names},
        "error": {name: float(np.mean([_error(each["figures"][name]) for each in past])) for name in names},
    }


def _folds(workspace: Workspace) -> dict[str, pd.DataFrame]:
    """Predictions of every fold, by what they are to a forecast: "lost" always, "less" and "more" where modelled."""
    found = {}
    for view in workspace.each_outcome:
        part = "lost" if view is workspace else PARTS.get(view.settings.outcome.kind)
        predictions = backtest.all_predictions(view, backtest.backtest(view)) if part else None
        if part and predictions is not None:
            found[part] = predictions
    return found if "lost" in found else {}


def _past(workspace: Workspace, folds: Mapping[str, pd.DataFrame], day: str, days: list[str]) -> dict[str, Any]:
    """The forecast made at a day, beside what came."""
    matured = timedelta(days=workspace.settings.maturity_days)
    seen = [each for each in days if date.fromisoformat(each) + matured <= date.fromisoformat(day)]
    rows = {part: _on(frame, day) for part, frame in folds.items()}
    lost, by_contract = rows["lost"], workspace.by_contract
    mrr = lost["mrr_before"].to_numpy(dtype=np.float64) if by_contract else np.zeros(len(lost))
    chances = _chances({part: frame["churn_probability"].to_numpy() for part, frame in rows.items()}, mrr)
    made = _made(workspace, chances, folds, seen, date.fromisoformat(day))
    after = lost["mrr_after"].to_numpy(dtype=np.float64) if by_contract else mrr
    came = {"customers_lost": float(lost["label"].sum())}
    if by_contract and mrr.sum() > 0:
        came |= {"grr": float(np.minimum(after, mrr).sum() / mrr.sum()), "nrr": float(after.sum() / mrr.sum())}
    return {name: asdict(made[name]) | {"actual": actual} for name, actual in came.items()}


def _next(workspace: Workspace, folds: Mapping[str, pd.DataFrame], days: list[str]) -> dict[str, Any] | None:
    champions = {
        part: view.versions.load(champion.version)
        for view in workspace.each_outcome
        if (part := "lost" if view is workspace else PARTS.get(view.settings.outcome.kind))
        and (champion := view.versions.aliased("champion"))
    }
    frame = feature_frame(workspace, workspace.as_of)
    if "lost" not in champions or not len(frame):
        return None
    rows = as_matrix(workspace, frame, workspace.as_of)
    risks = {part: fitted.probability(rows) for part, fitted in champions.items()}
    mrr = frame["mrr"].fillna(0).to_numpy(dtype=np.float64) if workspace.by_contract else np.zeros(len(frame))
    made = _made(workspace, _chances(risks, mrr), folds, days, workspace.as_of)
    return {name: asdict(made[name]) for name in (FIGURES if mrr.sum() > 0 else FIGURES[:1])}


def _made(
    workspace: Workspace, chances: Chances, folds: Mapping[str, pd.DataFrame], seen: list[str], today: date
) -> dict[str, Range]:
    """seen: days of the backtest whose outcomes were known by `today`."""
    strays = {part: forecast.stray([]) for part in ("lost", "less", "more")}
    for part, frame in folds.items():
        errors = [_on(frame, day) for day in seen]
        strays[part] = forecast.stray(
            [
                forecast.shift(each["label"].to_numpy(np.float64), each["churn_probability"].to_numpy())
                for each in errors
            ]
        )
    return forecast.forecast(chances, sizes(workspace, today), strays, seed=workspace.settings.training.seed)


def _chances(risks: Mapping[str, Floats], mrr: Floats) -> Chances:
    none = np.zeros(len(mrr))
    return Chances(lost=risks["lost"], less=risks.get("less", none), more=risks.get("more", none), mrr=mrr)


def sizes(workspace: Workspace, today: date) -> Sizes:
    """By how much customers paid less or more in the training snapshots that had matured by a day."""
    nothing = np.empty(0)
    if not workspace.by_contract:
        return Sizes(less=nothing, more=nothing)
    frames = [outcome_frame(workspace, day) for day in workspace.training_days(today)]
    known = pd.concat([frame for frame in frames if frame is not None]) if any(f is not None for f in frames) else None
    if known is None:
        return Sizes(less=nothing, more=nothing)
    known = known[known["mrr_before"] > 0]
    change = (known["mrr_after"] / known["mrr_before"] - 1).to_numpy(dtype=np.float64)
    less, more = (known[kind].to_numpy() == 1 for kind in PARTS)
    return Sizes(less=-change[less], more=change[more])


def _on(frame: pd.DataFrame, day: str) -> pd.DataFrame:
    return frame[frame["snapshot_on"] == day].sort_values(ENTITY, kind="stable")


def _held(figure: Mapping[str, float]) -> bool:
    return Range(figure["expected"], figure["low"], figure["high"]).holds(figure["actual"])


def _error(figure: Mapping[str, float]) -> float:
    return abs(figure["expected"] - figure["actual"])
