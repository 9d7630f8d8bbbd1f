"""What `attrition` alone says."""

from __future__ import annotations

import typer

from pipelines.commands.frame import HERE, app
from pipelines.commands.workspace import check


@app.callback()
def alone(context: typer.Context) -> None:
    """Where there is a workspace here, say where it stands and what to type next; otherwise what can be typed."""
    if context.invoked_subcommand is not None:
        return
    from pipelines.foundation.settings.settings import FILE_NAME

    if (HERE / FILE_NAME).exists():
        check()
    else:
        typer.echo(context.get_help())
