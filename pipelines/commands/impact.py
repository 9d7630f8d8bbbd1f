"""The command that says what the plays changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.commands.frame import HERE, AsJson, AsOf, Debug, Project, app, on_workspace

if TYPE_CHECKING:
    from pipelines.foundation.workspace.run_context import RunContext


@app.command()
def impact(project: Project = HERE, as_of: AsOf = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Say what the plays changed against those held out, in customers and money, and whether that is enough evidence.

    Everybody counts in the group that chance put them in, with the first play recommended to them, once the outcome is
    known. Customers kept are those of the treatment group who would have left without the play, less those who did.

    Example: attrition impact --project shop

    JSON: {"as_of", "currency", "horizon_days", "outcome", "recommended", "repeated", "plays": [{"play", "name": {"en",
    "fr"} or null, "treatment", "holdout", "unknown", "without_outcome", "verdict": "kept", "harmed", "not_shown",
    "too_early", "no_holdout" or "no_treatment", "p_value", "p_value_adjusted", "left": {"treatment", "holdout"},
    "judged": {"treatment", "holdout"}, "without", "customers": {"estimate", "low", "high"}, "detectable", "money":
    {"estimate", "low", "high"}, "without_value", "done": {"treatment", "holdout"}, "actions", "cost", "net":
    {"estimate", "low", "high"}}], "overall": the same of all plays together, or null, "said": {"en": [sentence], "fr":
    [sentence]}}
    """

    def work(job: RunContext) -> dict[str, Any]:
        from pipelines.operations.plays.impact import impact as measure

        return measure(job)

    on_workspace(work, project, as_of, as_json=as_json, debug=debug)
