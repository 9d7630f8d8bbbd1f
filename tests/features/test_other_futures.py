"""Another future changes what was not known, all of it, and nothing of what was."""

from __future__ import annotations

import random

import pytest

from features.asof import as_of
from features.other_futures import CHANGES, Change, other_future
from features.tables import TABLES
from tests.features.histories import random_world
from tests.features.world_case import PARIS, SNAPSHOT, at, order, tables

NAMES = ("orders", "support_contacts", "subscriptions", "messages", "usage", "incidents")


def _orders(change: Change, *rows: dict[str, object]) -> list[dict[str, object]]:
    view = other_future(tables(orders=rows), SNAPSHOT, change, zone=PARIS)
    return view["orders"].order_by("known_at", "amount").to_pyarrow().to_pylist()


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_known_is_the_same(change: Change) -> None:
    view = tables(**random_world(random.Random(5), NAMES, ["a", "b", "c"]))
    other = other_future(view, SNAPSHOT, change, zone=PARIS)
    for name in NAMES:
        seen, again = (as_of(each, SNAPSHOT, zone=PARIS)[name].to_pyarrow() for each in (view, other))
        order_by = [(column, "ascending") for column in ("source_row", "landed_order")]
        assert seen.sort_by(order_by).equals(again.sort_by(order_by)), name


def test_rows_and_values_known_later_are_removed() -> None:
    rows = [
        order("a", "2024-05-01", 10, refunded_at=at("2024-06-02"), refunded_amount=4),
        order("a", "2024-06-01 00:00"),
    ]
    (row,) = _orders("removed", *rows)
    assert (row["amount"], row["refunded_at"], row["refunded_on"], row["refunded_amount"]) == (10, None, None, None)


def test_rows_and_values_known_later_are_altered() -> None:
    now, later = _orders("altered", order("a", "2024-05-01", 10), order("a", "2024-06-02", 20))
    assert (now["amount"], later["amount"]) == (10, 47)
    assert now["cancelled_at"] == now["refunded_at"] == at("2024-06-01 00:00")
    assert now["refunded_amount"] == 7


def test_late_news_of_the_past_are_added() -> None:
    found = _orders("added", order("a", "2024-05-01", 10))
    assert [(row["amount"], row["known_at"], row["ordered_at"]) for row in found[:1]] == [
        (10, at("2024-05-01"), at("2024-05-01"))
    ]
    assert {(row["amount"], row["known_at"], row["ordered_at"]) for row in found[1:]} == {
        (27, at("2024-06-01 00:00"), at("2024-05-01")),
        (27, at("2024-06-01 00:00"), at("2024-06-01 00:00")),
        (27, at("2024-06-02 00:00"), at("2024-05-01")),
    }


@pytest.mark.parametrize("name", [name for name in NAMES if TABLES[name].key])
def test_what_is_added_leaves_no_doubt_which_version_is_the_newest(name: str) -> None:
    """A tie would be broken by chance, and whether an audit finds a leak with it."""
    contract = TABLES[name]
    other = other_future(
        tables(**random_world(random.Random(5), NAMES, ["a", "b", "c"])), SNAPSHOT, "added", zone=PARIS
    )
    rows = other[name].filter(other[name].known_at == at("2024-06-01 00:00")).to_pyarrow().to_pylist()
    assert rows
    for key in {tuple(row[column] for column in contract.key) for row in rows}:
        mine = [row for row in rows if tuple(row[column] for column in contract.key) == key]
        newest = max((row["landed_order"], row["source_row"]) for row in mine)
        (one,) = [row for row in mine if (row["landed_order"], row["source_row"]) == newest]
        assert one[contract.happened_at] == at("2024-06-01 00:00")
