"""What happened after a snapshot, and when that can be said."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, get_args

import ibis.expr.types as ir

from features.asof import as_of
from features.cohort import Cohort, cohort
from features.outcomes import FURTHER, OF_CONTRACTS, OUTCOMES, Kind, outcomes
from features.subscription_periods import Endings
from tests.features.world_case import EVERYBODY, PARIS, SNAPSHOT, SUBSCRIBED, at, order, rows_of, subscription, tables

FIRST = order("a", "2024-05-01")


def _churned(*rows: dict[str, Any], lead: int = 0, until: date = date(2025, 1, 1)) -> dict[str, int] | None:
    view = tables(orders=[FIRST, *rows])
    return _outcome("inactivity", view, EVERYBODY, lead, until)


def _outcome(kind: Kind, view: Any, at_risk: Cohort, lead: int, until: date) -> dict[str, int] | None:
    def query(view: Mapping[str, ir.Table]) -> ir.Table | None:
        return outcomes(
            view,
            cohort(as_of(view, SNAPSHOT, zone=PARIS), at_risk),
            SNAPSHOT,
            by_contract=kind != "inactivity",
            lead_days=lead,
            horizon_days=30,
            complete_until=until,
            zone=PARIS,
            endings=Endings(grace_days=14),
        )

    found = rows_of(view, (kind, at_risk, lead, until), query)
    return None if found is None else {row["customer_id"]: row[kind] for row in found}


def _left(*rows: dict[str, Any]) -> dict[str, int] | None:
    return _outcome("churn", tables(subscriptions=rows), SUBSCRIBED, 0, date(2025, 1, 1))


def test_no_order_in_the_window_is_churn() -> None:
    assert _churned() == {"a": 1}


def test_an_order_at_the_snapshot_instant_is_one_of_the_window() -> None:
    assert _churned(order("a", "2024-06-01 00:00")) == {"a": 0}


def test_an_order_on_the_first_day_after_the_window_is_too_late() -> None:
    assert _churned(order("a", "2024-06-30 23:59")) == {"a": 0}
    assert _churned(order("a", "2024-07-01 00:00")) == {"a": 1}


def test_days_of_the_lead_do_not_count() -> None:
    assert _churned(order("a", "2024-06-03"), lead=7) == {"a": 1}
    assert _churned(order("a", "2024-06-08"), lead=7) == {"a": 0}


def test_an_order_cancelled_within_the_window_is_no_return() -> None:
    assert _churned(order("a", "2024-06-05", cancelled_at=at("2024-06-06"))) == {"a": 1}


def test_an_order_cancelled_after_the_window_was_a_return_when_it_ended() -> None:
    assert _churned(order("a", "2024-06-05", cancelled_at=at("2024-07-06"))) == {"a": 0}


def test_an_order_that_became_known_after_the_window_does_not_change_the_outcome() -> None:
    assert _churned(order("a", "2024-06-05", known_at=at("2024-07-01"))) == {"a": 1}


def test_whoever_comes_after_the_snapshot_has_no_outcome() -> None:
    assert _churned(order("b", "2024-06-05")) == {"a": 1}


def test_a_window_that_has_not_ended_is_censored_for_everybody() -> None:
    assert _churned(order("a", "2024-06-05"), until=date(2024, 6, 30)) is None
    assert _churned(order("a", "2024-06-05"), until=date(2024, 7, 1)) == {"a": 0}


def test_a_subscription_that_ends_within_the_window_is_churn() -> None:
    assert _left(subscription("a", ended_at=at("2024-06-15"))) == {"a": 1}
    assert _left(subscription("a")) == {"a": 0}


def test_a_subscription_that_ends_after_the_window_was_running_at_its_end() -> None:
    assert _left(subscription("a", ended_at=at("2024-07-01 00:00"))) == {"a": 0}
    assert _left(subscription("a", ended_at=at("2024-06-30 23:59"))) == {"a": 1}


def test_one_of_two_subscriptions_that_ends_is_no_churn() -> None:
    two = [subscription("a", "s1", ended_at=at("2024-06-15")), subscription("a", "s2")]
    assert _left(*two) == {"a": 0}


def test_an_end_that_became_known_after_the_grace_period_does_not_change_the_outcome() -> None:
    first = subscription("a")
    corrected = subscription("a", ended_at=at("2024-06-15"), known_at=at("2024-07-15"))
    assert _left(first, corrected) == {"a": 0}
    in_time = subscription("a", ended_at=at("2024-06-15"), known_at=at("2024-07-14"))
    assert _left(first, in_time) == {"a": 1}


def test_a_contract_is_censored_until_its_grace_period_has_passed() -> None:
    view = tables(subscriptions=[subscription("a")])
    assert _outcome("churn", view, SUBSCRIBED, 0, date(2024, 7, 14)) is None
    assert _outcome("churn", view, SUBSCRIBED, 0, date(2024, 7, 15)) == {"a": 0}


def test_whoever_leaves_within_the_lead_has_no_outcome() -> None:
    view = tables(subscriptions=[subscription("early", ended_at=at("2024-06-05")), subscription("a")])
    assert _outcome("churn", view, SUBSCRIBED, 7, date(2025, 1, 1)) == {"a": 0}


def test_every_kind_is_declared_once_and_in_order() -> None:
    assert tuple(OUTCOMES) == get_args(Kind)
    assert OF_CONTRACTS == ("churn", "voluntary", "involuntary", "contraction", "expansion")
    assert FURTHER == ("voluntary", "involuntary", "contraction", "expansion")
    assert [kind for kind, each in OUTCOMES.items() if each.main] == ["inactivity", "churn"]


def test_all_revenue_is_lost_of_who_leaves_and_some_of_who_pays_less() -> None:
    assert {kind: each.revenue for kind, each in OUTCOMES.items()} == {
        "inactivity": "lost",
        "churn": "lost",
        "voluntary": "lost",
        "involuntary": "lost",
        "contraction": "less",
        "expansion": "more",
    }
