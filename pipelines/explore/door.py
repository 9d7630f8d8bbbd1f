"""Where a data scientist comes in."""

from __future__ import annotations

from datetime import UTC, datetime
from os import PathLike
from pathlib import Path

from pipelines.explore.frames import Day, as_day
from pipelines.explore.looked_at import LookedAt
from pipelines.explore.opened import OpenedWorkspace
from pipelines.foundation.identity.erased_list import refuse_older
from pipelines.foundation.workspace.workspace import open_workspace as open_folder


def open_workspace(folder: str | PathLike[str] = ".", *, as_of: Day | None = None) -> OpenedWorkspace:
    """Open a workspace to look at it; nothing below the folder is ever written.

    Parameters
    ----------
    folder
        The workspace's folder.
    as_of
        The local day to look from, a date or "2025-06-01"; nothing known on or after it is used to predict. None:
        `as_of` of the settings, otherwise today.

    Returns
    -------
    OpenedWorkspace

    Raises
    ------
    SettingsError
        Where the folder is no workspace, or its settings do not hold.
    DataError
        Where nothing has landed in it.
    """
    now = datetime.now(UTC)
    found = open_folder(Path(folder), now=now, as_of=None if as_of is None else as_day(as_of))
    looked_at = LookedAt(found.root, found.settings, found.as_of, found.today, found.plays)
    refuse_older(looked_at.store)
    return OpenedWorkspace(looked_at, now)
