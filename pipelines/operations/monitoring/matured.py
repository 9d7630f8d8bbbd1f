"""What came of past scores: each scored day whose outcomes are known now, beside what the backtest had promised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import TrainingError
from models import realised
from models.question import Question
from models.realised import Tolerance
from pipelines.foundation.ledger.score_store import ScoreRun, ScoreStore
from pipelines.foundation.settings.monitoring import Monitoring
from pipelines.foundation.storage import documents
from pipelines.foundation.storage.fingerprint import fingerprint
from pipelines.operations.monitoring import holdout_figures as held_out
from pipelines.operations.monitoring.holdout_figures import StandIns
from pipelines.prediction.scoring.runs import history
from pipelines.prediction.training.champion import learned_from
from pipelines.prediction.training.task import PredictionTask

Floats = npt.NDArray[np.float64]

BY = ("pipelines.operations.monitoring.matured",)
Promises = tuple[list[Mapping[str, Any]], bool]
AT_MOST = 52  # scored days told of; the newest
TOO_FEW = "too few were held out, or too few of them left, to stand for those who were recommended a play"
NOBODY_ASKED = "nobody who was scored was recommended a play, so nobody needs a stand-in"
NO_HOLDOUT = "nobody was set aside to go without a retention action, so what actions change cannot be told"


@dataclass(frozen=True, kw_only=True)
class MaturedPlan:
    """How figures of scored days are made and judged, as the settings have it."""

    monitoring: Monitoring
    bootstrap_samples: int
    seed: int

    @property
    def tolerance(self) -> Tolerance:
        plan = self.monitoring
        return Tolerance(
            log_loss=plan.max_log_loss_increase,
            roc_auc=plan.max_roc_auc_decrease,
            calibration=plan.max_calibration_error,
        )


@dataclass(frozen=True, kw_only=True)
class MaturedInputs:
    """outcomes: file of the day's outcomes. recommended: what may touch them, as CSV (`holdout_figures.around`)."""

    run_id: str
    question: Question
    outcomes: str
    recommended: str
    plan: MaturedPlan

    @property
    def key(self) -> str:
        return fingerprint(self, by=BY)


def matured(
    task: PredictionTask,
    plan: MaturedPlan,
    recommended: pd.DataFrame,
    *,
    progress: Callable[[str], None] = lambda _: None,
) -> list[dict[str, Any]]:
    """One entry per scored day whose outcomes were known by `as_of`, oldest first; computed once each.

    recommended: every play that was recommended, or held back.
    """
    runs = {date.fromisoformat(run.as_of): run for run in ScoreStore(task.store).newest_runs()}
    found = []
    for day in task.calendar.known_by(task.calendar.as_of, runs)[-AT_MOST:]:
        figures = _of_run(task, plan, recommended, runs[day])
        if figures is not None:
            found.append(figures)
        progress(f"scores of {day}")
    return found


def _of_run(task: PredictionTask, plan: MaturedPlan, recommended: pd.DataFrame, run: ScoreRun) -> dict[str, Any] | None:
    """None where no scored customer has an outcome."""
    day = date.fromisoformat(run.as_of)
    stored = task.snapshots.at(day).outcome_file
    if stored is None:
        return None
    near = held_out.around(recommended, task.question, day)
    inputs = MaturedInputs(
        run_id=run.run_id,
        question=task.question,
        outcomes=stored.path,
        recommended=near.to_csv(index=False),
        plan=plan,
    )
    path = f"monitoring/matured/{run.run_id}-{inputs.key}.json"
    found = documents.read(task.store, path)
    if found is None:
        rows = joined(task, run)
        if not len(rows):
            return None
        promises = _promises(task, str(run.detail["model_version"]), day)
        found = documents.write(task.store, path, _figures(plan, run, rows, near, promises), kind="matured")
    return found


def joined(task: PredictionTask, run: ScoreRun) -> pd.DataFrame:
    """One row per scored customer with an outcome: customer_id, churn_probability, churn_risk_band, label, treated."""
    outcomes = task.snapshots.at(date.fromisoformat(run.as_of)).outcomes()
    if outcomes is None:
        raise AssertionError(f"the outcomes of {run.as_of} are censored")
    scores = history(task.store, run)[["customer_id", "churn_probability", "churn_risk_band"]]
    labels = outcomes[["customer_id", task.kind, "treated"]]
    labels = labels.set_axis(["customer_id", "label", "treated"], axis=1)
    return scores.merge(labels, on="customer_id", how="inner", validate="one_to_one")


