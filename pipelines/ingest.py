"""What the settings name as sources, landed: immutable, typed and hashed, with a ledger of every row left out."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow as pa

from features.contract import Table
from features.errors import DataError, IntegrityError
from features.tables import TABLES
from pipelines.csv_rows import csv_rows
from pipelines.landed import LANDED, REJECTED, holds, landed_tables
from pipelines.parquet_file import REJECTED_SCHEMA, landed_schema, write_parquet
from pipelines.parquet_rows import damaged, parquet_rows
from pipelines.refused import refuse_beyond
from pipelines.settings import Settings, Source
from pipelines.store import Store
from pipelines.typed_rows import TypedRows, workbench

__all__ = ["IngestResult", "ingest", "landed_tables"]

_VERSION = 1  # raised where the same file and settings shall land otherwise than before
_FORMATS: dict[str, Literal["csv", "parquet"]] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}


@dataclass(frozen=True)
class IngestResult:
    """What became of one source file. path: below the workspace; rows_in = landed + rejected, always."""

    table: str
    path: str
    rows_in: int
    landed: int
    rejected: int
    status: Literal["landed", "unchanged"]


@dataclass(frozen=True)
class _SourceFile:
    """A file that a source names, with the hashes that tell whether it must be read. zone: of its clock times."""

    source: Source
    path: Path
    relative: str
    format: Literal["csv", "parquet"]
    sha256: str
    settings_sha256: str
    zone: str

    @property
    def contract(self) -> Table:
        return TABLES[self.source.table]

    @property
    def name(self) -> str:
        return f"{self.sha256[:16]}-{self.settings_sha256[:8]}"

    def place(self, kind: str) -> str:
        return f"{kind}/{self.source.table}/{self.name}.parquet"


def ingest(
    store: Store, settings: Settings, *, progress: Callable[[str], None] | None = None
) -> list[IngestResult]:
    """Land every file that the sources name; a file that is landed already under the same settings is left alone.

    Each file lands whole or not at all: `landed/<table>/` holds its rows that keep the contract, `rejected/<table>/` the
    others, each with its reason.

    Raises: DataError where a source has no file, or a file cannot be read as declared, contradicts itself or has too
    many rejected rows; IntegrityError where a landed file was altered.
    """
    say = progress or (lambda _: None)
    found = [(source, path) for source in settings.sources for path in _paths(store, source)]
    files = [_source_file(store, settings, source, path) for source, path in found]
    _refuse_two_readings(files)
    return [_ingest_file(store, file, settings, say) for file in files]


def _ingest_file(store: Store, file: _SourceFile, settings: Settings, say: Callable[[str], None]) -> IngestResult:
    before = holds(store, file.place(LANDED), table=file.source.table, source=file.relative)
    if before and all((store.root / file.place(kind)).exists() for kind in (LANDED, REJECTED)):
        for kind in (LANDED, REJECTED):
            store.verified(store.recorded(file.place(kind)))
        say(f"{file.relative}: unchanged")
        return _result(file, before.detail, "unchanged")
    say(f"{file.relative}: reading")
    with _typed(store, file, settings) as (count, rows):
        detail = {
            "table": file.source.table,
            "source": file.relative,
            "source_sha256": file.sha256,
            "rows_in": count,
            "landed": rows.landed,
            "rejected": rows.rejected,
        }
        _check_sum(file, detail)
        refuse_beyond(store, file.source, rows, count=count, source=file.path, name=file.name)
        if _hash(file.path) != file.sha256:
            raise DataError(f"{file.relative} was written to while it was read; run again when it is complete")
        # The rejects first: who finds a landed file finds its rejects.
        _put(store, file.place(REJECTED), rows.rejected_batches(), REJECTED_SCHEMA, rows.rejected, kind=REJECTED, **detail)
        _put(
            store,
            file.place(LANDED),
            rows.landed_batches(),
            landed_schema(file.contract),
            rows.landed,
            kind=LANDED,
            columns=file.contract.landed,
            keyed=bool(file.contract.key) and set(file.contract.key) <= file.source.columns.keys(),
            **detail,
        )
