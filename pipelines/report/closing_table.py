"""What a whole run ends with: our figures beside the baselines' and others', and where to look next."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from pipelines.foundation.workspace.run_context import RunContext


def closing_table(job: RunContext, summary: dict[str, Any]) -> None:
    """One table on stderr, then the files worth opening."""
    root = job.workspace.root
    simulated = "simulated " if job.workspace.settings.simulated else ""
    if "churn" in summary["outcomes"]:
        table = Table(
            "",
            "ROC AUC",
            "log loss",
            title=f"{summary['outcomes']['churn']['n']:,} {simulated}customers at {summary['evaluated_on']}",
        )
        table.add_row("attrition", *_figures(summary["outcomes"]["churn"]), style="bold")
        for name, figures in summary["baselines"].items():
            table.add_row(f"{name} (baseline, here)", *_figures(figures))
        for reference in summary["references"]:
            table.add_row(f"{reference['name']} ({reference['source']})", *_figures(reference))
        job.console.rich.print(table)
    job.console.say(f"{summary['scored']:,} {simulated}customers scored. Look next at:")
    job.console.say(f"  {root / summary['report']}  (open it in a browser)")
    job.console.say(
        f"  {root / 'summary.json'}, {root / 'delivery'}, and `attrition explain CUSTOMER --project {root}`"
    )


def _figures(figures: dict[str, Any]) -> tuple[str, str]:
    return _four(figures["roc_auc"]), _four(figures["log_loss"])


def _four(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
