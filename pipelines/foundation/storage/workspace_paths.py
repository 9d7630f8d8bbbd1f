"""Files that settings name lie below the workspace: a link that leads out of it is refused, too."""

from __future__ import annotations

from pathlib import Path

from features.errors import SettingsError


def refuse_outside(root: Path, place: Path, *, setting: str) -> Path:
    """The place back. Raises: SettingsError where it is, or is linked to, something outside of `root`."""
    if not place.resolve().is_relative_to(root.resolve()):
        raise SettingsError(
            f"{place.relative_to(root).as_posix()} ({setting}) is a link that leads out of {root}; put the file itself "
            "into the workspace, so that what is read, kept and erased is in one place"
        )
    return place
