"""`python -m pipelines.schedule.page PORT`: Dagster's page behind the guard, on a port of this machine.

Put together here, not by Dagster's own command, so that there is no way to start it without the guard.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import uvicorn
from dagster import DagsterInstance
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import ModuleTarget
from dagster_webserver.app import create_app_from_workspace_process_context
from dagster_webserver.version import __version__

from pipelines.foundation.loopback.guard import IN_ENVIRONMENT, Guard, graphql_alone
from pipelines.foundation.loopback.port import HOST


def serve(port: int, token: str) -> None:
    """Answer until a signal comes."""
    target = ModuleTarget(
        "pipelines.schedule.definitions", attribute=None, working_directory=str(Path.cwd()), location_name=None
    )
    with (
        DagsterInstance.get() as instance,
        WorkspaceProcessContext(instance, version=__version__, workspace_load_target=target) as context,
    ):
        app = create_app_from_workspace_process_context(context)
        guard = Guard(app, token=token, port=port, command="attrition schedule", methods=graphql_alone)
        uvicorn.run(guard, host=HOST, port=port, log_level="warning")


if __name__ == "__main__":
    serve(int(sys.argv[1]), os.environ.pop(IN_ENVIRONMENT))
