"""Files that are there whole or not at all, and the removal of what a process left that was killed over them."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Once more at the end what SQLite writes beside a database, as its journal.
_UNFINISHED = re.compile(r"\..+\.(\d+)\.attrition-tmp(-\w+)*")


def unfinished(target: Path) -> Path:
    """Where this process writes what will be `target`: beside it, and known by its name should we be killed.

    Its folder is made: any folder of a workspace may have been deleted. Nobody can know the name before, so no link can
    have been laid there.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    return target.with_name(f".{target.name}.{os.getpid()}.attrition-tmp-{secrets.token_hex(8)}")


@contextmanager
def atomic_write(target: Path) -> Iterator[Path]:
    """A place to write to; it becomes `target` once the block ended well, flushed to the disk, or is removed."""
    temporary = unfinished(target)
    try:
        yield temporary
        _flush(temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    _flush(target.parent)


@contextmanager
def scratch(root: Path, name: str) -> Iterator[Path]:
    """A folder for what is not to last; removed after the block."""
    folder = unfinished(root / name)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(root: Path) -> None:
    """Remove what processes that are gone left unfinished: it was never listed, and a copy of a large file is large."""
    for place in root.rglob(".*.attrition-tmp*"):
        written = _UNFINISHED.fullmatch(place.name)
        if written and not _alive(int(written[1])):
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place, ignore_errors=True)
            else:
                place.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    with suppress(PermissionError):  # somebody else's, at work
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
    return True


def _flush(place: Path) -> None:
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
