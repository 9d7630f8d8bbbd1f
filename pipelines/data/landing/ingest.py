"""What the settings name as sources, landed: immutable, typed and hashed, with a ledger of every row left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import duckdb
import pyarrow as pa

from features.errors import DataError, IntegrityError
from pipelines.data.landing.landed_already import landed_already
from pipelines.data.landing.landed_before import LandedBefore
from pipelines.data.landing.reject_limits import (
    refuse_beyond_share,
    refuse_cut_off_state,
    refuse_other_currencies,
    refuse_other_customers,
)
from pipelines.data.landing.remarks import compared, new_headings, remarks
from pipelines.data.landing.typed_rows import TypedRows
from pipelines.data.landing.workbench import workbench
from pipelines.data.sources.all_sources import all_sources
from pipelines.data.sources.source_rows import SourceRows, file_sha256
from pipelines.foundation.identity.masking import Masking
from pipelines.foundation.identity.pseudonyms import Identities
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.storage.atomic_file import scratch, unfinished
from pipelines.foundation.storage.counted_rows import forget_others
from pipelines.foundation.storage.landed_parquet import REJECTED_SCHEMA, landed_schema, write_parquet
from pipelines.foundation.storage.landed_tables import counted_files, landed_tables
from pipelines.foundation.storage.landings import (
    LANDED,
    REJECTED,
    SourceLandings,
    arrivals_by_now,
    source_landings,
)
from pipelines.foundation.storage.meeting import name_in_meets
from pipelines.foundation.storage.spilling import spilling
from pipelines.foundation.storage.store import Store, StoredFile

__all__ = ["IngestResult", "ingest", "landed_tables"]

# These are no file's doing: a query of ours is wrong, or asks for more memory than there is.
_OF_OUR_SQL = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.OutOfMemoryException,
    duckdb.ParserException,
)


@dataclass(frozen=True)
class IngestResult:
    """What became of one source file. path: below the workspace; rows_in = landed + rejected, when it lands.

    remarks: what landed as it stands, and may not be meant so; what it changed of what was there.
    """

    table: str
    path: str
    rows_in: int
    landed: int
    rejected: int
    status: Literal["landed", "unchanged"]
    remarks: tuple[str, ...] = ()


def ingest(
    store: Store, settings: Settings, *, today: date, progress: Callable[[str], None] | None = None
) -> list[IngestResult]:
    """Land every file that the sources name; a file that is landed already under the same settings is left alone.

    today: the local day of the run, from which what is new in a file is known where the source does not say otherwise.

    Each file lands whole or not at all: `landed/<table>/` gets its rows that keep the contract, `rejected/<table>/` the
    others, each with its reason. Rows of an erased customer are among these, without what stands in them. `progress` is
    told in words what happens.

    Raises: DataError where a source has no file, or a file cannot be read as declared, contradicts itself or has too
    many rejected rows; IntegrityError where a landed file was altered.
    """
    say = progress or (lambda _: None)
    with spilling() as connection:
        run = _Run(store, settings, Masking.of(store, settings), LandedBefore(store, connection), say, today)
        results = [_fetch_and_ingest(run, file) for file in all_sources(store, settings)]
    counted = counted_files(store, settings)
    forget_others(store, counted)
    told = {(each.table, each.landing.path): compared(each) for each in counted}
    return [
        replace(result, remarks=(*result.remarks, *told.get((result.table, result.path), ())))
        if result.status == "landed"
        else result
        for result in results
    ]


@dataclass(frozen=True)
class _Run:
    """What landing a file needs beside the file."""

    store: Store
    settings: Settings
    masking: Masking
    landed: LandedBefore
    say: Callable[[str], None]
    today: date


def _fetch_and_ingest(run: _Run, file: SourceRows) -> IngestResult:
    with scratch(run.store.root / LANDED, "fetched") as folder:
        if not file.sha256:
            run.say(f"{file.name}: asking the database")
        return _ingest_file(run, file.fetch(folder))


def _ingest_file(run: _Run, file: SourceRows) -> IngestResult:
    store, settings, masking, today = run.store, run.settings, run.masking, run.today
    known = landed_already(store, file)
    if known and _all_there(store, file):
        run.say(f"{file.name}: unchanged")
        return _result(file, known.detail, "unchanged")
    run.say(f"{file.name}: reading")
    with _typed(store, file, settings, masking) as (count, rows):
        refuse_beyond_share(store, file, rows, count=count)
        refuse_other_currencies(file, rows, currency=settings.currency)
        of_table = _of_table(store, file, settings)
        last = _state_before(file, of_table)
        refuse_cut_off_state(file, rows, last)
        before = _landed_before(file, of_table)
        meets = run.landed.meeting(rows, file.contract) if file.keyed else None
        if meets is not None:
            met = [each for each in before if name_in_meets(each) in meets and store.place(each.path).exists()]
            refuse_other_customers(store, file, rows, met)
        detail = {
            "table": file.source.table,
            "source": file.name,
            "source_sha256": file.sha256,
            "rows_in": count,
            "landed": rows.landed,
            "rejected": rows.rejected,
            "first_known_at": rows.first_known_at,
            "span": rows.span,
            "versions": "known_at" in file.columns,
            "exported_on": rows.exported_on,
            "headings": rows.headings,
            **file.noted,
            "landings": arrivals_by_now(
                store,
                table=file.source.table,
                source=file.name,
                source_sha256=file.sha256,
                today=today,
                again=known is None and store.find(file.place(LANDED)) is not None,
            ),
        }
        _check(file, detail)
        if masking.pseudonyms:
            Identities(store.root).add(rows.identities)
            detail["pseudonymised"] = True
        lay = _put_back if known else _put
        # The rejects first: who finds a landed file finds its rejects.
        lay(store, file, REJECTED, lambda place: _write_rejects(place, file, rows), detail)
        schema, contract = landed_schema(file.contract), {"columns": file.contract.landed, "keyed": file.keyed}
        contract |= {} if meets is None else {"meets": meets}
        lay(store, file, LANDED, lambda place: write_parquet(place, rows.landed_batches(), schema), detail | contract)
        said = (
            *new_headings(rows, file, None if last is None else last.detail.get("headings")),
            *remarks(rows, file.contract, today, landed=run.landed, before=before),
        )
    run.say(_in_words(file, detail))
    return replace(_result(file, detail, "landed"), remarks=said)


def _all_there(store: Store, file: SourceRows) -> bool:
    """Whether both files are there. Raises: IntegrityError where one of them was altered."""
    recorded = [store.find(file.place(kind)) for kind in (LANDED, REJECTED)]
    there = [each for each in recorded if each and store.place(each.path).exists()]
    return len([store.verified(each) for each in there]) == len(recorded)


@contextmanager
def _typed(store: Store, file: SourceRows, settings: Settings, masking: Masking) -> Iterator[tuple[int, TypedRows]]:
    """The number of data rows of a file, and the rows, typed and judged."""
    with (
        scratch(store.root / LANDED, "reading") as folder,
        workbench(folder, source_zone=file.zone, workspace_zone=settings.time_zone) as connection,
    ):
        raw = file.raw(folder)
        try:
            yield (
                raw.count,
                TypedRows.of(
                    connection,
                    PurePosixPath(file.name).name,
                    raw,
                    file.contract,
                    source_sha256=file.sha256,
                    masking=masking,
                    source=file.source,
                ),
            )
        except _OF_OUR_SQL:
            raise
        except (duckdb.Error, pa.ArrowException):
            _refuse_changed(file)
            damage = file.damage()
            if damage is None:
                raise
            raise damage from None


def _of_table(store: Store, file: SourceRows, settings: Settings) -> list[SourceLandings]:
    return [of for of in source_landings(store, settings) if of.table == file.source.table]


def _state_before(file: SourceRows, of_table: Sequence[SourceLandings]) -> StoredFile | None:
    """What landed of the same source last, if that is another content."""
    last = next((of.landings[-1].file for of in of_table if of.source == file.source), None)
    return last if last is not None and last.detail["source_sha256"] != file.sha256 else None


def _landed_before(file: SourceRows, of_table: Sequence[SourceLandings]) -> list[StoredFile]:
    """Other contents of the same table that hold."""
    landed = {each.file.path: each.file for of in of_table for each in of.landings}
    return [each for each in landed.values() if each.detail["source_sha256"] != file.sha256]


def _check(file: SourceRows, detail: Mapping[str, Any]) -> None:
    _refuse_changed(file)
    if detail["rows_in"] != detail["landed"] + detail["rejected"]:
        raise IntegrityError(
            f"{file.name}: {detail['rows_in']:,} rows came in, but {detail['landed']:,} would land and "
            f"{detail['rejected']:,} be rejected, so nothing is written; this is a mistake of ours, please report it"
        )


def _refuse_changed(file: SourceRows) -> None:
    if file.changed():
        raise DataError(f"{file.name} was written to while it was read; run again when it is complete")


def _write_rejects(place: Path, file: SourceRows, rows: TypedRows) -> int:
    count = write_parquet(place, rows.rejected_batches(), REJECTED_SCHEMA)
    if rows.rejected:
        _refuse_changed(file)  # their texts were read just now, where they lie
    return count


def _put(store: Store, file: SourceRows, kind: str, write: Callable[[Path], int], detail: Mapping[str, Any]) -> None:
    def counted(place: Path) -> None:
        if (rows := write(place)) != detail[kind]:
            raise IntegrityError(
                f"{file.name}: {detail[kind]:,} rows were to be {kind}, but {rows:,} were written; please report it"
            )

    store.put(file.place(kind), counted, kind=kind, **detail)


def _put_back(
    store: Store, file: SourceRows, kind: str, write: Callable[[Path], int], detail: Mapping[str, Any]
) -> None:
    """Restore a recorded file that was deleted. It keeps its position: recording it anew would make it the latest."""
    recorded, target = store.find(file.place(kind)), store.place(file.place(kind))
    if recorded is None or target.exists():
        return
    temporary = unfinished(target)
    try:
        write(temporary)
        same = file_sha256(temporary) == recorded.sha256
        if same:
            temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    if not same:  # another release of a library writes other bytes
        _put(store, file, kind, write, detail)


def _in_words(file: SourceRows, detail: Mapping[str, Any]) -> str:
    if detail["rows_in"] == 0:
        return f"{file.name}: holds a header and no rows"
    rejected = f", {detail['rejected']:,} rejected (see {file.place(REJECTED)})" if detail["rejected"] else ""
    return f"{file.name}: landed {detail['landed']:,} of {detail['rows_in']:,} rows{rejected}"


def _result(file: SourceRows, detail: Mapping[str, Any], status: Literal["landed", "unchanged"]) -> IngestResult:
    return IngestResult(file.source.table, file.name, detail["rows_in"], detail["landed"], detail["rejected"], status)
