"""`summary.json`: the figures of the newest matured fold, for programs and for the closing table."""

from __future__ import annotations

from typing import Any

from pipelines.foundation.ledger.score_store import ScoreStore
from pipelines.foundation.storage import documents
from pipelines.foundation.wording.words import Words
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.prediction.training import backtest
from pipelines.prediction.training.task import tasks_of
from pipelines.prediction.training.verdict import verdict_in

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
    newest = {
        "churn" if task.main else task.kind: folds[-1]
        for task in tasks_of(workspace)
        if (folds := backtest.backtest(task)["folds"])
    }
    first = newest.get("churn")
    champion = workspace.versions.aliased("champion")
    words = Words(workspace.settings.language, by_contract=workspace.by_contract)
    run = ScoreStore(workspace.store).run(str(workspace.as_of))
    document: dict[str, Any] = {
        "as_of": str(workspace.as_of),
        "outcomes": {kind: {name: fold["model"][name] for name in _FIGURES} for kind, fold in newest.items()},
        "intervals": {kind: fold["intervals"] for kind, fold in newest.items()},
        "baselines": {} if first is None else first["baselines"],
        "evaluated_on": None if first is None else first["snapshot_on"],
        "references": [reference.model_dump() for reference in workspace.settings.references],
        "champion": None
        if champion is None
        else {"version": champion.version, "trained_at": champion.trained_at, "verdict": verdict_in(champion, words)},
        "scored": 0 if run is None else run.rows,
        "report": report,
    }
    documents.write(workspace.store, FILE_NAME, document, kind="summary")
    return document
