"""`summary.json`: the figures of the newest matured fold, for programs and for the closing table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipelines import backtest, documents
from pipelines.crm.score_store import ScoreStore
from pipelines.workspace import Workspace

FILE_NAME = "summary.json"

_FIGURES = (
    "n",
    "positives",
    "roc_auc",
    "pr_auc",
    "log_loss",
    "brier",
    "calibration_slope",
    "calibration_intercept",
    "top_decile_lift",
    "top_decile_recall",
)


def write_summary(workspace: Workspace, *, report: str | None) -> dict[str, Any]:
    """Write the summary into the workspace, and give it back.

    The settings' outcome is called churn, further ones have their own names. `outcomes` and `baselines` are empty
    where no outcome has matured yet; `report` is a path below the workspace.
    """
    folds = backtest.backtest(workspace)["folds"]
    further: dict[str, dict[str, Any]] = {
        view.settings.outcome.kind: tested[-1]
        for view in workspace.each_outcome[1:]
        if (tested := backtest.backtest(view)["folds"])
    }
    champion = workspace.versions.aliased("champion")
    run = ScoreStore(workspace.store).run(str(workspace.as_of))
    newest = folds[-1] if folds else None
    document: dict[str, Any] = {
        "as_of": str(workspace.as_of),
        "outcomes": {} if newest is None else {"churn": _figures(newest)} | _each(_figures, further),
        "intervals": {} if newest is None else {"churn": newest["intervals"]} | _each(_intervals, further),
        "baselines": {} if newest is None else newest["baselines"],
        "evaluated_on": None if newest is None else newest["snapshot_on"],
        "references": [reference.model_dump() for reference in workspace.settings.references],
        "champion": None
        if champion is None
        else {"version": champion.version, "trained_at": champion.trained_at, "verdict": champion.verdict},
        "scored": 0 if run is None else run.rows,
        "report": report,
    }
    documents.write(workspace.store, FILE_NAME, document, kind="summary")
    return document


def _figures(fold: dict[str, Any]) -> dict[str, Any]:
    return {name: fold["model"][name] for name in _FIGURES}


def _intervals(fold: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = fold["intervals"]
    return found


def _each(told: Callable[[dict[str, Any]], Any], folds: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {kind: told(fold) for kind, fold in folds.items()}
