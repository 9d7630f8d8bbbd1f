"""Prices and plans of today where those of the start are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from features.tables import TABLES
from pipelines.foundation.storage.spilling import spilling
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.prediction.checks.odd import Odd
from pipelines.prediction.checks.odd_measures import LandedRows
from pipelines.prediction.checks.odd_prices import todays_plans, todays_prices
from tests.pipelines.foundation.workspace.test_workspace import ORDERS, SHOP, changed, opened, source

SPANS = source("subscriptions", "subscription_id", "customer_id", "started_at", "mrr")
STEPS = source(
    "subscription_changes", "subscription_id", "customer_id", "changed_at", "kind", "mrr_before", "mrr_after"
)


def told(folder: Path, prices: Sequence[int], *, kind: str = "price") -> list[str]:
    """What is said of subscriptions at some prices, each of which went from 10 to 20 to 30."""
    workspace = opened(
        folder,
        changed(SHOP, sources=(ORDERS, SPANS, STEPS)),
        orders=["1,c,2024-05-01 12:00,5"],
        subscriptions=[f"{number},c{number},2024-01-01 12:00,{price}" for number, price in enumerate(prices)],
        subscription_changes=[
            f"{number},c{number},2024-0{month}-01 12:00,{kind},{before},{before + 10}"
            for number in range(len(prices))
            for month, before in ((2, 10), (3, 20))
        ],
    )
    with spilling() as connection:
        return [each.text for each in todays_prices(connection, landed(workspace))]


def landed(workspace: Workspace) -> list[LandedRows]:
    return [
        LandedRows(contract=TABLES[each.table], places=[workspace.store.place(each.rows.path)], keyed=True, rows=9)
        for each in workspace.landed
    ]


def test_prices_after_the_last_change_are_told(tmp_path: Path) -> None:
    (said,) = told(tmp_path / "a", [30, 30, 30, 10])
    assert said.startswith("subscriptions.mrr: 3 of 4 whose price changed have the price after their last change")
    assert told(tmp_path / "b", [10, 10, 10, 20, 30, 30]) == []
    assert told(tmp_path / "c", [30, 30, 30], kind="pause") == []


VERSIONS = source("subscriptions", "subscription_id", "customer_id", "started_at", "plan", "mrr", "known_at")
MOVES = source("subscription_changes", "subscription_id", "customer_id", "changed_at", "kind", "plan")


def told_plans(
    folder: Path, *subscriptions: tuple[str, Sequence[str]], kind: str = "plan", first_on: str = "2024-02-01"
) -> list[Odd]:
    """What is said of subscriptions at some plans, each with the plans that its changes led to, a month each.

    More than one plan with "/" between them: versions of a month each.
    """
    days = [first_on, "2024-03-01", "2024-04-01"]
    workspace = opened(
        folder,
        changed(SHOP, sources=(ORDERS, VERSIONS, MOVES)),
        orders=["1,c,2024-05-01 12:00,5"],
        subscriptions=[
            f"{number},c{number},2024-01-01 12:00,{plan},10,2024-0{month}-01 12:00"
            for number, (plans, _) in enumerate(subscriptions)
            for month, plan in enumerate(plans.split("/"), 1)
        ],
        subscription_changes=[
            f"{number},c{number},{day} 13:00,{kind},{plan}"
            for number, (_, plans) in enumerate(subscriptions)
            for day, plan in zip(days, plans, strict=False)
        ],
    )
    with spilling() as connection:
        return list(todays_plans(connection, landed(workspace)))


def test_plans_after_the_last_change_are_told(tmp_path: Path) -> None:
    (said,) = told_plans(tmp_path, ("pro", ["pro"]), ("max", ["max"]), ("pro", ["pro", "max", "pro"]), ("s", ["pro"]))
    assert (said.kind, said.table, said.column, said.rows) == ("todays_plan", "subscriptions", "plan", 3)
    assert said.text == (
        "subscriptions.plan: 3 of 4 whose plan changed have the plan after their last change, where that of their "
        "start is wanted, and figures by plan and plan_rank of the time before are told by it: export what each began "
        "with (the plan before its first change, in a query), or versions with the moment from which each held "
        "(known_at)"
    )


@pytest.mark.parametrize("plan", ["basic", "", "basic/pro", "/pro", "Pro"])
def test_plans_of_the_start_unknown_ones_and_versions_are_not(tmp_path: Path, plan: str) -> None:
    assert told_plans(tmp_path, *[(plan, ["pro"])] * 4) == []


def test_who_may_have_gone_back_to_a_plan_tells_nothing(tmp_path: Path) -> None:
    back = [("basic", ["pro", "basic"])] * 5
    assert told_plans(tmp_path / "a", *back) == []
    (said,) = told_plans(tmp_path / "b", *back, *[("pro", ["pro"])] * 3)
    assert said.text.startswith("subscriptions.plan: 3 of 3 ")


def test_what_changes_no_plan_or_tells_of_the_start_is_no_sign(tmp_path: Path) -> None:
    same = [("pro", ["pro"])] * 4
    assert told_plans(tmp_path / "a", *same, kind="price") == []
    assert told_plans(tmp_path / "b", *same, first_on="2024-01-01") == []
    assert told_plans(tmp_path / "c", *same[:2]) == []
    assert told_plans(tmp_path / "d", *same, *[("basic", ["pro"])] * 5) == []  # fewer than half


def test_a_price_that_was_not_known_at_the_start_is_no_price_of_today(tmp_path: Path) -> None:
    workspace = opened(
        tmp_path,
        changed(SHOP, sources=(ORDERS, VERSIONS, STEPS)),
        orders=["1,c,2024-05-01 12:00,5"],
        subscriptions=[
            f"{number},c,2024-01-01 12:00,p,{price},2024-0{month}-01 12:00"
            for number in range(4)
            for month, price in ((1, ""), (3, 20))
        ],
        subscription_changes=[f"{number},c,2024-03-01 12:00,price,10,20" for number in range(4)],
    )
    with spilling() as connection:
        assert list(todays_prices(connection, landed(workspace))) == []
