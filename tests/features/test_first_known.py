"""The row that was known first: which one it is, what was known of it then, and what is known of it at the end."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from features.first_known import examined_columns, first_known
from features.tables import TABLES
from tests.features.world_case import at, fact, tables

END = datetime(2024, 6, 1)  # UTC without zone mark, as landed


def first(name: str, *rows: dict[str, Any], end: datetime = END) -> list[dict[str, Any]]:
    found = first_known(tables(**{name: rows})[name], TABLES[name], end)
    listed: list[dict[str, Any]] = found.order_by("customer_id").to_pyarrow().to_pylist()
    return listed


def customer(who: str, day: str, tier: str | None, *, known: str | None = None, **more: Any) -> dict[str, Any]:
    row = fact(who, signed_up_at=day, value_tier=tier) | more
    return row | ({} if known is None else {"known_at": at(known)})


def tiers(rows: list[dict[str, Any]]) -> list[tuple[str, Any, Any]]:
    return [(row["customer_id"], row["value_tier"], row["last_value_tier"]) for row in rows]


def test_the_first_version_is_told_and_the_last_beside_it() -> None:
    rows = [
        customer("a", "2024-01-01", "A"),
        customer("a", "2024-01-01", "lost", known="2024-05-01"),
        customer("b", "2024-02-01", "B"),
    ]
    assert tiers(first("customers", *rows)) == [("a", "A", "lost"), ("b", "B", "B")]
    assert tiers(first("customers", *reversed(rows))) == [("a", "A", "lost"), ("b", "B", "B")]


def test_what_was_not_known_by_the_end_is_not_there() -> None:
    later = customer("a", "2024-01-01", "lost", known="2024-06-02")
    assert tiers(first("customers", customer("a", "2024-01-01", "A"), later)) == [("a", "A", "A")]
    assert first("customers", customer("a", "2024-06-02", "A")) == []


def test_of_versions_known_at_one_moment_the_later_landed_holds() -> None:
    rows = [customer("a", "2024-01-01", "A"), customer("a", "2024-01-01", "lost", landed_order=1)]
    assert tiers(first("customers", *rows)) == [("a", "lost", "lost")]


def test_the_first_of_several_rows_of_a_customer_is_told_with_its_own_last_version() -> None:
    def method(number: str, day: str, kind: str, known: str | None = None) -> dict[str, Any]:
        row = fact("a", method_id=number, added_at=day, kind=kind)
        return row | ({} if known is None else {"known_at": at(known)})

    rows = [
        method("2", "2024-03-01", "card"),
        method("1", "2024-01-01", "card"),
        method("1", "2024-01-01", "none", "2024-05-01"),
    ]
    (row,) = first("payment_methods", *rows)
    assert (row["kind"], row["last_kind"]) == ("card", "none")
    assert row["first_known_at"] == at("2024-01-01")


def test_a_value_whose_clock_is_later_than_its_row_was_not_known() -> None:
    survey = fact("a", survey_id="1", kind="nps", asked_at="2024-01-01", answered_at="2024-01-05", score=3)
    at_once = fact("b", survey_id="2", kind="nps", asked_at="2024-01-01", answered_at="2024-01-01", score=4)
    rows = first("surveys", survey, at_once)
    assert [(row["score"], row["last_score"]) for row in rows] == [(None, 3), (4, 4)]


def test_rows_without_versions_are_told_once() -> None:
    rows = [fact("a", used_at="2024-02-01", feature="late"), fact("a", used_at="2024-01-01", feature="early")]
    (row,) = first("usage", *rows)
    assert (row["feature"], row["last_feature"]) == ("early", "early")


def test_ids_keys_and_clocks_of_their_own_are_left_out() -> None:
    assert examined_columns(TABLES["subscriptions"]) == [
        "plan", "mrr", "seats", "trial_ends_at", "term_started_at", "renews_at", "auto_renew", "end_reason", "currency",
    ]  # fmt: skip
