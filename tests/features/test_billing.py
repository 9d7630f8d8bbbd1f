"""Billing indicators over literal rows, seen from 1 June 2024, Paris."""

from __future__ import annotations

from typing import Any

from features.billing import FAMILY, INVOICES
from tests.features.world_case import at, differing, fact, family_of, subscription


def _invoice(issued_at: str, amount: float, **more: Any) -> dict[str, Any]:
    return fact("a", invoice_id=f"{issued_at} {amount}", issued_at=issued_at, amount=amount, **more)


def _invoiced(*invoices: dict[str, Any]) -> Any:
    return family_of(FAMILY, "a", invoices=invoices).loc["a"]


def _priced(*subscriptions: dict[str, Any], changes: list[dict[str, Any]]) -> Any:
    return family_of(FAMILY, "a", subscriptions=subscriptions, subscription_changes=changes).loc["a"]


def _change(changed_at: str, kind: str, before: Any = None, after: Any = None) -> dict[str, Any]:
    more = {"subscription_id": "a ", "mrr_before": before, "mrr_after": after}
    return fact("a", changed_at=changed_at, kind=kind, **more)


def test_last_invoice_is_held_against_the_median_of_those_before() -> None:
    row = _invoiced(
        _invoice("2024-04-20", 30),
        _invoice("2023-01-10", 10),
        _invoice("2023-02-10", 20),
        _invoice("2023-03-10", 14),
        _invoice("2024-05-20", -50),
        _invoice("2024-05-21", 99, voided_at="2024-05-22"),
    )
    # The distances from the median of 14 are 4, 6 and 0.
    assert not differing(row, last_invoice=30, usual_invoice=14, last_invoice_over_usual=30 / 14)
    assert not differing(row, last_invoice_deviation=16 / (1.4826 * 4))


def test_equal_invoices_have_a_hundredth_of_them_as_spread() -> None:
    row = _invoiced(*(_invoice(f"2024-0{month}-01", 10) for month in (1, 2, 3)), _invoice("2024-04-01", 12))
    assert not differing(row, last_invoice_deviation=20.0, last_invoice_over_usual=1.2)


def test_where_invoices_are_usually_free_there_is_nothing_to_compare_with() -> None:
    row = _invoiced(_invoice("2024-01-01", 0), _invoice("2024-02-01", 0), _invoice("2024-05-01", 5))
    assert not differing(row, last_invoice=5, usual_invoice=0, last_invoice_over_usual=None)
    assert not differing(row, last_invoice_deviation=None, largest_invoice_jump_90d=None)


def test_first_invoice_has_no_usual_and_no_jump() -> None:
    row = _invoiced(_invoice("2024-05-20", 40))
    assert not differing(row, last_invoice=40, usual_invoice=None, last_invoice_over_usual=None)
    assert not differing(row, last_invoice_deviation=None, largest_invoice_jump_30d=None)


def test_invoice_withdrawn_after_the_snapshot_still_stands() -> None:
    row = _invoiced(_invoice("2024-04-01", 10), _invoice("2024-05-21", 99, voided_at="2024-06-01"))
    assert not differing(row, last_invoice=99, usual_invoice=10, largest_invoice_jump_30d=9.9)


def test_largest_jump_is_from_one_invoice_to_the_next_in_the_lookback() -> None:
    row = _invoiced(
        _invoice("2023-01-01", 10),
        _invoice("2024-05-01 23:59", 40),
        _invoice("2024-05-02 00:00", 20),
        _invoice("2024-05-20", 30),
        _invoice("2024-05-21", -90),
    )
    assert not differing(row, largest_invoice_jump_7d=None, largest_invoice_jump_30d=1.5, largest_invoice_jump_90d=4.0)


def test_extraordinary_charges_are_those_marked_so_and_not_withdrawn() -> None:
    row = _invoiced(
        _invoice("2024-05-02 00:00", 10.10, extraordinary=True),
        _invoice("2024-05-31", 20.20, extraordinary=True),
        _invoice("2024-05-01 23:59", 40, extraordinary=True),
        _invoice("2024-05-20", 80, extraordinary=True, voided_at="2024-05-21"),
        _invoice("2024-05-21", 160, extraordinary=False),
        _invoice("2024-05-22", 320),
    )
    assert not differing(row, extraordinary_charges_30d=2, extraordinary_charges_90d=3)
    assert not differing(row, extraordinary_value_30d=30.30, extraordinary_value_90d=70.30)


