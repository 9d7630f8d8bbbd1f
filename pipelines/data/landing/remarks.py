"""What lands as it stands and may not be meant so, in words: rows of days to come, rows that repeat, what changed."""

# ruff: noqa: S608 - names are those of contracts

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date

from features.contract import Table, local_day
from features.tables import TABLES
from pipelines.data.landing.landed_before import LandedBefore
from pipelines.data.landing.typed_rows import TypedRows
from pipelines.data.sources.raw_rows import in_rows
from pipelines.data.sources.source_rows import SourceRows
from pipelines.foundation.storage.counted_rows import Counted
from pipelines.foundation.storage.sql_text import identifier
from pipelines.foundation.storage.store import StoredFile
from pipelines.foundation.wording.visible import visible

_COMPARED = {
    "again": "{rows} met before in this source: counted once",
    "changed": "{rows} told otherwise than before: known so from {day} on",
    "corrected": "{rows} told otherwise than before: taken to have always been so",
    "news": "{rows} continued, as by a return, a payment or an end: known from when that was",
    "late": "{rows} older than what landed before: known from {day} on (corrects_past = true for this source: from "
    "their own dates on)",
    "ended": "{rows} of earlier files no longer there: held until {day}",
    "beside": "{rows} with the moment and the texts of a row of an earlier file, which is not in this one, and other "
    'numbers: both count. If the earlier was put right, set new_file = "period" for this source',
    "lacked": "{rows} of earlier files that go on are not in this one, which tells most of them anew: they count as "
    'going on. If an export holds what goes on and no more, set new_file = "state" for this source',
}
# Of what goes on until it ends.
_ENDED = "{rows} of earlier files no longer there: taken to have ended before {day}"
_MOST_NAMES = 10
_MANY_ROWS, _LARGE_SHARE = 100, 0.1  # of one customer


def remarks(
    rows: TypedRows, contract: Table, today: date, *, landed: LandedBefore, before: Sequence[StoredFile]
) -> Iterator[str]:
    """On the rows of one file. before: what landed of its table earlier."""
    yield from rows.notes
    if aside := rows.set_aside:
        are = "are" if aside > 1 else "is"
        yield f"of the rejected, {in_rows(aside)} {are} no fault: of guests, of who was erased, or met before in it"
    happens = [contract.happened_at, *(each.name for each in contract.columns if each.known_at == each.name)]
    for clock in happens:
        if clock in rows.filled:  # only what has happened: when a card expires may lie ahead
            yield from _ahead(rows, clock, today)
    yield from _equal_rows(rows, contract)
    yield from _one_customer(rows, contract)
    for column in contract.columns if before else ():
        if column.code and column.name in rows.filled:
            yield from _new_codes(rows, column.name, landed.codes(column.name, before))


def new_headings(rows: TypedRows, file: SourceRows, earlier: Sequence[str] | None) -> Iterator[str]:
    """On columns that what this source gave before did not have. earlier: its columns; None where that is not known."""
    read = set(file.columns.values())
    new = [name for name in rows.headings if earlier and name not in earlier and name not in read]
    if new:
        names = ", ".join(repr(visible(name)) for name in new[:_MOST_NAMES])
        more = f" and {len(new) - _MOST_NAMES:,} more" if len(new) > _MOST_NAMES else ""
        columns = "columns are" if len(new) > 1 else "column is"
        yield f"{len(new):,} {columns} new, and not read: {names}{more}"


def compared(each: Counted) -> tuple[str, ...]:
    """On what a landing changed of what was there."""
    fates, day = each.fates, each.landing.seen_on
    texts = _COMPARED if TABLES[each.table].ends is None else _COMPARED | {"ended": _ENDED}
    return tuple(text.format(rows=in_rows(fates[name]), day=day) for name, text in texts.items() if fates.get(name))


def _ahead(rows: TypedRows, clock: str, today: date) -> Iterator[str]:
    day = identifier(local_day(clock))
    found = rows.ask(
        f"SELECT count(*) OVER (), source_row, {day}::VARCHAR FROM typed WHERE why IS NULL AND {day} > ? "
        "ORDER BY source_row LIMIT 1",
        today,
    )
    if found is not None:
        count, row, first = found
        yield (
            f"{in_rows(count)} with {clock} after the day of this run, {today} (first: row {row}, "
            f"{first}): nothing is counted before its day, and it says nothing of how far the data reach"
        )


def _new_codes(rows: TypedRows, name: str, known: Collection[str]) -> Iterator[str]:
    """A code nobody has seen may be a new spelling of an old one, and what is counted by the old one misses it."""
    column = identifier(name)
    found = rows.ask(
        f"SELECT count(DISTINCT {column}), min(source_row) FROM typed WHERE why IS NULL AND {column} IS NOT NULL "
        f"AND {column} NOT IN (SELECT unnest(?::VARCHAR[]))",
        sorted(known),
    )
    if found is not None and found[0]:
        count, row = found
        yield f"{count:,} value{'s' * (count != 1)} of {name} never seen before (first: row {row})"


def _one_customer(rows: TypedRows, contract: Table) -> Iterator[str]:
    """Where one customer has so much that it is many. The id itself is not told: it may be somebody's address."""
    if contract.name not in ("orders", "order_lines"):
        return
    found = rows.ask(
        "SELECT times, first_row, sum(times) OVER () FROM customers ORDER BY times DESC, first_row LIMIT 1"
    )
    if found is None or found[0] < _MANY_ROWS or found[0] < _LARGE_SHARE * found[2]:
        return
    times, row, of = found
    yield (
        f"{times:,} of {of:,} rows ({times / of:.0%}) are of one customer_id (first: row {row}): if that is what "
        'guests have, leave it out with guests = ["..."] for this source'
    )


def _equal_rows(rows: TypedRows, contract: Table) -> Iterator[str]:
    """Where no key tells rows apart."""
    absent = [column for column in contract.columns if column.name not in rows.filled]
    if contract.key and not any(column.made_when_absent for column in absent):
        return
    names = ", ".join(identifier(column.name) for column in contract.columns if column not in absent)
    distinct = f"(SELECT DISTINCT {names} FROM typed WHERE why IS NULL)"
    (different,) = rows.ask(f"SELECT count(*) FROM {distinct}")
    if count := rows.landed - different:
        repeats = "rows repeat" if count > 1 else "row repeats"
        yield (
            f"{count:,} {repeats} another row of the file in all that is read of it, and each counts: nothing tells a "
            "copy from a second purchase. Where they are copies, remove them in the export"
        )