def _figures(
    plan: MaturedPlan, run: ScoreRun, rows: pd.DataFrame, near: pd.DataFrame, promises: Promises
) -> dict[str, Any]:
    version = str(run.detail["model_version"])
    folds, hindsight = promises
    treated = rows["treated"].to_numpy() == 1
    others, waiting = held_out.stand_ins(near, rows), held_out.count(near, rows)
    everyone, untreated = (_realised(plan, part) for part in (rows, rows[~treated]))
    holdout = _realised(plan, rows, others.weights) if others is not None and others.enough else None
    promise = {"all": realised.promised(folds, "model"), "untreated": realised.promised(folds, "untreated")}
    if holdout is not None:
        worse = set(realised.clearly_worse(holdout, promise["all"], plan.tolerance))
    else:
        # Who was kept makes the model look wrong, and who is left then are others: only what both say is its error.
        apart = untreated if others is None else _realised(plan, rows[~treated & (others.weights > 0)])
        worse = set(realised.clearly_worse(everyone, promise["all"], plan.tolerance)) & set(
            realised.clearly_worse(apart, promise["untreated"], plan.tolerance)
        )
        # Without those at most risk, to whom plays go, the others are harder to tell apart.
        worse -= set() if others is None else {"roc_auc"}
    return {
        "as_of": run.as_of,
        "run_id": run.run_id,
        "model_version": version,
        "hindsight": hindsight,
        **everyone,
        "treated": int(treated.sum()),
        "untreated": untreated,
        "promised": promise,
        "clearly_worse": [] if hindsight else sorted(worse),
        "judged_on": "everybody" if holdout is None else "holdout",
        "bands": _bands(rows, np.ones(len(rows)) if holdout is None or others is None else others.weights),
        "recommended": 0 if others is None else others.recommended,
        "held_out": waiting,
        "holdout": holdout,
        "holdout_reason": None
        if holdout is not None
        else NOBODY_ASKED
        if others is None and waiting
        else _reason(others),
    }


def _reason(others: StandIns | None) -> str:
    return NO_HOLDOUT if others is None or not others.held_out else TOO_FEW


def _promises(task: PredictionTask, version: str, day: date) -> Promises:
    """The folds of a model's backtest, and whether it learned from outcomes that were not known on the scored day."""
    try:
        known = task.versions.named(version)
    except TrainingError:  # a ledger that was started anew beside older scores
        return [], False
    fitted = task.versions.load(version)
    hindsight = not task.calendar.unknown_to(learned_from(fitted), [day])
    return list(known.record["backtest"]["folds"]), hindsight


def _realised(plan: MaturedPlan, rows: pd.DataFrame, weights: Floats | None = None) -> dict[str, Any]:
    return realised.realised(
        rows["label"].to_numpy(dtype=np.float64),
        rows["churn_probability"].to_numpy(dtype=np.float64),
        rows["customer_id"].to_numpy(dtype=object),
        samples=plan.bootstrap_samples,
        seed=plan.seed,
        weights=weights,
    )


def _bands(rows: pd.DataFrame, weights: Floats) -> list[dict[str, Any]]:
    """Per risk band: customers, outcomes expected, and those that happened."""
    found = pd.DataFrame(
        {
            "band": rows["churn_risk_band"],
            "n": weights,
            "expected": weights * rows["churn_probability"],
            "happened": weights * rows["label"],
        }
    )
    found = found.groupby("band").sum()
    return [{"band": str(band), **dict(row)} for band, row in found.astype(float).iterrows()]


def pooled(figures: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Calibration of all those scores together, per band as well; None without any.

    No interval stands here: the same customers recur from day to day, and the days share their outcomes. Those of each
    day are beside it.
    """
    honest = [each for each in figures if not each["hindsight"]]
    if not honest:
        return None
    bands = pd.DataFrame([band for each in honest for band in each["bands"]]).groupby("band", sort=True).sum()
    expected, happened = float(bands["expected"].sum()), float(bands["happened"].sum())
    return {
        "runs": len(honest),
        "first": honest[0]["as_of"],
        "last": honest[-1]["as_of"],
        "n": round(bands["n"].sum()),
        "expected": expected,
        "happened": happened,
        realised.RATIO: happened / expected if expected > 0 else None,
        "bands": [{"band": str(band), **dict(row)} for band, row in bands.iterrows()],
    }
