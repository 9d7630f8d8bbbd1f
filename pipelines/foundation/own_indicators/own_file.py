"""A Python file with indicators of a workspace's own: its bytes, their hash, and the families that it holds."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from features.catalog import Family
from features.errors import SettingsError
from pipelines.foundation.storage.fingerprint import FOLLOWS
from pipelines.foundation.storage.workspace_paths import is_ours, refuse_outside

SETTING = "settings: indicators"
SHORT = 12  # digits of a hash that people are shown
_LARGEST = 1 << 20  # bytes that a person writes


@dataclass(frozen=True)
class SourceFile:
    """What a file holds; nothing of it has run."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, kw_only=True)
class OwnFile:
    """A file whose code was confirmed and has run.

    sha256: of its bytes, which are `content`. runs_on: hash of what it imports. families: what follows from these.
    """

    name: str
    sha256: str
    runs_on: str
    content: bytes = field(default=b"", compare=False, repr=False, metadata=FOLLOWS)
    families: tuple[Family, ...] = field(compare=False, repr=False, metadata=FOLLOWS)

    @property
    def short(self) -> str:
        return self.sha256[:SHORT]


def families_of(
    files: Iterable[OwnFile], tables: Collection[str] | None = None, *, personal: bool = True
) -> list[Family]:
    """The families of files, each with the groups whose tables are there. tables: None for all groups.

    personal: with the indicators about who the customer is.
    """
    found = []
    for family in (family for file in files for family in file.families):
        there = [group for group in family.groups if tables is None or not group.lacks(tables)]
        groups = [
            replace(group, indicators=tuple(each for each in group.indicators if personal or not each.personal))
            for group in there
        ]
        if any(group.indicators for group in groups):
            found.append(replace(family, groups=tuple(group for group in groups if group.indicators)))
    return found


def read(root: Path, name: str) -> SourceFile:
    """The file of a workspace, read once: what is hashed is what runs.

    Raises: SettingsError where it is not there, is no file of the workspace, or is one of ours.
    """
    place = refuse_outside(root, root / name, setting=SETTING)
    if is_ours(Path(name)):
        raise SettingsError(f"{name} ({SETTING}) lies where attrition keeps files of its own; put it beside them")
    if not place.is_file():
        what = "is a folder, device or pipe" if place.exists() else "is not there"
        raise SettingsError(f"{name} {what} ({SETTING}); put the Python file there, or take its name out")
    try:
        with place.open("rb") as handle:
            content = handle.read(_LARGEST + 1)
    except OSError as error:
        raise SettingsError(
            f"{name} ({SETTING}) cannot be read ({error.strerror}); see that this user may read it"
        ) from None
    if len(content) > _LARGEST:
        raise SettingsError(f"{name} ({SETTING}) is larger than {_LARGEST:,} bytes; put a file of indicators there")
    return SourceFile(name, content)
