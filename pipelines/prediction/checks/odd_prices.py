"""Prices of today beside a history of changes: what a subscription cost before its changes is then told wrongly."""

# ruff: noqa: S608 - names are those of contracts

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pipelines.prediction.checks.odd import Odd
from pipelines.prediction.checks.odd_measures import MOST_COMPARED, LandedRows

if TYPE_CHECKING:
    import duckdb

FEW, SHARE = 3, 0.1  # of the subscriptions whose price changed


def todays_prices(connection: duckdb.DuckDBPyConnection, tables: Sequence[LandedRows]) -> Iterator[Odd]:
    """Where the price of the oldest version of subscriptions is that after their last change."""
    named = {each.contract.name: each for each in tables if each.rows <= MOST_COMPARED}
    if not {"subscriptions", "subscription_changes"} <= named.keys():
        return
    found = connection.execute(f"""
        WITH began AS (
            SELECT subscription_id, arg_min(mrr, known_at) AS mrr
            FROM {named["subscriptions"].sql} GROUP BY subscription_id
        ),
        changed AS (
            SELECT subscription_id, arg_min(mrr_before, changed_at) AS first, arg_max(mrr_after, changed_at) AS last
            FROM {named["subscription_changes"].sql}
            WHERE mrr_before IS NOT NULL AND mrr_after IS NOT NULL AND kind NOT IN ('pause', 'resume')
            GROUP BY subscription_id
        )
        SELECT count(*), count(*) FILTER (WHERE mrr = last)
        FROM began JOIN changed USING (subscription_id) WHERE first <> last
    """).fetchone()
    of, todays = (0, 0) if found is None else found
    if todays >= max(FEW, SHARE * of):
        text = (
            f"subscriptions.mrr: {todays:,} of {of:,} whose price changed have the price after their last change, "
            "where that of their start is wanted, and what they brought before is told by it: export what each began "
            "with (mrr_before of its first change, in a query), or versions with the moment from which each held "
            "(known_at)"
        )
        yield Odd(kind="todays_price", table="subscriptions", column="mrr", rows=todays, text=text)
