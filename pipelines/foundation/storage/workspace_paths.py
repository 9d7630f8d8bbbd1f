"""Which places below a workspace are ours, and that none of them is, or leads to, something outside.

A workspace may come from somebody else. A path in its ledger becomes a place on the disk by `place_of` alone, and
nobody opens a ledger, or takes a workspace to write, before `refuse_leading_out` has looked at everything that is ours.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from os import stat_result
from pathlib import Path

from features.errors import IntegrityError, SettingsError

LEDGER = "attrition.sqlite"
TRACKING = "mlflow.sqlite"
ARTIFACTS = "mlflow_artifacts"
SCHEDULER = ".dagster"

# Folders that are ours; those in which every file has rows of customers, whether the ledger lists it or not, first.
MADE = ("landed", "rejected", "counted", "snapshots", "outcomes", "results", "scores")
FETCHED = "fetched"  # what a system's API gave, until it has landed; the ledger lists none of it
FOLDERS = (*MADE, FETCHED, "delivery", "impact", "models", "monitoring", "receipts", ARTIFACTS, SCHEDULER)
PAGES = ("report.html", "summary.json")

_LISTED = frozenset(FOLDERS) - {
    FETCHED,
    ARTIFACTS,
    SCHEDULER,
}  # where files lie that the ledger lists, beside the pages
_MADE_AGAIN = _LISTED - {"receipts"}  # receipts are not: they are kept, and say that somebody was erased
_WITH_LOGS = tuple(f"{name}{log}" for name in (LEDGER, TRACKING) for log in ("", "-wal", "-shm", "-journal"))

_IN_PLACE = (".lock", ".sqlite", "-wal", "-shm", "-journal")  # all else is written beside its place, then renamed


def refuse_outside(root: Path, place: Path, *, setting: str) -> Path:
    """The place back. Raises: SettingsError where it is, or is linked to, something outside of `root`."""
    if not place.resolve().is_relative_to(root.resolve()):
        raise SettingsError(
            f"{place.relative_to(root).as_posix()} ({setting}) is a link that leads out of {root}; put the file itself "
            "into the workspace, so that what is read, kept and erased is in one place"
        )
    return place


def refuse_other_path(root: Path, path: str) -> None:
    """Raise IntegrityError where a path in the ledger is none of those that we list."""
    parts = path.split("/")
    listed = len(parts) > 1 and parts[0] in _LISTED and not {"", ".", ".."} & {*parts} and "\0" not in path
    if not listed and path not in PAGES:
        raise IntegrityError(
            f"{root / LEDGER} lists a file where attrition keeps none ({path[:80]!r}), so it was altered, and nothing "
            "there is touched; restore the ledger from a backup"
        )


def place_of(root: Path, path: str) -> Path:
    """Where a file that the ledger lists lies.

    Raises: IntegrityError where the path is none of those that we list, or where what lies there, or on the way there,
    is a link or anything else that we did not make.
    """
    refuse_other_path(root, path)
    parts = path.split("/")
    place = root
    for number, part in enumerate(parts, 1):
        place = place / part
        state = _state(place)
        if state is None:
            break
        _refuse_other_than(place, state, folder=number < len(parts))
    return root / path


def refuse_leading_out(root: Path) -> None:
    """Look at all that is ours below a workspace, listed or not, and follow nothing.

    Raises: IntegrityError, by name, at a link, a device, a pipe, a file in place of a folder or the other way round, or
    a file that is written in place and has a second name somewhere.
    """
    for name in FOLDERS:
        state = _state(root / name)
        if state is not None:
            _refuse_other_than(root / name, state, folder=True)
            for place in _below(root / name):
                _refuse_within(place, in_place=name == SCHEDULER)
    for place in root.iterdir() if root.is_dir() else ():
        if _is_our_file(place.name):
            state = _state(place)
            # What a killed run left may be a folder; it is swept.
            if state is not None and ".attrition-tmp" not in place.name:
                _refuse_other_than(place, state, folder=False)
            _refuse_within(place, in_place=place.name.endswith(_IN_PLACE))


def what_is_left(root: Path) -> list[str]:
    """The folders and pages of which there is something, and which are there only once a ledger lists them."""
    folders = [name for name in FOLDERS if name in _MADE_AGAIN and any(_files(root / name))]
    return [*(f"{name}/" for name in folders), *(name for name in PAGES if (root / name).exists())]


def _files(folder: Path) -> Iterator[Path]:
    return (place for place in _below(folder) if place.is_file()) if folder.is_dir() else iter(())


def is_ours(name: Path) -> bool:
    """Whether we wrote what has this name, relative to the workspace; the ledger may list more."""
    return name.parts[0] in FOLDERS or _is_our_file(name.name)


def _is_our_file(name: str) -> bool:
    return name.startswith(".attrition") or name in _WITH_LOGS or name in PAGES or ".attrition-tmp" in name


def _below(folder: Path) -> Iterator[Path]:
    for place in folder.iterdir():
        yield place
        state = _state(place)
        if state is not None and stat.S_ISDIR(state.st_mode):
            yield from _below(place)


def _refuse_within(place: Path, *, in_place: bool) -> None:
    state = _state(place)
    if state is None or stat.S_ISDIR(state.st_mode):
        return
    _refuse_other_than(place, state, folder=False)
    if in_place and state.st_nlink > 1:
        raise IntegrityError(
            f"{place} has a second name (a hard link), and writing it would change that, too; copy it, delete it, and "
            "give the copy its name"
        )


def _refuse_other_than(place: Path, state: stat_result, *, folder: bool) -> None:
    if (stat.S_ISDIR if folder else stat.S_ISREG)(state.st_mode):
        return
    found = (
        "a link" if stat.S_ISLNK(state.st_mode)
        else "a folder" if stat.S_ISDIR(state.st_mode)
        else "a file" if stat.S_ISREG(state.st_mode)
        else "a device, pipe or socket"
    )  # fmt: skip
    wanted = "folder" if folder else "file"
    raise IntegrityError(
        f"{place} is {found}, where attrition keeps a {wanted} of its own; nothing was read or written through it. Put "
        f"the {wanted} itself there, or remove it and run the command that makes it again"
    )


def _state(place: Path) -> stat_result | None:
    try:
        return place.lstat()
    except (FileNotFoundError, NotADirectoryError):  # somebody else's unfinished file, gone by now
        return None
