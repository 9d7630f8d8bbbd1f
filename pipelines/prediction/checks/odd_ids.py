"""Ids of customers that are likely to be one customer's: what is of one customer then counts as of two."""

# ruff: noqa: S608 - names are those of contracts

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from features.contract import local_day
from pipelines.foundation.storage.sql_text import quoted
from pipelines.foundation.wording.visible import visible
from pipelines.prediction.checks.odd import Odd
from pipelines.prediction.checks.odd_measures import MOST_COMPARED, LandedRows, allowed

if TYPE_CHECKING:
    import duckdb

    from pipelines.foundation.identity.objections import Refusals

NEAR_DAYS = 14  # between the end of one source and the beginning of the next
ENOUGH_CUSTOMERS, SHARED = 30, 0.01  # of each source; of the smaller one's customers that are in the other, too
FEW, SHARE = 3, 0.01  # of the ids: fewer are likely to be what they look like
# Small letters, no zeros in front, and no fraction, as programs write it that take a column with gaps for numbers.
_FOLDED = r"lower(regexp_replace(regexp_replace(id, '\.0+$', ''), '^0+', ''))"
_BUT_FOR = "but for capitals, zeros in front or .0 at the end"
_REMEDY = "write them alike (lower_case of the source, or a query)"


def alike_ids(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[LandedRows],
    *,
    entities: Collection[str],
    refusals: Refusals | None,
) -> Iterator[Odd]:
    """entities: the tables that say who the customers are; ids of the others are held against theirs."""
    seen = [each for each in tables if each.has("customer_id") and each.rows <= MOST_COMPARED]
    main = [each for each in seen if each.contract.name in entities]
    if not main:
        return
    theirs = " UNION ".join(_ids(each, refusals) for each in main)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE who AS SELECT id, {_FOLDED} AS folded FROM ({theirs})")
    names = " and ".join(each.contract.name for each in main)
    of, apart = _one(connection, "SELECT count(*), count(*) - count(DISTINCT folded) FROM who")
    if _many(apart, of):
        text = (
            f"{apart:,} of {of:,} ids are another's {_BUT_FOR}, and each counts as a customer: if it is one, {_REMEDY}"
        )
        yield _odd(names, main[0], apart, text)
    for each in seen:
        if each.contract.name in entities:
            continue
        there = f"id NOT IN (SELECT id FROM who) AND {_FOLDED} IN (SELECT folded FROM who)"
        ids = _ids(each, refusals)
        of, apart = _one(connection, f"SELECT count(*), count(*) FILTER (WHERE {there}) FROM ({ids})")
        if _many(apart, of):
            text = f"{apart:,} of {of:,} ids are those of {names} {_BUT_FOR}, and what is theirs is nobody's: {_REMEDY}"
            yield _odd(each.contract.name, each, apart, text)


def changed_ids(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[LandedRows],
    *,
    entities: Collection[str],
    refusals: Refusals | None,
) -> Iterator[Odd]:
    """Of two sources of one table, that one begins about where the other ends, and shares hardly a customer with it."""
    for each in tables:
        if each.contract.name in entities and len(each.sources) > 1 and each.rows <= MOST_COMPARED:
            yield from _changed(connection, each, refusals)


def _changed(connection: duckdb.DuckDBPyConnection, table: LandedRows, refusals: Refusals | None) -> Iterator[Odd]:
    numbers = [(place, number) for number, source in enumerate(table.sources) for place in source.numbers]
    files = ", ".join(f"({quoted(table.places[place])}, {number})" for place, number in numbers)
    day = local_day(table.contract.happened_at)
    # Ids are folded: `alike_ids` tells of those that are one but for how they are written.
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE who_of AS
        WITH landed AS (
            SELECT customer_id AS id, {day} AS day, filename FROM {table.sql}
            WHERE customer_id IS NOT NULL AND {allowed(table, refusals)}
        )
        SELECT number, {_FOLDED} AS folded, min(day) AS first, max(day) AS last
        FROM landed JOIN (VALUES {files}) AS files (filename, number) USING (filename) GROUP BY ALL
    """)
    spans = connection.execute(f"""
        SELECT number, count(*), min(first), max(last) FROM who_of GROUP BY number
        HAVING count(*) >= {ENOUGH_CUSTOMERS} ORDER BY min(first), max(last), number
    """).fetchall()
    for (old, before, _, ends), (new, after, begins, _) in combinations(spans, 2):
        if abs((begins - ends).days) > NEAR_DAYS:
            continue
        theirs = f"folded IN (SELECT folded FROM who_of WHERE number = {new})"
        _, shared = _one(
            connection, f"SELECT count(*), count(*) FILTER (WHERE {theirs}) FROM who_of WHERE number = {old}"
        )
        if shared < SHARED * min(before, after):
            names = [visible(table.sources[number].paths[-1]) for number in (old, new)]
            text = (
                f"{names[0]} ends on {ends} with {before:,} customers, {names[1]} begins on {begins} with {after:,}, "
                f"and {shared:,} are in both: if ids changed with the system, each customer counts twice, the old one "
                "as gone; give the old rows the new ids, in a query that joins a list of both. If these are different "
                "shops, nothing is to be done"
            )
            yield _odd(table.contract.name, table, before, text, kind="changed_ids")


def _many(apart: int, of: int) -> bool:
    return apart >= max(FEW, SHARE * of)


def _ids(table: LandedRows, refusals: Refusals | None) -> str:
    return (
        f"SELECT DISTINCT customer_id AS id FROM {table.sql} "
        f"WHERE customer_id IS NOT NULL AND {allowed(table, refusals)}"
    )


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[int, int]:
    found = connection.execute(query).fetchone()
    return (0, 0) if found is None else (int(found[0]), int(found[1]))


def _odd(names: str, table: LandedRows, ids: int, text: str, *, kind: str = "alike_ids") -> Odd:
    """rows: how many ids."""
    return Odd(
        kind=kind, table=table.contract.name, column="customer_id", rows=ids, text=f"{names}.customer_id: {text}"
    )
