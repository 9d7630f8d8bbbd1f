"""MLflow's own page as an application: to be put behind a guard, never on a port as it is."""

from __future__ import annotations

import os
from typing import Any

from models.tracking.places import home


def application(uri: str, *, folder: str) -> Any:
    """The ASGI application of MLflow's server, on an SQLite store. folder: where files lie, beside the SQLite file.

    MLflow reads what it serves from the environment, once: one application a process.
    """
    os.environ |= {
        "_MLFLOW_SERVER_FILE_STORE": uri,
        "_MLFLOW_SERVER_REGISTRY_STORE": uri,
        "_MLFLOW_SERVER_ARTIFACT_ROOT": home(folder),
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "false",
        "_MLFLOW_IN_JOB_EXECUTOR": "false",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    from mlflow.server.fastapi_app import app

    return app
