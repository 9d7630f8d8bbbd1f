"""The folder of a new workspace, made where a person said."""

from __future__ import annotations

from pathlib import Path

from features.errors import SettingsError


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, where they are not there. Raises: SettingsError where that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:  # also "no such file", as the system says of its own folders
        raise SettingsError(
            f"{folder} cannot be made ({error.strerror}); name a folder in which this user may make files"
        ) from None
