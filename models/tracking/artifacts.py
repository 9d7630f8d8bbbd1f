"""Where a workspace's own MLflow keeps files: beside its SQLite file, wherever the folder lies by now.

MLflow stores the place of each run's files as an absolute path, which is wrong once the folder was moved. A place at
`attrition:/` is beside the SQLite file that is asked, for every process in whose environment attrition is installed
(pyproject.toml names `models.tracking.places.repository` to MLflow).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

_SQLITE = "sqlite:///"
_SERVED = "_MLFLOW_SERVER_FILE_STORE"  # what a server of MLflow's was started on


class WorkspaceArtifacts(LocalArtifactRepository):
    """Files of a run, at `attrition:/FOLDER/RUN/artifacts`."""

    def __init__(self, artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None) -> None:
        super().__init__(place(artifact_uri, tracking_uri).as_uri(), tracking_uri, registry_uri)


def place(artifact_uri: str, tracking_uri: str | None) -> Path:
    """Where on this machine it lies.

    Raises: MlflowException where MLflow is not asked through a workspace's SQLite file, or where the path leads out of
    the folder beside it.
    """
    asked = next((uri for uri in (tracking_uri, os.environ.get(_SERVED), mlflow.get_tracking_uri()) if _file(uri)), "")
    if not asked:
        raise MlflowException(
            f"{artifact_uri} lies in a workspace of attrition; set MLFLOW_TRACKING_URI to its file, "
            f"{_SQLITE}/FOLDER/mlflow.sqlite"
        )
    root = Path(asked.removeprefix(_SQLITE)).resolve().parent
    folder, *inside = artifact_uri.partition(":")[2].strip("/").split("/")
    found = root.joinpath(folder, *inside)
    if not found.resolve().is_relative_to(root / folder) or folder in {"", ".", ".."}:
        raise MlflowException(f"{artifact_uri} leads out of its workspace")
    return found


def _file(uri: Any) -> bool:
    return isinstance(uri, str) and uri.startswith(_SQLITE)