def test_invoice_is_overdue_from_the_day_after_it_was_due() -> None:
    row = _invoiced(
        _invoice("2024-05-01", 10, due_at="2024-05-31 23:59"),
        _invoice("2024-05-02", 20, due_at="2024-05-22 00:00"),
        _invoice("2024-05-03", 40, due_at="2024-06-01 00:00"),
        _invoice("2024-05-04", 80, due_at="2024-05-06", paid_at="2024-05-30"),
        _invoice("2024-05-05", 160, due_at="2024-05-06", written_off_at="2024-05-20"),
        _invoice("2024-05-06", 320, due_at="2024-05-06", voided_at="2024-05-20"),
        _invoice("2024-05-07", -640, due_at="2024-05-07"),
        _invoice("2023-05-08", 1280),
    )
    assert not differing(row, overdue_invoices=2, overdue_amount=30, overdue_days=10)


def test_invoice_paid_or_given_up_after_the_snapshot_is_still_overdue() -> None:
    row = _invoiced(
        _invoice("2024-05-01", 10, due_at="2024-05-15", paid_at="2024-06-01 00:00"),
        _invoice("2024-05-01", 20, due_at="2024-05-25", written_off_at="2024-06-03"),
    )
    assert not differing(row, overdue_invoices=2, overdue_amount=30, overdue_days=17, invoices_written_off_30d=0)


def test_invoices_given_up_count_on_the_day_they_were() -> None:
    row = _invoiced(
        _invoice("2023-01-01", 10, written_off_at="2024-05-02 00:00"),
        _invoice("2023-01-02", 20, written_off_at="2024-05-01 23:59"),
        _invoice("2024-05-20", 30),
    )
    assert not differing(row, invoices_written_off_30d=1, invoices_written_off_90d=2)


def test_credit_notes_count_unless_withdrawn_by_then() -> None:
    row = _invoiced(
        _invoice("2024-05-25 00:00", -10),
        _invoice("2024-05-24 23:59", -20),
        _invoice("2024-05-26", -30, voided_at="2024-05-27"),
        _invoice("2024-05-27", -40, voided_at="2024-06-01"),
        _invoice("2024-05-28", 50),
    )
    assert not differing(row, credit_notes_7d=2, credit_notes_30d=3)


def test_failed_payments_are_counted_attempt_by_attempt() -> None:
    payments = [
        fact("a", attempted_at="2024-05-25 00:00", succeeded=False),
        fact("a", attempted_at="2024-05-25 00:00", succeeded=False),
        fact("a", attempted_at="2024-05-24 23:59", succeeded=False),
        fact("a", attempted_at="2024-05-26", succeeded=True),
        fact("a", attempted_at="2024-06-01 00:00", succeeded=False),
    ]
    row = family_of(FAMILY, "a", payments=payments).loc["a"]
    assert not differing(row, failed_payments_7d=2, failed_payments_30d=3)


def test_price_is_up_by_what_it_rose_since_the_term_began() -> None:
    changes = [
        _change("2024-02-29 23:59", "price", 20, 30),
        _change("2024-03-01 00:00", "price", 30, 33),
        _change("2024-05-31 23:59", "price", 33, 36),
        _change("2024-06-01 00:00", "price", 36, 99),
        _change("2024-04-01", "discount_end", 30, 30),
    ]
    row = _priced(subscription("a", term_started_at=at("2024-03-01")), changes=changes)
    assert not differing(row, price_increase_since_renewal=0.2)


def test_price_of_all_running_subscriptions_together_counts() -> None:
    ended = subscription("a", "old", mrr=500, ended_at=at("2024-05-01"))
    both = [subscription("a"), subscription("a", "2", mrr=24), ended]
    row = _priced(*both, changes=[_change("2024-05-01", "price", 30, 36)])
    assert not differing(row, price_increase_since_renewal=6 / 54)


def test_larger_plan_is_no_price_increase() -> None:
    row = _priced(subscription("a", mrr="30.1"), changes=[_change("2024-05-01", "plan", "30.1", "90.3")])
    assert row["price_increase_since_renewal"] == 0


def test_seats_added_after_a_price_increase_do_not_make_it_smaller() -> None:
    row = _priced(
        subscription("a"), changes=[_change("2024-05-01", "price", 30, 36), _change("2024-05-02", "seats", 36, 72)]
    )
    assert not differing(row, price_increase_since_renewal=0.2)


