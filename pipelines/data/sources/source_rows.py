"""What every kind of source hands over: the rows of one file or query as they are now, and what they are known by."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.contract import Table
from features.errors import DataError
from pipelines.data.sources.raw_rows import RawRows
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.settings.sources import Source
from pipelines.foundation.storage.landings import LANDED, REJECTED
from pipelines.foundation.storage.store import Store

# What decides only which of the landed rows count, and until when; prefix and guests are named where there are some.
_COUNTING = ("new_file", "exported_on", "corrects_past", "key_prefix", "complete_until", "silence", "guests", "guessed")
# What decides only how, and of whom, rows are asked for.
_ASKING = ("time_limit_minutes", "url", "password_env", "overlap_days")
# Settings that came later: unused, they leave the name of a reading as it was.
_NEWER = ("lower_case",)
_NEWER_OF_DIALECT = ("booleans", "currency_sign", "round_numbers")
_READING = 1  # raised where the same file and settings shall land otherwise than before


@dataclass(frozen=True)
class SourceRows(ABC):
    """The rows of one table that one source gives now, before they are typed and judged.

    root: the workspace. name: what they land under, and what messages call them. sha256: of all bytes that they are
    made of; empty where they have yet to be fetched.
    settings_sha256: of everything else that decides what lands. zone: the time zone of their clock times.
    """

    root: Path
    source: Source
    name: str
    sha256: str
    settings_sha256: str
    zone: str

    @property
    def contract(self) -> Table:
        return self.source.contract

    @property
    def columns(self) -> Mapping[str, str]:
        """Which source column fills which contract column."""
        return self.source.columns

    @property
    def keyed(self) -> bool:
        """Whether its rows have a key of their own: none is made up."""
        return bool(self.contract.key) and set(self.contract.key) <= self.columns.keys()

    @property
    def stem(self) -> str:
        return f"{self.sha256[:16]}-{self.settings_sha256[:8]}"

    def place(self, kind: str) -> str:
        """Where this reading of the rows lies below the workspace, landed or rejected."""
        return f"{kind}/{self.source.table}/{self.stem}.parquet"

    @property
    def noted(self) -> Mapping[str, str | None]:
        """What their entry in the ledger says beside what that of every source does."""
        return {}

    def fetch(self, folder: Path) -> SourceRows:  # noqa: ARG002 - files are at hand
        """These rows, at hand: those that lie elsewhere are brought into `folder`, which outlives their use.

        Raises: DataError, SettingsError where they cannot be had.
        """
        return self

    @abstractmethod
    def check(self) -> None:
        """Raise DataError where a column that is mapped is missing, or of a type that does not fit."""

    @abstractmethod
    def raw(self, folder: Path) -> RawRows:
        """The rows. folder: one for what reading them needs, and which outlives their use.

        Raises: DataError where they cannot be read as declared.
        """

    @abstractmethod
    def damage(self) -> DataError | None:
        """Words for what they are made of where it breaks in the middle of being read; None: it cannot."""

    @abstractmethod
    def changed(self) -> bool:
        """Whether what they are made of was written to since they were found."""


def file_sha256(path: Path) -> str:
    """Hash of a file as it is now. Raises: DataError where it cannot be read."""
    try:
        with path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); see that it is there and may be read") from None


def part_sha256(path: Path, part: str | None) -> str:
    """Hash of a file and of which part of it is meant: two sheets of a workbook are two contents."""
    whole = file_sha256(path)
    return whole if part is None else hashlib.sha256(f"{whole}#{part}".encode()).hexdigest()


def found_files(store: Store, pattern: str, *, table: str, beside: Collection[str | None]) -> list[Path]:
    """The files of a workspace that a path or pattern names, by name. beside: files that it may catch by chance.

    Raises: DataError where there is none.
    """
    literal = store.root / pattern
    found = [literal] if literal.is_file() else sorted(_foreign(store, store.root.glob(pattern)))
    found = [path for path in found if _named(path, store.root) not in beside]
    if not found:
        raise DataError(
            f"no file matches '{pattern}' in {store.root} (source of table {table}); put the file there, or "
            "correct `path` in attrition.toml"
        )
    return found


def zone_of(settings: Settings, source: Source) -> str:
    """The time zone of a source's clock times."""
    return source.dialect.time_zone or settings.time_zone


def settings_sha256(settings: Settings, source: Source, **more: object) -> str:
    """Hash of what decides, beside the bytes of files, what lands."""
    contract = source.contract
    given = source.model_dump(mode="json", exclude={"kind", "path", *_ASKING, *_COUNTING})
    _without_unused(given, _NEWER)
    _without_unused(given["dialect"], _NEWER_OF_DIALECT)
    decides = {
        "reading": _READING,
        "source": given,
        "zones": [settings.time_zone, zone_of(settings, source)],
        "contract": [contract.key, contract.happened_at, contract.landed],
        "columns": [
            [column.name, column.kind, column.required, column.made_when_absent] for column in contract.columns
        ],
        **({"key_prefix": source.key_prefix} if source.key_prefix else {}),
        **({"guests": sorted(source.guests)} if source.guests else {}),
        **({"pseudonymised": True} if settings.privacy.pseudonymise else {}),
        **more,
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()


def _without_unused(given: dict[str, Any], names: Collection[str]) -> None:
    for name in names:
        if not given[name]:
            del given[name]


def _named(path: Path, root: Path) -> str:
    """A file's path below the workspace. Raises: DataError where it is no text: the ledger could not hold it."""
    name = path.relative_to(root).as_posix()
    try:
        name.encode()
    except UnicodeEncodeError:
        raise DataError(f"the name of {name!r} is not UTF-8, so it cannot be written down; rename the file") from None
    return name


def _foreign(store: Store, paths: Iterator[Path]) -> Iterator[Path]:
    """Without what a wide pattern such as `**/*.parquet` finds of our own files."""
    for path in paths:
        ours = path.relative_to(store.root).parts[0] in (LANDED, REJECTED)
        if not ours and path.is_file() and store.find(_named(path, store.root)) is None:
            yield path
