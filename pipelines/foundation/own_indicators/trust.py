"""Whose code may run: hashes of files that the user of this machine has confirmed, kept outside of every workspace.

A workspace may come from somebody else, and a Python file in it runs with the rights of whoever opens it. So its
settings cannot say by themselves that it runs: this list, or a variable of the environment, must name the hash of its
bytes.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

from features.errors import SettingsError
from pipelines.foundation.own_indicators.own_file import SETTING, SHORT, SourceFile
from pipelines.foundation.storage.atomic_file import atomic_write

VARIABLE = "ATTRITION_TRUSTED_INDICATORS"
LIST = "trusted-indicators"
_HASH = re.compile(r"[0-9a-f]{64}")
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


def list_place() -> Path:
    """Where the confirmed hashes of this user stand."""
    told = os.environ.get("XDG_CONFIG_HOME", "")
    # The specification: a path that is not absolute is to be ignored.
    folder = Path(told) if Path(told).is_absolute() else Path.home() / ".config"
    return folder / "attrition" / LIST


def confirmed(root: Path) -> frozenset[str]:
    """The hashes that may run. Raises: SettingsError where somebody else may have written them."""
    return frozenset(sha256 for sha256, _ in _lines(root)) | _of_environment()


def refuse_unconfirmed(root: Path, files: Sequence[SourceFile]) -> None:
    """Raise SettingsError, by name, at the first file whose bytes nobody has confirmed on this machine."""
    hashes = confirmed(root)
    for file in files:
        if file.sha256 not in hashes:
            raise SettingsError(unconfirmed(root, file))


def unconfirmed(root: Path, file: SourceFile) -> str:
    """What to say of a file that may not run yet: what it is, and the command after which it may."""
    known = any(place == _place(root, file) for _, place in _lines(root))
    why = "it was altered since it was confirmed" if known else "nobody has confirmed it on this machine"
    return (
        f"{file.name} ({SETTING}) is code that would run with your rights, and {why}: nothing of it has run. Look at "
        f"it (sha256 {file.sha256[:SHORT]}), and if you want it to run, type: {command(root)}"
    )


def command(root: Path) -> str:
    """What to type to confirm the files of a workspace."""
    return f"attrition indicators --trust --project {shlex.quote(str(root))}"


def trust(root: Path, files: Iterable[SourceFile]) -> Path:
    """Confirm the files as they were read; the list's place. What else it holds stays.

    Raises: SettingsError where the list cannot be written.
    """
    lines = [*_lines(root), *((file.sha256, _place(root, file)) for file in files)]
    place, text = list_place(), "".join(f"{sha256}  {name}\n" for sha256, name in dict.fromkeys(lines))
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with atomic_write(place) as temporary:
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"{place} cannot be written ({error.strerror}); see that this user may, or name the hashes in the "
            f"environment variable {VARIABLE}"
        ) from None
    return place


def _lines(root: Path) -> list[tuple[str, str]]:
    """Hash and place of each confirmed file, oldest first."""
    place = list_place()
    if place.resolve().is_relative_to(root.resolve()):
        raise SettingsError(
            f"{place}, the list of confirmed files, lies in the workspace itself, so whoever made it could have "
            "confirmed it; set XDG_CONFIG_HOME to a folder outside of it"
        )
    try:
        state = place.stat()
        if state.st_uid != os.getuid() or state.st_mode & _OTHERS_MAY_WRITE:
            raise SettingsError(
                f"{place} may be written by others than you, so what it confirms counts for nothing; look through it, "
                f"then: chown $USER {place}; chmod 600 {place}"
            )
        text = place.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise SettingsError(f"{place} cannot be read ({error.strerror}); see that this user may read it") from None
    parts = (line.partition("  ") for line in text.splitlines())
    return [(sha256, name) for sha256, _, name in parts if _HASH.fullmatch(sha256)]


def _of_environment() -> frozenset[str]:
    told = re.split(r"[\s,]+", os.environ.get(VARIABLE, "").strip().lower())
    if any(each and not _HASH.fullmatch(each) for each in told):
        raise SettingsError(
            f"the environment variable {VARIABLE} holds something else than whole sha256 hashes of 64 digits, with "
            "commas between them; take those that `sha256sum` gives"
        )
    return frozenset(each for each in told if each)


def _place(root: Path, file: SourceFile) -> str:
    """For people, and on one line, whatever the folder is called."""
    return json.dumps(str(root.resolve() / file.name))
