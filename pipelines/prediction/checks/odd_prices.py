"""Prices and plans of today beside a history of changes: what was before the changes is then told wrongly."""

# ruff: noqa: S608 - names are those of contracts

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pipelines.prediction.checks.odd import Odd
from pipelines.prediction.checks.odd_measures import MOST_COMPARED, LandedRows

if TYPE_CHECKING:
    import duckdb

FEW, SHARE = 3, 0.1  # of the subscriptions whose price changed
# Of those whose plan changed: a change from a plan to the same, as to another term, is written as one of plan here and
# there, and in an export of today nearly each looks like that.
PLAN_SHARE = 0.5


def todays_prices(connection: duckdb.DuckDBPyConnection, tables: Sequence[LandedRows]) -> Iterator[Odd]:
    """Where the price of the oldest version of subscriptions is that after their last change."""
    named = _compared(tables)
    if not named:
        return
    found = connection.execute(f"""
        WITH began AS (
            SELECT subscription_id, arg_min_null(mrr, known_at) AS mrr
            FROM {named["subscriptions"].sql} GROUP BY subscription_id
        ),
        changed AS (
            SELECT subscription_id, arg_min(mrr_before, changed_at) AS first, arg_max(mrr_after, changed_at) AS last
            FROM {named["subscription_changes"].sql}
            WHERE mrr_before IS NOT NULL AND mrr_after IS NOT NULL AND kind NOT IN ('pause', 'resume')
            GROUP BY subscription_id
        )
        SELECT count(*), count(*) FILTER (WHERE mrr = last)
        FROM began JOIN changed USING (subscription_id) WHERE first <> last AND mrr IS NOT NULL
    """).fetchone()
    of, todays = (0, 0) if found is None else found
    if todays >= max(FEW, SHARE * of):
        wrong, began_with = "what they brought before is", "mrr_before of its first change"
        yield _odd("price", "mrr", todays, of, wrong=wrong, began_with=began_with)


def todays_plans(connection: duckdb.DuckDBPyConnection, tables: Sequence[LandedRows]) -> Iterator[Odd]:
    """Where the plan of the oldest version of subscriptions is that after their last change.

    Changes name the plan from then on alone. That a subscription began with the plan that its first change led to is
    what tells: that change would have changed nothing. One whose plan is that of its last change alone may have gone
    back to it, and is not counted. Plans are compared as they are written, as plan_rank and figures by plan do.
    """
    named = _compared(tables)
    if not named:
        return
    found = connection.execute(f"""
        WITH began AS (
            SELECT subscription_id, arg_min_null(plan, known_at) AS plan, min(started_on) AS started_on
            FROM {named["subscriptions"].sql} GROUP BY subscription_id
        ),
        changed AS (
            SELECT subscription_id, arg_min(steps.plan, changed_at) AS first, arg_max(steps.plan, changed_at) AS last
            FROM {named["subscription_changes"].sql} AS steps JOIN began USING (subscription_id)
            -- On the day of the start it may be what it began with.
            WHERE steps.plan IS NOT NULL AND kind = 'plan' AND changed_on > started_on
            GROUP BY subscription_id
        )
        SELECT count(*), count(*) FILTER (WHERE plan = last)
        FROM began JOIN changed USING (subscription_id) WHERE plan = first OR plan <> last
    """).fetchone()
    of, todays = (0, 0) if found is None else found
    if todays >= max(FEW, PLAN_SHARE * of):
        wrong = "figures by plan and plan_rank of the time before are"
        yield _odd("plan", "plan", todays, of, wrong=wrong, began_with="the plan before its first change")


def _odd(what: str, column: str, todays: int, of: int, *, wrong: str, began_with: str) -> Odd:
    text = (
        f"subscriptions.{column}: {todays:,} of {of:,} whose {what} changed have the {what} after their last change, "
        f"where that of their start is wanted, and {wrong} told by it: export what each began with ({began_with}, in a "
        "query), or versions with the moment from which each held (known_at)"
    )
    return Odd(kind=f"todays_{what}", table="subscriptions", column=column, rows=todays, text=text)


def _compared(tables: Sequence[LandedRows]) -> dict[str, LandedRows]:
    """Subscriptions and their changes by name; empty where one is not there, or is too large to be compared."""
    wanted = ("subscriptions", "subscription_changes")
    named = {each.contract.name: each for each in tables if each.rows <= MOST_COMPARED}
    return {name: named[name] for name in wanted} if named.keys() >= set(wanted) else {}
