"""Prices of today where those of the start are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from features.tables import TABLES
from pipelines.foundation.storage.spilling import spilling
from pipelines.prediction.checks.odd_measures import LandedRows
from pipelines.prediction.checks.odd_prices import todays_prices
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
    tables = [
        LandedRows(contract=TABLES[each.table], places=[workspace.store.place(each.rows.path)], keyed=True, rows=9)
        for each in workspace.landed
    ]
    with spilling() as connection:
        return [each.text for each in todays_prices(connection, tables)]


def test_prices_after_the_last_change_are_told(tmp_path: Path) -> None:
    (said,) = told(tmp_path / "a", [30, 30, 30, 10])
    assert said.startswith("subscriptions.mrr: 3 of 4 whose price changed have the price after their last change")
    assert told(tmp_path / "b", [10, 10, 10, 20, 30, 30]) == []
    assert told(tmp_path / "c", [30, 30, 30], kind="pause") == []
