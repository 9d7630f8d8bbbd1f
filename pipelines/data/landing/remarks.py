"""What lands as it stands and may not be meant so, in words: rows of days to come, rows that repeat, what changed."""

# ruff: noqa: S608 - names are those of contracts

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from features.contract import Table, local_day
from pipelines.data.landing.raw_rows import identifier
from pipelines.data.landing.typed_rows import TypedRows
from pipelines.foundation.storage.counted_rows import Counted

_COMPARED = {
    "again": "{count} of its rows are there already, from an earlier file of this source, and count once",
    "changed": "{count} of its rows say otherwise than an earlier file: what they say is known from {day} on",
    "corrected": "{count} of its rows say otherwise than an earlier file: what they say has always been so",
    "news": "{count} rows of earlier files are continued: what happened to them since is known from when it did",
    "late": "{count} of its rows are older than what landed before, and came late: they are known from {day} on "
    "(corrects_past = true for this source: from their own dates on)",
    "ended": "{count} rows of earlier files are no longer there: they hold until {day}",
}


_MANY_ROWS, _LARGE_SHARE = 100, 0.1  # of one customer


def remarks(rows: TypedRows, contract: Table, today: date) -> Iterator[str]:
    """On the rows of one file by themselves."""
    happens = [contract.happened_at, *(each.name for each in contract.columns if each.known_at == each.name)]
    for clock in happens:
        if clock in rows.filled:  # only what has happened: when a card expires may lie ahead
            yield from _ahead(rows, clock, today)
    yield from _equal_rows(rows, contract)
    yield from _one_customer(rows, contract)


def compared(each: Counted) -> tuple[str, ...]:
    """On what a landing changed of what was there."""
    fates, day = each.fates, each.landing.seen_on
    return tuple(text.format(count=f"{fates[name]:,}", day=day) for name, text in _COMPARED.items() if fates.get(name))


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
            f"{count:,} row{'s' * (count != 1)} with {clock} after the day of this run, {today} (first: row {row}, "
            f"{first}): nothing is counted before its day, and it says nothing of how far the data reach"
        )


def _one_customer(rows: TypedRows, contract: Table) -> Iterator[str]:
    """Where one customer has so much that it is many. The id itself is not told: it may be somebody's address."""
    if contract.name not in ("orders", "order_lines"):
        return
    found = rows.ask(
        "SELECT count(*) AS times, min(source_row), sum(count(*)) OVER () FROM typed WHERE why IS NULL "
        "GROUP BY customer_id ORDER BY times DESC, min(source_row) LIMIT 1"
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
    made = {column.name for column in contract.columns if column.made_when_absent and column.name not in rows.filled}
    if contract.key and not made:
        return
    names = ", ".join(identifier(column.name) for column in contract.columns if column.name not in made)
    distinct = f"(SELECT DISTINCT {names} FROM typed WHERE why IS NULL)"
    (different,) = rows.ask(f"SELECT count(*) FROM {distinct}")
    if count := rows.landed - different:
        repeats = "rows repeat" if count > 1 else "row repeats"
        yield (
            f"{count:,} {repeats} another row of the file in all that is read of it, and each counts: nothing tells a "
            "copy from a second purchase. Where they are copies, remove them in the export"
        )
