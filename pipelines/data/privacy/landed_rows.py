"""Rows taken out of a landed file and of its rejects, which then are those that landing without them gives."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import partial
from pathlib import Path, PurePosixPath

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.errors import IntegrityError
from pipelines.foundation.identity.erased_customers import ERASED, masked, names_in
from pipelines.foundation.identity.objections import ID
from pipelines.foundation.storage.landed_parquet import REJECTED_SCHEMA, write_parquet
from pipelines.foundation.storage.landings import LANDED, REJECTED
from pipelines.foundation.storage.rewriting import rewrite
from pipelines.foundation.storage.sql_text import PARQUET
from pipelines.foundation.storage.store import Store, StoredFile

_COUNT = f"SELECT {ID}, count(*) FROM {PARQUET} WHERE {ID} IN (SELECT unnest(?::VARCHAR[])) GROUP BY ALL"  # noqa: S608 - constants
_ROWS = f"SELECT source_row FROM {PARQUET} WHERE {ID} IN (SELECT unnest(?::VARCHAR[]))"  # noqa: S608 - constants
_FIRST = f"SELECT min(known_at)::VARCHAR FROM {PARQUET} WHERE source_row NOT IN (SELECT unnest(?::BIGINT[]))"  # noqa: S608 - constants


def landed_rows(store: Store, file: StoredFile, names: Collection[str]) -> dict[str, int]:
    """How many rows of a landed file each of some customers has."""
    if ID not in file.detail["columns"] or not store.place(file.path).exists():
        return {}
    with duckdb.connect() as connection:
        return dict(connection.execute(_COUNT, [str(store.verified(file)), list(names)]).fetchall())


def rejected_rows(store: Store, file: StoredFile, names: Collection[str]) -> dict[str, int]:
    """How many rejected rows of a landed file name each of some customers, in whichever of their values."""
    found: dict[str, int] = {}
    for raw in _raw_rows(store, _rejects(store, file)):
        for name in (names_in(raw) & set(names)) if raw is not None else ():
            found[name] = found.get(name, 0) + 1
    return found


def erase_rows(store: Store, file: StoredFile, names: Mapping[str, str]) -> None:
    """Take customers out of a landed file; their rows are then rejected ones of which nothing but the number is known.

    names: what each is called in landed files, by the company's own id.

    The rejects go first, as at landing: whoever finds the landed file without the rows finds them there.
    """
    theirs = _theirs(store, file, names.values())
    rejects = _rejects(store, file)
    if rejects is not None and store.place(rejects.path).exists():
        before = pq.read_table(store.verified(rejects)).combine_chunks()
        named = [raw is not None and bool(names_in(raw) & set(names)) for raw in before["raw_row"].to_pylist()]
        missing = sorted(set(theirs) - set(before["source_row"].to_pylist()))
        if missing or any(named):
            after = _with(before, named, missing, source=PurePosixPath(file.detail["source"]).name)
            counts = {"rejected": after.num_rows, "landed": file.detail["landed"] - len(theirs)}
            first = _first_known_at(store, file, theirs)
            write = partial(_write_rejects, after)
            rewrite(store, rejects, write, **counts, first_known_at=first)
    if theirs:
        leave_out(store, file, theirs, rejected=file.detail["rejected"] + len(theirs))


def leave_out(store: Store, file: StoredFile, source_rows: Collection[int], **detail: object) -> None:
    """Rewrite a landed file without some rows; those that stay keep order, position and bytes of a fresh landing."""
    place = store.verified(file)

    def write(temporary: Path) -> None:
        with pq.ParquetFile(place) as opened:
            write_parquet(temporary, _kept(opened, source_rows), opened.schema_arrow.remove_metadata())

    kept = file.detail["landed"] - len(source_rows)
    rewrite(store, file, write, landed=kept, first_known_at=_first_known_at(store, file, source_rows), **detail)


def _theirs(store: Store, file: StoredFile, names: Collection[str]) -> list[int]:
    if ID not in file.detail["columns"] or not store.place(file.path).exists():
        return []
    with duckdb.connect() as connection:
        rows = connection.execute(_ROWS, [str(store.verified(file)), list(names)]).fetchall()
    return [row for (row,) in rows]


def _first_known_at(store: Store, file: StoredFile, without: Collection[int]) -> str | None:
    place = store.place(file.path)
    if not place.exists():
        return None
    with duckdb.connect() as connection:
        row = connection.execute(_FIRST, [str(place), list(without)]).fetchone()
    return None if row is None or row[0] is None else str(row[0]).replace(" ", "T")


def _kept(opened: pq.ParquetFile, source_rows: Collection[int]) -> Iterator[pa.RecordBatch]:
    gone = pa.array(sorted(source_rows), pa.int64())
    for batch in opened.iter_batches():
        yield batch.filter(pc.invert(pc.is_in(batch["source_row"], value_set=gone)))


def _rejects(store: Store, file: StoredFile) -> StoredFile | None:
    return store.find(file.path.replace(f"{LANDED}/", f"{REJECTED}/", 1))


def _raw_rows(store: Store, rejects: StoredFile | None) -> list[str | None]:
    if rejects is None or not store.place(rejects.path).exists():
        return []
    found: list[str | None] = pq.read_table(store.verified(rejects), columns=["raw_row"])["raw_row"].to_pylist()
    return found


def _with(before: pa.Table, named: list[bool], missing: list[int], *, source: str) -> pa.Table:
    """Rejects with some rows masked, and others added of which only the number is known; in order of the source."""
    hidden = [masked(batch, named[start : start + batch.num_rows]) for start, batch in _numbered(before)]
    added = pa.table(
        {
            "source_row": pa.array(missing, pa.int64()),
            "reason": [ERASED] * len(missing),
            "source": [source] * len(missing),
            "raw_row": pa.nulls(len(missing), pa.string()),
        }
    ).cast(REJECTED_SCHEMA)
    return pa.concat_tables([pa.Table.from_batches(hidden, REJECTED_SCHEMA), added]).sort_by("source_row")


def _numbered(table: pa.Table) -> Iterator[tuple[int, pa.RecordBatch]]:
    start = 0
    for batch in table.to_batches():
        yield start, batch
        start += batch.num_rows


def _write_rejects(rows: pa.Table, place: Path) -> None:
    if write_parquet(place, rows.to_batches(), REJECTED_SCHEMA) != rows.num_rows:
        raise IntegrityError("rejected rows were lost while they were rewritten; please report it")
