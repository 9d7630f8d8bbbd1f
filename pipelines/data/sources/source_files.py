"""The files that the settings name, with the hashes that tell whether one has been landed just so before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from features.contract import Table
from features.errors import DataError
from features.tables import TABLES
from pipelines.data.sources.csv_rows import check_csv_header
from pipelines.data.sources.parquet_rows import parquet_rows
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.settings.sources import Source
from pipelines.foundation.storage.landings import LANDED, REJECTED
from pipelines.foundation.storage.store import Store
from pipelines.foundation.storage.workspace_paths import refuse_outside

Format = Literal["csv", "parquet"]

# What decides only which of the landed rows count, and until when; prefix and guests are named where there are some.
_COUNTING = ("new_file", "exported_on", "corrects_past", "key_prefix", "complete_until", "silence", "guests")
_READING = 1  # raised where the same file and settings shall land otherwise than before
_FORMATS: dict[str, Format] = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".parquet": "parquet", ".pq": "parquet"}


@dataclass(frozen=True)
class SourceFile:
    """One file of one source.

    name: its path below the workspace. settings_sha256: of everything but the file that decides what lands. zone: the
    time zone of its clock times.
    """

    source: Source
    path: Path
    name: str
    format: Format
    sha256: str
    settings_sha256: str
    zone: str

    @property
    def contract(self) -> Table:
        return TABLES[self.source.table]

    @property
    def keyed(self) -> bool:
        """Whether its rows have a key of their own: none is made up."""
        return bool(self.contract.key) and set(self.contract.key) <= self.source.columns.keys()

    @property
    def stem(self) -> str:
        return f"{self.sha256[:16]}-{self.settings_sha256[:8]}"

    def place(self, kind: str) -> str:
        """Where this reading of the file lies below the workspace, landed or rejected."""
        return f"{kind}/{self.source.table}/{self.stem}.parquet"


def source_files(store: Store, settings: Settings) -> list[SourceFile]:
    """Every file that a source names, by source and then by path.

    Raises: DataError where a source names none, a format cannot be told, or two sources read one file differently.
    """
    found = [
        _source_file(store, settings, source, path)
        for source in settings.sources
        for path in _paths(store, source, beside={settings.privacy.objections, settings.privacy.consent})
    ]
    seen: dict[tuple[str, str], SourceFile] = {}
    for file in found:
        first = seen.setdefault((file.source.table, file.sha256), file)
        if first.settings_sha256 != file.settings_sha256:
            raise DataError(
                f"{first.name} and {file.name} hold the same bytes, but two sources of table {file.source.table} read "
                "them differently, and only one reading can hold; remove one of the two sources from attrition.toml"
            )
    return found


def check_headings(file: SourceFile) -> None:
    """Raise DataError where a file lacks a column that its source maps, or has it in a type that does not fit."""
    if file.format == "csv":
        check_csv_header(file.path, file.source)
    else:
        parquet_rows(file.path, file.source, file.contract)


def file_sha256(path: Path) -> str:
    """Hash of a file as it is now. Raises: DataError where it cannot be read."""
    try:
        with path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); see that it is there and may be read") from None


def _source_file(store: Store, settings: Settings, source: Source, path: Path) -> SourceFile:
    name = path.relative_to(store.root).as_posix()
    refuse_outside(store.root, path, setting=f"a source of table {source.table}")
    found = source.format or _FORMATS.get(path.suffix.lower())
    if found is None:
        raise DataError(
            f'{name}: its ending does not tell a format; set format = "csv" or "parquet" for this source '
            "(a packed file must be unpacked)"
        )
    return SourceFile(source, path, name, found, file_sha256(path), _hash(settings, source), _zone(settings, source))


def _named(path: Path, root: Path) -> str:
    """A file's path below the workspace. Raises: DataError where it is no text: the ledger could not hold it."""
    name = path.relative_to(root).as_posix()
    try:
        name.encode()
    except UnicodeEncodeError:
        raise DataError(f"the name of {name!r} is not UTF-8, so it cannot be written down; rename the file") from None
    return name


def _paths(store: Store, source: Source, *, beside: Collection[str | None]) -> list[Path]:
    """beside: files that a wide pattern may catch and that are no sources."""
    literal = store.root / source.path
    found = [literal] if literal.is_file() else sorted(_foreign(store, store.root.glob(source.path)))
    found = [path for path in found if _named(path, store.root) not in beside]
    if not found:
        raise DataError(
            f"no file matches '{source.path}' in {store.root} (source of table {source.table}); put the file there, or "
            "correct `path` in attrition.toml"
        )
    return found


def _foreign(store: Store, paths: Iterator[Path]) -> Iterator[Path]:
    """Without what a wide pattern such as `**/*.parquet` finds of our own files."""
    for path in paths:
        ours = path.relative_to(store.root).parts[0] in (LANDED, REJECTED)
        if not ours and path.is_file() and store.find(_named(path, store.root)) is None:
            yield path


def _zone(settings: Settings, source: Source) -> str:
    return source.dialect.time_zone or settings.time_zone


def _hash(settings: Settings, source: Source) -> str:
    contract = TABLES[source.table]
    decides = {
        "reading": _READING,
        "source": source.model_dump(mode="json", exclude={"path", *_COUNTING}),
        "zones": [settings.time_zone, _zone(settings, source)],
        "contract": [contract.key, contract.happened_at, contract.landed],
        "columns": [
            [column.name, column.kind, column.required, column.made_when_absent] for column in contract.columns
        ],
        **({"key_prefix": source.key_prefix} if source.key_prefix else {}),
        **({"guests": sorted(source.guests)} if source.guests else {}),
        **({"pseudonymised": True} if settings.privacy.pseudonymise else {}),
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()
