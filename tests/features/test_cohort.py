"""Who is at risk."""

from __future__ import annotations

from typing import Any

from features.asof import as_of
from features.cohort import Cohort, announced, cohort
from tests.features.world_case import EVERYBODY, PARIS, SNAPSHOT, SUBSCRIBED, at, order, subscription, tables


def _ids(*rows: dict[str, Any], active_days: int | None = None) -> list[str]:
    view = as_of(tables(orders=rows), SNAPSHOT, zone=PARIS)
    at_risk = Cohort(kind="ordered_within", active_days=active_days) if active_days else EVERYBODY
    return sorted(cohort(view, at_risk).to_pyarrow()["customer_id"].to_pylist())


def _subscribed(*rows: dict[str, Any]) -> list[str]:
    view = as_of(tables(subscriptions=rows), SNAPSHOT, zone=PARIS)
    return sorted(cohort(view, SUBSCRIBED).to_pyarrow()["customer_id"].to_pylist())


def test_customers_who_first_appear_after_the_snapshot_are_not_there() -> None:
    assert _ids(order("old", "2024-05-01"), order("new", "2024-06-01")) == ["old"]


def test_ordered_within_counts_days_back_to_the_first_of_them() -> None:
    rows = [order("in", "2024-05-02 00:00"), order("out", "2024-05-01 23:59")]
    assert _ids(*rows, active_days=30) == ["in"]
    assert _ids(*rows) == ["in", "out"]


def test_a_customer_with_nothing_but_cancelled_orders_or_credit_notes_never_ordered() -> None:
    rows = [order("c", "2024-05-01", cancelled_at=at("2024-05-02")), order("n", "2024-05-01", -5)]
    assert _ids(*rows) == []


def test_an_order_cancelled_later_still_counts_for_now() -> None:
    assert _ids(order("c", "2024-05-01", cancelled_at=at("2024-06-02"))) == ["c"]


def test_subscribed_are_those_whose_subscription_runs() -> None:
    gone = subscription("gone", ended_at=at("2024-05-31"))
    later = subscription("later", ended_at=at("2024-06-01 00:00"))
    new = subscription("new", started_at=at("2024-06-01 00:00"))
    assert _subscribed(gone, later, new, subscription("here")) == ["here", "later"]


def test_a_trial_is_not_at_risk_until_it_is_over() -> None:
    trying = subscription("trying", trial_ends_at=at("2024-06-02"))
    over = subscription("over", trial_ends_at=at("2024-06-01 00:00"))
    assert _subscribed(trying, over) == ["over"]


def test_who_has_given_notice_is_no_longer_at_risk_unless_another_subscription_stays() -> None:
    leaving = subscription("leaving", cancel_requested_at=at("2024-05-31"))
    will = subscription("will", cancel_requested_at=at("2024-06-01 00:00"))
    half = [subscription("half", "s1", cancel_requested_at=at("2024-05-31")), subscription("half", "s2")]
    assert _subscribed(leaving, will, *half) == ["half", "will"]


def test_who_is_on_a_free_plan_is_not_at_risk_and_who_is_paused_or_unpriced_is() -> None:
    free, unpriced, paused = subscription("free", mrr=0), subscription("unpriced", mrr=None), subscription("paused")
    pause = {"customer_id": "paused", "subscription_id": "paused ", "changed_at": at("2024-05-10"), "kind": "pause"}
    both = [subscription("both", "s1", mrr=0), subscription("both", "s2", cancel_requested_at=at("2024-05-31"))]
    view = as_of(
        tables(subscriptions=[free, unpriced, paused, *both], subscription_changes=[pause]), SNAPSHOT, zone=PARIS
    )
    assert sorted(cohort(view, SUBSCRIBED).to_pyarrow()["customer_id"].to_pylist()) == ["paused", "unpriced"]
    assert announced(view).to_pyarrow()["customer_id"].to_pylist() == ["both"]  # nothing that is paid for stays
