"""The coming horizon in sum, and how good such forecasts were: customers lost and revenue retained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.outcomes import OUTCOMES
from models import forecast as models
from models.forecast import Chances, Range, Sizes
from models.matrix import ENTITY
from pipelines.data.snapshots.snapshot import Snapshots
from pipelines.prediction.training import backtest
from pipelines.prediction.training.champion import answering
from pipelines.prediction.training.task import PredictionTask

Floats = npt.NDArray[np.float64]

# What each outcome is to a forecast; those of which there is no model are left out.
PARTS: Mapping[str, str] = {kind: each.revenue for kind, each in OUTCOMES.items() if each.revenue != "lost"}


def horizon_forecast(tasks: Sequence[PredictionTask]) -> dict[str, Any]:
    """The forecast of the horizon from `as_of`, and those that could have been made at each day of the backtest.

    {"confidence", "horizon_days", "next": {figure: {"expected", "low", "high"}} or null, "past": [{"snapshot_on",
    "figures": {figure: {"expected", "low", "high", "actual"}}}], "coverage": {figure: share of past intervals that held
    what came}, "error": {figure: mean absolute error}}. Figures are customers_lost and, by contract, grr and nrr of the
    customers at risk. Each uses only errors and sizes of change that had been seen by its day.

    tasks: every outcome of the workspace, the main one first.
    """
    main, parts = tasks[0], _parts(tasks)
    folds = _folds(parts)
    days = sorted(set.intersection(*(set(frame["snapshot_on"]) for frame in folds.values()))) if folds else []
    past = [{"snapshot_on": day, "figures": _past(main, folds, day, days)} for day in days]
    names = [name for name in models.FIGURES if past and name in past[0]["figures"]]
    return {
        "confidence": models.CONFIDENCE,
        "horizon_days": main.question.horizon_days,
        "next": _next(main, parts, folds, days),
        "past": past,
        "coverage": {name: float(np.mean([_held(each["figures"][name]) for each in past])) for name in names},
        "error": {name: float(np.mean([_error(each["figures"][name]) for each in past])) for name in names},
    }


def _parts(tasks: Sequence[PredictionTask]) -> dict[str, PredictionTask]:
    """By what an outcome is to a forecast: "lost" is the main one, "less" and "more" where they are modelled."""
    named = {"lost" if task.main else PARTS.get(task.kind, ""): task for task in tasks}
    return {part: task for part, task in named.items() if part}


def _folds(parts: Mapping[str, PredictionTask]) -> dict[str, pd.DataFrame]:
    """Predictions of every fold of each part; none where the main outcome has none."""
    found = {}
    for part, task in parts.items():
        predictions = backtest.all_predictions(task.store, backtest.backtest(task))
        if predictions is not None:
            found[part] = predictions
    return found if "lost" in found else {}


def _past(task: PredictionTask, folds: Mapping[str, pd.DataFrame], day: str, days: list[str]) -> dict[str, Any]:
    """The forecast made at a day, beside what came."""
    today = date.fromisoformat(day)
    seen = task.calendar.known_by(today, [date.fromisoformat(each) for each in days])
    rows = {part: _on(frame, day) for part, frame in folds.items()}
    lost, by_contract = rows["lost"], task.question.by_contract
    mrr, after = _paid(lost) if by_contract else (np.zeros(len(lost)), np.zeros(len(lost)))
    chances = _chances({part: _risks(frame, lost[ENTITY]) for part, frame in rows.items()}, mrr)
    made = _made(task, chances, folds, list(map(str, seen)), today)
    came = {"customers_lost": float(lost["label"].sum())}
    if by_contract and mrr.sum() > 0:
        came |= {"grr": float(np.minimum(after, mrr).sum() / mrr.sum()), "nrr": float(after.sum() / mrr.sum())}
    return {name: asdict(made[name]) | {"actual": actual} for name, actual in came.items()}


def _paid(lost: pd.DataFrame) -> tuple[Floats, Floats]:
    """Recurring revenue before and after; 0 of those of whom either is not known, so that no ratio rests on them."""
    known = lost[["mrr_before", "mrr_after"]]
    known = known.where(known.notna().all(axis=1), 0.0)
    return known["mrr_before"].to_numpy(dtype=np.float64), known["mrr_after"].to_numpy(dtype=np.float64)


def _risks(frame: pd.DataFrame, customers: pd.Series) -> Floats:
    """Probabilities in the order of customers; 0 of whom the outcome, and so no prediction of it, is known."""
    return frame.set_index(ENTITY)["churn_probability"].reindex(customers).fillna(0.0).to_numpy(dtype=np.float64)


def _next(
    task: PredictionTask, parts: Mapping[str, PredictionTask], folds: Mapping[str, pd.DataFrame], days: list[str]
) -> dict[str, Any] | None:
    champions = {
        part: answering(each)[1] for part, each in parts.items() if each.versions.aliased("champion") is not None
    }
    snapshot = task.snapshots.at(task.calendar.as_of)
    frame = snapshot.frame()
    if "lost" not in champions or not len(frame):
        return None
    risks = {
        part: fitted.day_probability(parts[part].snapshots.at(snapshot.day).matrix(frame))
        for part, fitted in champions.items()
    }
    mrr = frame["mrr"].fillna(0).to_numpy(dtype=np.float64) if task.question.by_contract else np.zeros(len(frame))
    seen = task.calendar.known_by(snapshot.day, [date.fromisoformat(each) for each in days])
    made = _made(task, _chances(risks, mrr), folds, list(map(str, seen)), snapshot.day)
    return {name: asdict(made[name]) for name in (models.FIGURES if mrr.sum() > 0 else models.FIGURES[:1])}


def _made(
    task: PredictionTask, chances: Chances, folds: Mapping[str, pd.DataFrame], seen: list[str], today: date
) -> dict[str, Range]:
    """seen: days of the backtest whose outcomes were known by `today`."""
    strays = {part: models.stray([]) for part in ("lost", "less", "more")}
    for part, frame in folds.items():
        errors = [_on(frame, day) for day in seen]
        strays[part] = models.stray(
            [models.shift(each["label"].to_numpy(np.float64), each["churn_probability"].to_numpy()) for each in errors]
        )
    return models.forecast(chances, sizes(task.snapshots, today), strays, seed=task.fitter.plan.seed)


def _chances(risks: Mapping[str, Floats], mrr: Floats) -> Chances:
    none = np.zeros(len(mrr))
    return Chances(lost=risks["lost"], less=risks.get("less", none), more=risks.get("more", none), mrr=mrr)


def sizes(snapshots: Snapshots, today: date) -> Sizes:
    """By how much customers paid less or more in the training snapshots that had matured by a day."""
    nothing = np.empty(0)
    if not snapshots.question.by_contract:
        return Sizes(less=nothing, more=nothing)
    frames = [snapshots.at(day).outcomes() for day in snapshots.calendar.training_days(today)]
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
