"""A source that is files: each of them is a delivery of rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from features.errors import DataError
from pipelines.data.sources.csv_rows import check_csv_header, csv_rows
from pipelines.data.sources.parquet_rows import damaged, parquet_rows
from pipelines.data.sources.raw_rows import RawRows
from pipelines.data.sources.source_rows import SourceRows, file_sha256, found_files, settings_sha256, zone_of
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.settings.sources import FileSource
from pipelines.foundation.storage.store import Store
from pipelines.foundation.storage.workspace_paths import refuse_outside

Format = Literal["csv", "parquet"]

_FORMATS: dict[str, Format] = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".parquet": "parquet", ".pq": "parquet"}


@dataclass(frozen=True)
class FileRows(SourceRows):
    """The rows of one file."""

    path: Path
    format: Format

    def check(self) -> None:
        if self.format == "csv":
            check_csv_header(self.path, self.source)
        else:
            parquet_rows(self.path, self.source, self.contract)

    def raw(self, scratch: Path) -> RawRows:
        if self.format == "csv":
            return csv_rows(self.path, self.source, self.contract, scratch=scratch)
        return parquet_rows(self.path, self.source, self.contract)

    def damage(self) -> DataError | None:
        return damaged(self.path) if self.format == "parquet" else None

    def changed(self) -> bool:
        return file_sha256(self.path) != self.sha256


def file_rows(store: Store, settings: Settings, source: FileSource) -> Iterator[FileRows]:
    """Every file that a source names, by path. Raises: DataError where there is none, or a format cannot be told."""
    beside = {settings.privacy.objections, settings.privacy.consent}
    for path in found_files(store, source.path, table=source.table, beside=beside):
        name = path.relative_to(store.root).as_posix()
        refuse_outside(store.root, path, setting=f"a source of table {source.table}")
        found = source.format or _FORMATS.get(path.suffix.lower())
        if found is None:
            raise DataError(
                f'{name}: its ending does not tell a format; set format = "csv" or "parquet" for this source '
                "(a packed file must be unpacked)"
            )
        yield FileRows(
            source=source,
            name=name,
            sha256=file_sha256(path),
            settings_sha256=settings_sha256(settings, source),
            zone=zone_of(settings, source),
            path=path,
            format=found,
        )
