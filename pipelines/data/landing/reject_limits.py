"""What keeps a whole file from landing: too many broken rows (they are listed), too few rows, or other people's."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from features.errors import DataError
from pipelines.data.landing.typed_rows import TypedRows
from pipelines.data.sources.source_rows import SourceRows
from pipelines.foundation.storage.atomic_file import atomic_write
from pipelines.foundation.storage.csv_file import defused
from pipelines.foundation.storage.landed_parquet import REJECTED_SCHEMA
from pipelines.foundation.storage.landings import REJECTED
from pipelines.foundation.storage.sql_text import identifier, parquet
from pipelines.foundation.storage.store import Store, StoredFile

_OF_GUESTS = 'If rows without a customer are of guests, guests = [""] in this source sets them aside. '
_MOST_ROWS = 100_000  # nobody reads more, and a file of 20 million rows under a wrong dialect rejects them all


def refuse_beyond_share(store: Store, file: SourceRows, rows: TypedRows, *, count: int) -> None:
    """Raise DataError if more than the source's max_rejected_share of `count` rows are rejected for what they hold.

    The message has the three most frequent reasons, and the name of a CSV file with the rejected rows.
    """
    rejected, most = rows.rejected - rows.set_aside, file.source.max_rejected_share
    listed = f"{REJECTED}/{file.source.table}/{file.stem}.refused.csv"
    if not rejected or rejected / count <= most:
        # What was listed of this content under other settings is settled.
        for settled in store.place(listed).parent.glob(f"{file.sha256[:16]}-*.refused.csv"):
            settled.unlink(missing_ok=True)
        return
    written = _list_rows(store.place(listed), rows.rejected_batches(at_most=_MOST_ROWS))
    common = list(rows.common_reasons())
    reasons = "; ".join(f"{each.times:,} like row {each.source_row}: {each.fault}" for each in common)
    nobody = any("customer_id is empty" in each.fault for each in common)
    part = f" (the first {written:,})" if written < rejected else ""
    raise DataError(
        f"{file.name}: {rejected:,} of {count:,} rows ({rejected / count:.1%}) are rejected, more than "
        f"max_rejected_share = {most} allows, so nothing of it is landed. Most frequent: {reasons}. They are listed in "
        f"{listed}{part}. {_OF_GUESTS if nobody else ''}Correct the dialect of this source in attrition.toml, correct "
        "the file, or raise max_rejected_share"
    )


def refuse_cut_off_state(file: SourceRows, rows: TypedRows, before: StoredFile | None) -> None:
    """Raise DataError where a whole state lacks more rows than the source's max_gone_share: what it lacks would end.

    before: the state that landed before it. A file without any row ends nothing, so it is not judged.
    """
    most = file.source.max_gone_share
    if file.source.new_file != "state" or before is None or not rows.landed:
        return
    was = before.detail["landed"]
    if rows.landed >= (1 - most) * was:
        return
    raise DataError(
        f"{file.name}: holds {rows.landed:,} rows as the whole state of {file.source.table}, where "
        f"{before.detail['source']} held {was:,}; what it lacks would end, and that is more than "
        f"max_gone_share = {most} allows, so nothing of it is landed. If the export was cut off, export it anew; if it "
        'is a part of the table, set new_file = "rows" for this source in attrition.toml; if so many are gone '
        "indeed, raise max_gone_share"
    )


def refuse_other_currencies(file: SourceRows, rows: TypedRows, *, currency: str) -> None:
    """Raise DataError where amounts are in another currency than the workspace's: they must not be added up."""
    others = {name: found for name, found in rows.currencies().items() if name != currency}
    if not others:
        return
    name, (times, row) = next(iter(others.items()))
    name = (
        name if re.fullmatch("[A-Z]{3}", name) else "what is no currency"
    )  # whatever stands in a column mapped wrongly
    raise DataError(
        f"{file.name}: {times:,} row{'s' * (times != 1)} in {name} (first: row {row}), but this workspace counts in "
        f"{currency} and never adds unequal currencies, so nothing of it is landed. Keep one of them, or convert "
        "them, in a query (docs/sources.md), or give each currency a workspace of its own"
    )


def refuse_other_customers(store: Store, file: SourceRows, rows: TypedRows, before: Sequence[StoredFile]) -> None:
    """Raise DataError where a key belongs to another customer in a file that landed before: one would lose the row."""
    columns = file.columns
    if not file.keyed or "customer_id" not in columns or "customer_id" in file.contract.key or "known_at" in columns:
        return
    if not before:
        return
    names = ", ".join(identifier(name) for name in file.contract.key)
    theirs = f"{names}, customer_id AS theirs, source_row AS other"
    lists = " UNION ALL ".join(
        f"SELECT {theirs}, {number} AS place FROM {parquet(store.verified(each))}"  # noqa: S608 - quoted
        for number, each in enumerate(before)
    )
    found = rows.ask(
        f"SELECT count(DISTINCT source_row) OVER (), source_row, place, other FROM typed JOIN ({lists}) "  # noqa: S608 - quoted
        f"USING ({names}) WHERE why IS NULL AND customer_id <> theirs ORDER BY source_row, place, other LIMIT 1"
    )
    if found is None:
        return
    count, row, place, other = found
    named = before[place].detail["source"]
    key = " and ".join(file.contract.key)
    raise DataError(
        f"{file.name}: {count:,} of its rows have the {key} of another customer's row in {named} (first: row {row}, "
        f"and row {other} there), and one {key} is one fact of one customer, so nothing of it is landed. If the two "
        f'sources count alike, give each a mark of its own, such as key_prefix = "{Path(file.name).stem}-", in '
        "attrition.toml; if rows moved to another customer, map known_at: when they did"
    )


def _list_rows(target: Path, batches: pa.RecordBatchReader) -> int:
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    # With a mark, so that a spreadsheet takes it for the UTF-8 it is.
    with atomic_write(target) as temporary, temporary.open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(REJECTED_SCHEMA.names)
        for row in _rows(batches):
            writer.writerow([defused(value) if isinstance(value, str) else value for value in row])
            written += 1
    return written


def _rows(batches: pa.RecordBatchReader) -> Iterator[tuple[object, ...]]:
    for batch in batches:
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
