"""The command that watches: drift, arrival of data, and what came of past scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.commands.frame import HERE, AsJson, AsOf, Debug, Project, app, on_workspace

if TYPE_CHECKING:
    from pipelines.foundation.workspace.run_context import RunContext


@app.command()
def monitor(project: Project = HERE, as_of: AsOf = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Say whether data are still as the champion knew them, whether they arrive, and what came of past scores.

    Exit code 1 where there is an alert: a line each, with what was seen and what to do. Where the environment variable
    ATTRITION_WEBHOOK holds an address (https), alerts are posted to it, once.

    Example: attrition monitor --project shop

    JSON: {"as_of", "run_id", "model_version", "champion", "alerts": [{"check", "what", "evidence", "remedy"}],
    "retrain": [reason], "drift": {"statistic", "threshold", "p_value": number or "unknown", "reason", "reference",
    "families": [{"family", "drifted"}], "indicators": [{"column", "family", "distance", "usual", "limit", "psi",
    "missing", "missing_before", "unseen", "drifted": [part]}], "scores"}, "volume": [{"table", "rows", "usual",
    "unusual", "stopped"}], "freshness": [{"table", "days_since", "longest_pause", "late"}], "matured": [{"as_of",
    "run_id", "n", metric, "observed_over_expected", "intervals", "untreated", "promised", "clearly_worse", "hindsight",
    "judged_on": "holdout" or "everybody", "recommended", "held_out", "holdout"}], "calibration": those of
    all these days together, or null}
    """

    def work(job: RunContext) -> dict[str, Any]:
        from pipelines.operations.monitoring.monitor import monitor as look

        return look(job)

    on_workspace(work, project, as_of, as_json=as_json, debug=debug, failed=lambda found: bool(found["alerts"]))
