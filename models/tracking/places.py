"""What MLflow is told of where files of a workspace lie; `models.tracking.artifacts` finds them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

SCHEME = "attrition"
_PLACES = (
    (
        "SELECT experiment_id, artifact_location FROM experiments",
        "UPDATE experiments SET artifact_location = ? WHERE experiment_id = ?",
    ),
    ("SELECT run_uuid, artifact_uri FROM runs", "UPDATE runs SET artifact_uri = ? WHERE run_uuid = ?"),
)


def repository(artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None) -> Any:
    """What MLflow asks for files at a place of ours. It imports this while it is being imported itself."""
    from models.tracking.artifacts import WorkspaceArtifacts

    return WorkspaceArtifacts(artifact_uri, tracking_uri, registry_uri)


def home(folder: str) -> str:
    """The place of an experiment whose files are in a folder beside the SQLite file."""
    return f"{SCHEME}:/{folder}"


def bring_home(database: Path, folder: str) -> None:
    """Give runs and experiments of before, whose files are in `folder` by an absolute path, a place beside the file."""
    with closing(sqlite3.connect(database)) as found, found:
        for read, written in _PLACES:
            for number, uri in found.execute(read).fetchall():
                before, there, inside = str(uri).rpartition(f"/{folder}")
                if there and before.startswith("file:") and (not inside or inside.startswith("/")):
                    found.execute(written, (home(folder) + inside, number))
