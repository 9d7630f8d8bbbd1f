"""The commands that remove what must not be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.commands.frame import HERE, AsJson, AsOf, Debug, Project, app, on_workspace

if TYPE_CHECKING:
    from pipelines.foundation.workspace.run_context import RunContext


@app.command()
def erase(
    customers: Annotated[
        list[str],
        typer.Argument(
            help="Ids of customers, as in your data; `--` before one that begins with -.", metavar="CUSTOMER..."
        ),
    ],
    project: Project = HERE,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Remove a person from everything that the workspace wrote, keep them out of later files, and give a receipt.

    Landed rows, rejected rows, snapshots, scores and files handed over lose them; what others have stays as it was.
    Your own exports are not touched: those that still name the person are named. Models that learned from the person
    are named, too; train again. Broken off, the same command goes on.

    Example: attrition erase C-17 --project shop

    JSON: {"receipts": [{"customer": keyed hash, "erased_at", "found", "removed": {kind: {"files", "rows"}}, "models":
    [{"version", "outcome", "champion", "snapshots", "certain"}], "still_held_by": [{"path", "rows"}], "sent_to":
    [destination]}]}
    """

    def work(job: RunContext) -> dict[str, Any]:
        from pipelines.data.privacy.erase import erase as remove

        return remove(job, customers)

    on_workspace(work, project, None, as_json=as_json, debug=debug, older_ledger=True)


@app.command()
def expire(project: Project = HERE, as_of: AsOf = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Remove what is older than the settings' periods: facts, texts of rejected rows, snapshots, scores, files.

    Counted back from the day it looks from. The current scores and the models always stay. Start it from your
    scheduler; monthly will do, since snapshots are computed anew where facts went.

    Example: attrition expire --project shop

    JSON: {"as_of", "removed": {"facts": rows, "rejects": rows, "snapshots": files, "scores": runs, "recommendations":
    rows, "delivery": files}}
    """

    def work(job: RunContext) -> dict[str, Any]:
        from pipelines.data.privacy.expire import expire as remove

        return remove(job)

    on_workspace(work, project, as_of, as_json=as_json, debug=debug)