def test_price_changes_before_and_after_a_larger_plan_multiply() -> None:
    changes = [
        _change("2024-05-01", "price", 30, 33),
        _change("2024-05-02", "plan", 33, 80),
        _change("2024-05-03", "price", 80, 60),
    ]
    assert not differing(_priced(subscription("a"), changes=changes), price_increase_since_renewal=1.1 * 0.75 - 1)


def test_price_raised_and_taken_back_did_not_change() -> None:
    changes = [_change("2024-05-01", "price", 30, 37), _change("2024-05-02", "price", 37, 30)]
    assert _priced(subscription("a"), changes=changes)["price_increase_since_renewal"] == 0


def test_price_that_fell_is_below_zero() -> None:
    row = _priced(subscription("a"), changes=[_change("2024-05-01", "price", 40, 36)])
    assert not differing(row, price_increase_since_renewal=-0.1)


def test_price_step_from_or_to_nothing_is_left_out() -> None:
    changes = [
        _change("2024-05-01", "price", 30, 0),
        _change("2024-05-02", "price", 0, 36),
        _change("2024-05-03", "price", None, 40),
        _change("2024-05-04", "price", 40, None),
        _change("2024-05-05", "price", 40, 44),
    ]
    assert not differing(_priced(subscription("a"), changes=changes), price_increase_since_renewal=0.1)


def test_subscription_without_a_price_does_not_hide_the_increase_of_another() -> None:
    unknown, raised = subscription("a", "2", mrr=None), _change("2024-05-01", "price", 30, 36)
    row = _priced(subscription("a"), unknown, changes=[raised, raised | {"subscription_id": "a 3"}])
    assert not differing(row, price_increase_since_renewal=0.2)


def test_prices_a_million_times_apart_are_as_far_apart_as_prices_get() -> None:
    steps = [_change("2024-05-01", "price", 1000, 1)] * 12
    row = _priced(subscription("a"), changes=[*steps, _change("2024-05-02", "plan", 1, 500)])
    assert not differing(row, price_increase_since_renewal=1e-6 - 1)


def test_what_costs_nothing_has_no_price_increase() -> None:
    assert not differing(_priced(subscription("a", mrr=0), changes=[]), price_increase_since_renewal=None)


def test_discounts_ended_are_counted_in_the_lookback() -> None:
    changes = [
        _change("2024-05-25 00:00", "discount_end", 20, 30),
        _change("2024-05-24 23:59", "discount_end", 20, 30),
        _change("2024-05-26", "discount_start", 30, 20),
        _change("2024-06-01 00:00", "discount_end", 20, 30),
    ]
    row = family_of(FAMILY, "a", subscription_changes=changes).loc["a"]
    assert not differing(row, discounts_ended_7d=1, discounts_ended_30d=2)


def test_invoice_at_the_snapshot_instant_is_not_known() -> None:
    row = _invoiced(_invoice("2024-06-01 00:00", 99, extraordinary=True), _invoice("2024-05-20", 10))
    assert not differing(row, last_invoice=10, usual_invoice=None, extraordinary_charges_30d=0)


def test_who_was_never_charged_has_zeros_and_no_usual() -> None:
    row = family_of(
        FAMILY,
        "a",
        invoices=[fact("b", invoice_id="1", issued_at="2024-05-01", amount=10, due_at="2024-05-02")],
        payments=[fact("b", attempted_at="2024-05-20", succeeded=False)],
        subscriptions=[subscription("b"), subscription("a", ended_at=at("2024-05-01"))],
        subscription_changes=[_change("2024-04-20", "price", 10, 20)],
    ).loc["a"]
    assert not differing(row, last_invoice=None, usual_invoice=None, last_invoice_over_usual=None)
    assert not differing(row, last_invoice_deviation=None, largest_invoice_jump_365d=None)
    assert not differing(row, extraordinary_charges_365d=0, extraordinary_value_365d=0, invoices_written_off_365d=0)
    assert not differing(row, overdue_invoices=0, overdue_amount=0, overdue_days=0, credit_notes_365d=0)
    assert not differing(row, failed_payments_365d=0, discounts_ended_365d=0, price_increase_since_renewal=None)


def test_only_what_is_held_against_the_customers_own_invoices_is_called_unusual() -> None:
    told = {indicator.name: indicator.unit for indicator in INVOICES if indicator.reason == "unusual_invoice"}
    assert set(told) == {"last_invoice_over_usual", "last_invoice_deviation", "largest_invoice_jump_{days}d"}
    assert set(told.values()) == {"ratio"}
