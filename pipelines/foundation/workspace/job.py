"""A workspace, somebody to tell, and the moment a command started."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pipelines.foundation.workspace.console import People
from pipelines.foundation.workspace.workspace import Workspace


@dataclass(frozen=True)
class Job:
    """A workspace, somebody to tell, and the moment that the command started."""

    workspace: Workspace
    people: People
    now: datetime
