"""The commands that hand over what was scored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.commands.frame import HERE, AsJson, AsOf, Commands, Debug, Project, app, on_workspace
from pipelines.operations.delivery.progress_lines import undelivered

if TYPE_CHECKING:
    from pipelines.foundation.workspace.run_context import RunContext

crm = typer.Typer(cls=Commands, help="Prepare the destinations of the settings.", no_args_is_help=True)
app.add_typer(crm, name="crm")

Destination = Annotated[
    str | None, typer.Option("--destination", "-d", help="Only this one. Default: all.", metavar="NAME")
]


@app.command()
def deliver(
    project: Project = HERE,
    as_of: AsOf = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Send and write nothing: say what would be, with samples.")
    ] = False,
    despite: Annotated[
        list[str] | None,
        typer.Option(help="Pass by a guard: changes or bands. Repeat for both.", metavar="GUARD"),
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Hand over what was scored, as `score` does at its end: to files, and to the destinations what they lack.

    Each record is sent until its destination has taken or refused it; killed or broken off, the same command goes on.
    Guards stop before anything is sent where scores are out of date, of a model that is not champion, or change more
    than the settings allow. Exit code 1 where records still wait, or a destination holds something else than it took.

    Example: attrition deliver --project shop --dry-run

    JSON: {"planned", "sent", "unchanged", "suppressed", "failed", "dead", "destinations": [{"name", the same counts,
    "why", "read_back", "mended", "differing": {customer: [field]}; with --dry-run "sample": [record]}], "stopped":
    [reason], "current", "csv": path or null, "also": path or null, "too_old": [outcome], "announced": {"customers",
    "mrr", "csv"}}. Counts are records: planned were to be sent, sent were taken, failed wait for the next run, dead
    were refused (now or before); suppressed are customers whose risk is shown to nobody.
    """

    def work(job: RunContext) -> dict[str, Any]:
        from pipelines import run as stages
        from pipelines.operations.delivery.guards import passable

        return stages.deliver(job, despite=passable(despite or ()), dry_run=dry_run)

    def failed(document: dict[str, Any]) -> bool:
        return bool(undelivered(document) or document["stopped"])

    on_workspace(work, project, as_of, as_json=as_json, debug=debug, writes=not dry_run, failed=failed)


@app.command()
def outbox(
    customers: Annotated[
        list[str] | None,
        typer.Argument(help="With --retry or --drop: only these customers. Default: all.", metavar="[CUSTOMER]..."),
    ] = None,
    project: Project = HERE,
    destination: Destination = None,
    retry: Annotated[bool, typer.Option("--retry", help="Try what was refused or dropped once more.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Let go of what was refused, until it changes.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """What waits to be sent, what was refused and why, what each destination holds, and the newest deliveries.

    Example: attrition outbox --project shop --destination hubspot --retry

    JSON: {"destinations": [{"name", "pending", "dead", "dropped", "held", "moved", "letters": [{"external_id", "state",
    "attempts", "why", "planned_at", "withdrawn"}], "deliveries": [{"as_of", "run_id", "started_at", "detail"}]}]}
    """

    def work(job: RunContext) -> dict[str, Any]:
        from pipelines.operations.delivery.outbox_command import manage_outbox

        return manage_outbox(job, destination, customers=customers, retry=retry, drop=drop)

    on_workspace(work, project, None, as_json=as_json, debug=debug, writes=retry or drop)


@crm.command()
def setup(
    project: Project = HERE, destination: Destination = None, as_json: AsJson = False, debug: Debug = False
) -> None:
    """Make the custom fields that the destinations lack, and say what still keeps scores from being sent there.

    Fields that are there are left alone.

    Example: attrition crm setup --project shop --destination hubspot

    JSON: {"destinations": [{"name", "made": [field], "problem": text or null}]}
    """

    def work(job: RunContext) -> dict[str, Any]:
        from pipelines.operations.delivery.readiness import setup as make

        return make(job, destination)

    on_workspace(work, project, None, as_json=as_json, debug=debug, writes=False)


@crm.command()
def check(
    project: Project = HERE, destination: Destination = None, as_json: AsJson = False, debug: Debug = False
) -> None:
    """Try the destinations: do the credentials do, is every field there? Nothing is written.

    Example: attrition crm check --project shop

    JSON: {"destinations": [{"name", "problem": text or null}]}
    """

    def work(job: RunContext) -> dict[str, Any]:
        from pipelines.operations.delivery.readiness import check as look

        return look(job, destination)

    def failed(document: dict[str, Any]) -> bool:
        return any(each["problem"] for each in document["destinations"])

    on_workspace(work, project, None, as_json=as_json, debug=debug, writes=False, failed=failed)
