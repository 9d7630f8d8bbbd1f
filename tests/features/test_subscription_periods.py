"""Leaving by choice or because a payment failed, paying less, paying more: the cases that must come out right."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import ibis.expr.types as ir
import pytest

from features.asof import as_of
from features.cohort import announced, cohort
from features.outcomes import OF_CONTRACTS, outcomes
from features.subscription_periods import Endings
from tests.features.world_case import PARIS, SNAPSHOT, SUBSCRIBED, at, rows_of, subscription, tables


def _rows(view: Any, **options: Any) -> list[dict[str, Any]]:
    settings: dict[str, Any] = {"by_contract": True, "lead_days": 0, "horizon_days": 30}
    settings |= {"complete_until": date(2025, 1, 1), "zone": PARIS, "endings": Endings(grace_days=14)} | options

    def query(view: Mapping[str, ir.Table]) -> ir.Table | None:
        return outcomes(view, cohort(as_of(view, SNAPSHOT, zone=PARIS), SUBSCRIBED), SNAPSHOT, **settings)

    found = rows_of(view, tuple(sorted(settings.items())), query)
    assert found is not None
    return found


def happened(view: Any, **options: Any) -> dict[str, list[str]]:
    """Per customer, the outcomes that happened from 2024-06-01 to 2024-06-30."""
    return {row["customer_id"]: [kind for kind in OF_CONTRACTS if row[kind]] for row in _rows(view, **options)}


def _invoice(customer: str, issued: str, **more: Any) -> dict[str, Any]:
    number = f"i {customer} {issued}"
    return {"customer_id": customer, "invoice_id": number, "issued_at": at(issued), "amount": 30} | more


def _payment(customer: str, tried: str, *, came: bool, **more: Any) -> dict[str, Any]:
    return {"customer_id": customer, "attempted_at": at(tried), "succeeded": came} | more


def _change(customer: str, moment: str, kind: str, before: float, after: float) -> dict[str, Any]:
    row = {"customer_id": customer, "subscription_id": f"{customer} ", "changed_at": at(moment), "kind": kind}
    return row | {"mrr_before": before, "mrr_after": after}


def test_a_past_due_invoice_that_is_paid_is_no_churn() -> None:
    view = tables(
        subscriptions=[subscription("a")],
        invoices=[_invoice("a", "2024-05-20", due_at=at("2024-06-01"), paid_at=at("2024-06-20"))],
        payments=[_payment("a", "2024-06-01", came=False), _payment("a", "2024-06-20", came=True)],
    )
    assert happened(view) == {"a": []}


def test_an_end_after_failed_retries_is_involuntary_also_when_recorded_as_a_cancellation_weeks_later() -> None:
    retries = [_payment("a", f"2024-05-{day:02}", came=False) for day in (20, 23, 27)]
    ended = subscription("a", ended_at=at("2024-06-24"), end_reason="cancelled", cancel_requested_at=at("2024-06-24"))
    assert happened(tables(subscriptions=[ended], payments=retries)) == {"a": ["churn", "involuntary"]}


def test_an_end_by_notice_is_voluntary_even_if_the_last_payment_then_fails() -> None:
    ended = subscription("a", ended_at=at("2024-06-24"), cancel_requested_at=at("2024-06-03"))
    failed = [_payment("a", "2024-05-01", came=True), _payment("a", "2024-06-10", came=False)]
    assert happened(tables(subscriptions=[ended], payments=failed)) == {"a": ["churn", "voluntary"]}


def test_a_failure_that_was_made_good_does_not_make_the_end_involuntary() -> None:
    ended = subscription("a", ended_at=at("2024-06-24"))
    paid = [_payment("a", "2024-06-01", came=False), _payment("a", "2024-06-05", came=True)]
    assert happened(tables(subscriptions=[ended], payments=paid)) == {"a": ["churn", "voluntary"]}
    by_transfer = [_invoice("a", "2024-06-01", paid_at=at("2024-06-05"))]
    view = tables(subscriptions=[ended], payments=paid[:1], invoices=by_transfer)
    assert happened(view) == {"a": ["churn", "voluntary"]}


def test_a_failure_for_another_subscription_or_long_ago_does_not_count() -> None:
    ended = subscription("a", "1", ended_at=at("2024-06-24"))
    other = _invoice("a", "2024-06-01", subscription_id="a 2")
    failed = [_payment("a", "2024-06-02", came=False, invoice_id=other["invoice_id"])]
    assert happened(tables(subscriptions=[ended], payments=failed, invoices=[other]))["a"] == ["churn", "voluntary"]
    old = [_payment("a", "2024-04-24", came=False)]
    assert happened(tables(subscriptions=[ended], payments=old))["a"] == ["churn", "voluntary"]


def test_a_reason_that_tells_of_payment_is_involuntary_by_itself() -> None:
    ended = subscription("a", ended_at=at("2024-06-24"), end_reason="payment failed")
    assert happened(tables(subscriptions=[ended])) == {"a": ["churn", "involuntary"]}


def test_ended_and_restarted_within_the_grace_period_is_no_churn() -> None:
    ended = subscription("a", "1", ended_at=at("2024-06-28"))
    back = subscription("a", "2", started_at=at("2024-07-12"))
    late = subscription("a", "2", started_at=at("2024-07-13"))
    assert happened(tables(subscriptions=[ended, back])) == {"a": []}
    assert happened(tables(subscriptions=[ended, late])) == {"a": ["churn", "voluntary"]}


@pytest.mark.parametrize(("mrr", "kind"), [(20, "contraction"), (50, "expansion")])
def test_a_plan_switch_that_ends_one_subscription_and_starts_another_is_no_churn(mrr: int, kind: str) -> None:
    ended = subscription("a", "1", ended_at=at("2024-06-10 09:00"))
    started = subscription("a", "2", started_at=at("2024-06-10 09:05"), plan="other", mrr=mrr)
    assert happened(tables(subscriptions=[ended, started])) == {"a": [kind]}


def test_one_of_two_subscriptions_ended_is_contraction() -> None:
    view = tables(subscriptions=[subscription("a", "1", ended_at=at("2024-06-10")), subscription("a", "2")])
    assert happened(view) == {"a": ["contraction"]}


def test_a_trial_that_is_not_converted_is_not_at_risk() -> None:
    trial = subscription("a", started_at=at("2024-05-25"), trial_ends_at=at("2024-06-08"), ended_at=at("2024-06-08"))
    assert happened(tables(subscriptions=[trial, subscription("b")])) == {"b": []}


def test_a_pause_is_not_churn() -> None:
    paused = _change("a", "2024-06-05", "pause", 30, 30)
    assert happened(tables(subscriptions=[subscription("a")], subscription_changes=[paused])) == {"a": []}


def test_notice_counts_when_given_for_what_is_known_and_when_it_ends_for_what_happened() -> None:
    told = subscription("told", ended_at=at("2024-06-15"), cancel_requested_at=at("2024-05-31"))
    tells = subscription("tells", ended_at=at("2024-06-15"), cancel_requested_at=at("2024-06-01"))
    stays = subscription("stays", ended_at=at("2024-08-31"), cancel_requested_at=at("2024-06-01"))
    view = tables(subscriptions=[told, tells, stays])
    assert happened(view) == {"tells": ["churn", "voluntary"], "stays": []}
    found = announced(as_of(view, SNAPSHOT, zone=PARIS)).to_pyarrow().to_pylist()
    assert found == [{"customer_id": "told", "requested_on": date(2024, 5, 31), "mrr": 30.0}]


def test_revenue_that_goes_with_notice_is_unknown_where_no_price_is_known() -> None:
    view = tables(subscriptions=[subscription("a", mrr=None, cancel_requested_at=at("2024-05-31"))])
    (leaving,) = announced(as_of(view, SNAPSHOT, zone=PARIS)).to_pyarrow().to_pylist()
    assert leaving["mrr"] is None


def test_a_higher_price_alone_is_expansion_only_if_settings_say_so() -> None:
    dearer = _change("a", "2024-06-05", "price", 30, 33)
    view = tables(subscriptions=[subscription("a")], subscription_changes=[dearer])
    assert happened(view) == {"a": []}
    assert happened(view, price_rise_is_expansion=True) == {"a": ["expansion"]}
    more = tables(
        subscriptions=[subscription("a")], subscription_changes=[dearer, _change("a", "2024-06-06", "seats", 33, 44)]
    )
    assert happened(more) == {"a": ["expansion"]}


def test_a_lower_price_or_fewer_seats_are_contraction() -> None:
    fewer = _change("a", "2024-06-05", "seats", 30, 20)
    assert happened(tables(subscriptions=[subscription("a")], subscription_changes=[fewer])) == {"a": ["contraction"]}


def test_whoever_was_treated_between_snapshot_and_end_is_marked() -> None:
    def call(customer: str, moment: str) -> dict[str, Any]:
        return {"customer_id": customer, "treated_at": at(moment), "play": "call"}

    view = tables(
        subscriptions=[subscription(name) for name in "abc"],
        treatments=[call("a", "2024-06-01 00:00"), call("b", "2024-05-31"), call("c", "2024-07-01")],
    )
    assert {row["customer_id"]: row["treated"] for row in _rows(view)} == {"a": 1, "b": 0, "c": 0}


def test_a_subscription_begun_within_the_window_tells_how_the_customer_left_if_it_ended_last() -> None:
    first = subscription("a", ended_at=at("2024-06-15"), end_reason="cancelled")
    second = subscription("a", "2", started_at=at("2024-06-05"), ended_at=at("2024-06-20"), end_reason="payment_failed")
    assert happened(tables(subscriptions=[first, second])) == {"a": ["churn", "involuntary"]}
    sooner = second | {"ended_at": at("2024-06-10")}
    assert happened(tables(subscriptions=[first, sooner])) == {"a": ["churn", "voluntary"]}


def test_recurring_revenue_stands_at_both_ends_of_the_window() -> None:
    gone = subscription("a", mrr=30, ended_at=at("2024-06-15"))
    grown = [subscription("b", mrr=20), subscription("b", "2", mrr=15, started_at=at("2024-06-05"))]
    found = {
        row["customer_id"]: (row["mrr_before"], row["mrr_after"]) for row in _rows(tables(subscriptions=[gone, *grown]))
    }
    assert found == {"a": (30.0, 0.0), "b": (20.0, 35.0)}


def test_a_move_to_a_free_plan_is_leaving_by_choice_whatever_had_ended_before() -> None:
    view = tables(
        subscriptions=[
            subscription("a"),
            subscription("a", "old", ended_at=at("2024-03-01"), end_reason="Payment failed"),
        ],
        subscription_changes=[_change("a", "2024-06-05", "plan", 30, 0)],
    )
    assert happened(view) == {"a": ["churn", "voluntary"]}


def test_who_comes_to_pay_for_a_free_plan_has_no_outcome() -> None:
    paid = _change("a", "2024-06-05", "plan", 0, 30)
    view = tables(subscriptions=[subscription("a", mrr=0), subscription("b")], subscription_changes=[paid])
    assert happened(view) == {"b": []}


@pytest.mark.parametrize(("before", "after"), [(None, 50), (30, None)])
def test_whether_more_or_less_is_paid_is_not_known_where_a_price_is_not(before: int | None, after: int | None) -> None:
    told = subscription("a", mrr=after, known_at=at("2024-06-10"))
    (row,) = _rows(tables(subscriptions=[subscription("a", mrr=before), told]))
    assert (row["churn"], row["contraction"], row["expansion"]) == (0, None, None)
    assert (row["mrr_before"], row["mrr_after"]) == (before, after)
    gone = told | {"ended_at": at("2024-06-20")}
    (row,) = _rows(tables(subscriptions=[subscription("a", mrr=before), gone]))
    assert (row["churn"], row["contraction"], row["expansion"], row["mrr_after"]) == (1, 0, 0, 0)


def test_a_pause_that_names_no_price_is_contraction_unless_pauses_are_set_to_count_on() -> None:
    paused = _change("a", "2024-06-05", "pause", 30, 0)
    for pause in (paused, paused | {"mrr_before": None, "mrr_after": None}):
        view = tables(subscriptions=[subscription("a")], subscription_changes=[pause])
        assert happened(view) == {"a": ["contraction"]}
        assert happened(view, endings=Endings(pause_pauses_mrr=False)) == {"a": []}
        resumed = _change("a", "2024-06-20", "resume", 0, 30) | {
            "mrr_after": None if pause["mrr_after"] is None else 30
        }
        both = tables(subscriptions=[subscription("a")], subscription_changes=[pause, resumed])
        assert happened(both) == {"a": []}


def test_reasons_of_failed_payments_are_compared_without_case_and_spaces() -> None:
    assert Endings(involuntary_reasons=("Card Expired", "card_expired")) == Endings(
        involuntary_reasons=("card_expired",)
    )
    ended = subscription("a", ended_at=at("2024-06-24"), end_reason="CARD expired")
    assert happened(tables(subscriptions=[ended])) == {"a": ["churn", "involuntary"]}
