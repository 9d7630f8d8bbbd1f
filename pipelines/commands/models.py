"""The commands that look at models and put one in another's place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.commands.frame import HERE, AsJson, Debug, Port, Project, announce, app, on_workspace, say

if TYPE_CHECKING:
    from pipelines.foundation.workspace.run_context import RunContext


@app.command()
def models(project: Project = HERE, as_json: AsJson = False, debug: Debug = False) -> None:
    """List the versions of every outcome's model, with the verdict on each and the figures behind it.

    Example: attrition models --project shop

    JSON: {"models": [{"outcome", "version", "trained_at", "champion", "promoted", "verdict", "gates": [{"gate",
    "champion", "challenger", "worse_by", "low", "high", "margin", "passed", "segment"}], "champion_since": [{"version",
    "since", "why", "rolled_back_at"}], "published"}]}
    """

    def work(job: RunContext) -> dict[str, Any]:
        from pipelines.prediction.training.promotion import models as listed

        return listed(job)

    on_workspace(work, project, None, as_json=as_json, debug=debug, writes=False)


@app.command()
def promote(
    version: Annotated[str, typer.Argument(help="The model's version, as in `attrition models`.", metavar="VERSION")],
    project: Project = HERE,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Make a version champion, whatever its verdict was. The next `attrition score` scores with it.

    Example: attrition promote 1f0c2a9b77de --project shop

    JSON: {"outcome", "champion", "was": version or null, "published"}
    """

    def work(job: RunContext) -> dict[str, Any]:
        from pipelines.prediction.training.promotion import promote as put

        return put(job, version)

    on_workspace(work, project, None, as_json=as_json, debug=debug)


@app.command()
def rollback(
    project: Project = HERE,
    outcome: Annotated[
        str | None, typer.Option(help="Of which outcome. Default: the settings' first.", metavar="OUTCOME")
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Go back to the champion before today's, and to the scores that it gave last, value for value.

    Nothing is computed: it takes seconds. Called again, it goes one champion further back.

    Example: attrition rollback --project shop

    JSON: {"outcome", "champion", "was", "scores_of": as_of or null, "published"}
    """

    def work(job: RunContext) -> dict[str, Any]:
        from pipelines.prediction.training.promotion import rollback as back

        return back(job, outcome)

    on_workspace(work, project, None, as_json=as_json, debug=debug)


@app.command()
def mlflow(
    project: Project = HERE,
    port: Port = 0,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Open MLflow's page on the workspace's models: runs, folds, figures, charts, versions.

    For this machine alone, and for whoever has the address that is printed: its token is new at each start. Programs
    take it as MLFLOW_TRACKING_TOKEN. Works until Ctrl-C or TERM. With --json the document comes when the page answers.

    Example: attrition mlflow --project shop

    JSON: {"url"}
    """

    def work(job: RunContext) -> dict[str, Any]:
        from pipelines.prediction.training.mlflow_page import serve

        def started(url: str) -> None:
            announce({"url": url}, f"page: {url} (from this machine only); Ctrl-C ends it", as_json=as_json)

        say("starting ...", as_json=as_json)
        serve(job.workspace.settings.tracking, job.workspace.root, port=port, started=started)
        say("ended; nothing is left running", as_json=as_json)
        return {}

    on_workspace(work, project, None, as_json=False, debug=debug, writes=False)
