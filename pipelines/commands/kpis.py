"""The command that counts: who stayed, who left, and what that did to revenue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.commands.frame import HERE, AsJson, AsOf, Debug, Project, app, on_workspace

if TYPE_CHECKING:
    from pipelines.foundation.workspace.run_context import RunContext


@app.command()
def kpis(
    project: Project = HERE,
    by: Annotated[
        str | None,
        typer.Option(help="One row per month and country, plan, channel, signup_cohort or value_tier.", metavar="BY"),
    ] = None,
    months: Annotated[
        int | None, typer.Option(min=1, max=12_000, help="Only the newest so many months.", metavar="N")
    ] = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Retention, attrition and recurring revenue by calendar month, each defined, and retention by signup cohort.

    Full months only. Amounts are exact to the cent, rates are in percent; null where there is nothing to divide by,
    or where nothing tells why customers left.
    docs/figures.md holds every definition beside those of others, with worked cases.
    Customers without subscriptions have no amounts of revenue, and a repeat rate instead.

    Example: attrition kpis --project company --by plan --months 12

    JSON: {"as_of", "currency", "by", "months": [{"month", "segment", "customers_start", "new", "reactivated", "lost",
    "voluntary_lost", "involuntary_lost", "customers_end", "retention_rate", "attrition_rate",
    "attrition_rate_of_total", "buyers", "repeat_buyers", "repeat_rate", "mrr_start", "mrr_new", "mrr_reactivation",
    "mrr_expansion", "mrr_contraction", "mrr_churned", "mrr_end", "new_and_lost", "mrr_new_and_lost",
    "customers_unpriced", "mrr_became_known", "mrr_became_unknown", "grr", "nrr", "net_negative_churn",
    "expansion_share", "provisional"}], "cohorts": [{"cohort", "months_since", "customers", "retained", "rate", "low",
    "high"}], "definitions": {field: {"en", "fr"}}}
    """

    def work(job: RunContext) -> dict[str, Any]:
        from pipelines.data.kpis.kpis import kpis as count

        return count(job, by=by, months=months)

    on_workspace(work, project, as_of, as_json=as_json, debug=debug, writes=False)
