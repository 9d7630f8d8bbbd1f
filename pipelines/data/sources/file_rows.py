"""A source that is files: each of them is a delivery of rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from features.errors import DataError
from pipelines.data.sources.containers import inner_name, split, unpacked, unpacking
from pipelines.data.sources.csv_rows import check_csv_header, csv_rows
from pipelines.data.sources.parquet_rows import damaged, parquet_rows
from pipelines.data.sources.raw_rows import RawRows
from pipelines.data.sources.source_rows import SourceRows, found_files, part_sha256, settings_sha256, zone_of
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.settings.sources import FileSource
from pipelines.foundation.storage.store import Store
from pipelines.foundation.storage.workspace_paths import refuse_outside

Format = Literal["csv", "parquet"]

_FORMATS: dict[str, Format] = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".parquet": "parquet", ".pq": "parquet"}


@dataclass(frozen=True)
class FileRows(SourceRows):
    """The rows of one file. part: which file of an archive, or sheet of a workbook, is meant; None: its only one."""

    path: Path
    part: str | None
    format: Format

    def check(self) -> None:
        with unpacking(self.root, self.path) as folder:
            place = unpacked(self.path, self.part, folder, head=self.format == "csv")
            if self.format == "csv":
                check_csv_header(place, self.source)
            else:
                parquet_rows(place, self.source, self.contract)

    def raw(self, folder: Path) -> RawRows:
        place = unpacked(self.path, self.part, folder)
        if self.format == "csv":
            return csv_rows(place, self.source, self.contract, scratch=folder)
        return parquet_rows(place, self.source, self.contract)

    def damage(self) -> DataError | None:
        return damaged(self.path) if self.format == "parquet" else None

    def changed(self) -> bool:
        return part_sha256(self.path, self.part) != self.sha256


def file_rows(store: Store, settings: Settings, source: FileSource) -> Iterator[FileRows]:
    """Every file that a source names, by path. Raises: DataError where there is none, or a format cannot be told."""
    beside = {settings.privacy.objections, settings.privacy.consent}
    pattern, part = split(source.path)
    for path in found_files(store, pattern, table=source.table, beside=beside):
        name = path.relative_to(store.root).as_posix()
        refuse_outside(store.root, path, setting=f"a source of table {source.table}")
        inner = inner_name(path, part)
        told = _FORMATS.get(PurePosixPath(inner).suffix.lower())
        found = told if inner != path.name and told else source.format or told  # a sheet is no CSV, whatever is said
        if found is None:
            raise DataError(
                f'{name}: its ending does not tell a format; set format = "csv" or "parquet" for this source'
            )
        yield FileRows(
            root=store.root,
            source=source,
            name=f"{name}#{part}" if part else name,
            sha256=part_sha256(path, part),
            settings_sha256=settings_sha256(settings, source),
            zone=zone_of(settings, source),
            path=path,
            part=part,
            format=found,
        )
