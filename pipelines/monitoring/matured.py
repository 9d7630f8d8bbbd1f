"""What came of past scores: each scored day whose outcomes are known now, beside what the backtest had promised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import TrainingError
from models import realised
from models.realised import Tolerance
from pipelines import documents
from pipelines.champion import learned_until
from pipelines.crm.score_store import ScoreRun, ScoreStore
from pipelines.score import history
from pipelines.snapshots import outcome_file, outcome_frame
from pipelines.workspace import Workspace, code_version, fingerprint

Floats = npt.NDArray[np.float64]

AT_MOST = 52  # scored days told of; the newest
NO_HOLDOUT = "nobody was set aside to go without a retention action, so what actions change cannot be told"


def matured(workspace: Workspace, *, progress: Callable[[str], None] = lambda _: None) -> list[dict[str, Any]]:
    """One entry per scored day whose outcomes were known by `as_of`, oldest first; computed once each."""
    until = min(workspace.as_of, workspace.complete_until) - timedelta(days=workspace.settings.maturity_days)
    runs = [run for run in ScoreStore(workspace.store).newest_runs() if date.fromisoformat(run.as_of) <= until]
    found = []
    for run in runs[-AT_MOST:]:
        figures = _of_run(workspace, run)
        if figures is not None:
            found.append(figures)
        progress(f"scores of {run.as_of}")
    return found


def _of_run(workspace: Workspace, run: ScoreRun) -> dict[str, Any] | None:
    """None where no scored customer has an outcome."""
    stored = outcome_file(workspace, date.fromisoformat(run.as_of))
    if stored is None:
        return None
    plan = workspace.settings
    parts = {
        "outcome": plan.outcome.kind,
        "outcomes": stored.path,
        "samples": plan.backtest.bootstrap_samples,
        "seed": plan.training.seed,
        "tolerance": plan.monitoring.model_dump(),
        "code": code_version(),
    }
    path = f"monitoring/matured/{run.run_id}-{fingerprint(parts)}.json"
    found = documents.read(workspace.store, path)
    if found is None:
        rows = joined(workspace, run)
        if not len(rows):
            return None
        found = documents.write(workspace.store, path, _figures(workspace, run, rows), kind="matured")
    return found


def joined(workspace: Workspace, run: ScoreRun) -> pd.DataFrame:
    """One row per scored customer with an outcome: customer_id, churn_probability, churn_risk_band, label, treated."""
    outcomes = outcome_frame(workspace, date.fromisoformat(run.as_of))
    if outcomes is None:
        raise AssertionError(f"the outcomes of {run.as_of} are censored")
    scores = history(workspace, run)[["customer_id", "churn_probability", "churn_risk_band"]]
    labels = outcomes[["customer_id", workspace.settings.outcome.kind, "treated"]]
    labels = labels.set_axis(["customer_id", "label", "treated"], axis=1)
    return scores.merge(labels, on="customer_id", how="inner", validate="one_to_one")


def _figures(workspace: Workspace, run: ScoreRun, rows: pd.DataFrame) -> dict[str, Any]:
    version = str(run.detail["model_version"])
    folds, hindsight = _promises(workspace, version, date.fromisoformat(run.as_of))
    treated = rows["treated"].to_numpy() == 1
    everyone, untreated = (_realised(workspace, part) for part in (rows, rows[~treated]))
    promise = {"all": realised.promised(folds, "model"), "untreated": realised.promised(folds, "untreated")}
    plan = workspace.settings.monitoring
    tolerance = Tolerance(
        log_loss=plan.max_log_loss_increase, roc_auc=plan.max_roc_auc_decrease, calibration=plan.max_calibration_error
    )
    worse = [
        set(realised.clearly_worse(figures, promise[part], tolerance))
        for part, figures in (("all", everyone), ("untreated", untreated))
    ]
    return {
        "as_of": run.as_of,
        "run_id": run.run_id,
        "model_version": version,
        "hindsight": hindsight,
        **everyone,
        "treated": int(treated.sum()),
        "untreated": untreated,
        "promised": promise,
        # Who was kept makes the model look wrong, and who is left then are others: only what both say is its error.
        "clearly_worse": [] if hindsight else sorted(worse[0] & worse[1]),
        "bands": _bands(rows),
        "holdout": None,
        "holdout_reason": NO_HOLDOUT,
    }


def _promises(workspace: Workspace, version: str, day: date) -> tuple[list[Mapping[str, Any]], bool]:
    """The folds of a model's backtest, and whether it learned from outcomes that were not known on the scored day."""
    try:
        known = workspace.versions.named(version)
    except TrainingError:  # a ledger that was started anew beside older scores
        return [], False
    fitted = workspace.versions.load(version)
    return list(known.record["backtest"]["folds"]), learned_until(workspace, fitted.snapshots) > day


def _realised(workspace: Workspace, rows: pd.DataFrame) -> dict[str, Any]:
    return realised.realised(
        rows["label"].to_numpy(dtype=np.float64),
        rows["churn_probability"].to_numpy(dtype=np.float64),
        rows["customer_id"].to_numpy(dtype=object),
        samples=workspace.settings.backtest.bootstrap_samples,
        seed=workspace.settings.training.seed,
    )


def _bands(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Per risk band: customers, outcomes expected, and those that happened."""
    found = rows.groupby("churn_risk_band").agg(
        n=("label", "size"), expected=("churn_probability", "sum"), happened=("label", "sum")
    )
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
        "n": int(bands["n"].sum()),
        "expected": expected,
        "happened": happened,
        realised.RATIO: happened / expected if expected > 0 else None,
        "bands": [{"band": str(band), **dict(row)} for band, row in bands.iterrows()],
    }
