"""Ids of customers that are one but for how they are written: what is of one customer then counts as of two."""

# ruff: noqa: S608 - names are those of contracts

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from pipelines.prediction.checks.odd import Odd
from pipelines.prediction.checks.odd_measures import MOST_COMPARED, LandedRows, allowed

if TYPE_CHECKING:
    import duckdb

    from pipelines.foundation.identity.objections import Refusals

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


def _odd(names: str, table: LandedRows, ids: int, text: str) -> Odd:
    """rows: how many ids."""
    return Odd(
        kind="alike_ids", table=table.contract.name, column="customer_id", rows=ids, text=f"{names}.customer_id: {text}"
    )
