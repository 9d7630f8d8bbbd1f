"""A workspace, somebody to tell, and the moment a command started."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pipelines.foundation.workspace.console import Console
from pipelines.foundation.workspace.workspace import Workspace


@dataclass(frozen=True)
class RunContext:
    """A workspace, somebody to tell, and the moment that the command started."""

    workspace: Workspace
    console: Console
    now: datetime
