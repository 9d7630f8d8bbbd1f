"""Payment indicators over literal rows, seen from 1 June 2024, Paris, with an outcome window that ends on 31 July."""

from __future__ import annotations

from typing import Any

from features.payment import FAMILY
from tests.features.world_case import at, differing, fact, family_of


def _method(number: str, added_at: str = "2023-01-01", **more: Any) -> dict[str, Any]:
    return fact("a", method_id=number, added_at=added_at, kind="card", **more)


def _methods(*methods: dict[str, Any]) -> Any:
    return family_of(FAMILY, "a", payment_methods=methods).loc["a"]


def _failed(attempted_at: str, kind: str | None = None, **more: Any) -> dict[str, Any]:
    return fact("a", attempted_at=attempted_at, succeeded=False, failure_kind=kind, **more)


def _paid(attempted_at: str, **more: Any) -> dict[str, Any]:
    return fact("a", attempted_at=attempted_at, succeeded=True, **more)


def _attempts(*payments: dict[str, Any]) -> Any:
    return family_of(FAMILY, "a", payments=payments).loc["a"]


def test_card_that_expires_within_the_horizon_is_about_to() -> None:
    row = _methods(_method("1", expires_at="2024-07-30 23:59"))
    assert not differing(row, days_until_card_expires=59, card_expires_before_horizon=1)


def test_card_that_expires_when_the_horizon_ends_outlives_it() -> None:
    row = _methods(_method("1", expires_at="2024-07-31 00:00"))
    assert not differing(row, days_until_card_expires=60, card_expires_before_horizon=0)


def test_card_that_has_expired_has_no_days_left() -> None:
    row = _methods(_method("1", expires_at="2024-05-31 23:59"))
    assert not differing(row, card_expired=1, days_until_card_expires=0, card_expires_before_horizon=1)


def test_card_that_expires_on_the_day_of_the_snapshot_has_not_yet() -> None:
    row = _methods(_method("1", expires_at="2024-06-01 00:00"))
    assert not differing(row, card_expired=0, days_until_card_expires=0, card_expires_before_horizon=1)


def test_method_that_does_not_expire_stays_valid() -> None:
    row = _methods(_method("1"))
    assert not differing(row, days_until_card_expires=None, card_expires_before_horizon=0, backup_payment_method=0)
    assert not differing(row, card_expired=0)


def test_where_no_method_is_known_to_pay_nothing_is_said_of_it() -> None:
    row = _methods(_method("1", is_default=False, expires_at="2024-05-30"), _method("2", is_default=False))
    assert not differing(row, days_until_card_expires=None, card_expires_before_horizon=None, card_expired=None)
    assert not differing(row, backup_payment_method=None)


def test_newest_method_that_pays_is_the_one_looked_at() -> None:
    row = _methods(
        _method("1", "2023-01-01", expires_at="2024-06-11", is_default=True),
        _method("2", "2023-02-01", expires_at="2024-06-21"),
        _method("3", "2023-03-01", expires_at="2024-06-02", is_default=False),
        _method("4", "2023-04-01", expires_at="2024-06-03", removed_at="2024-05-31 23:59"),
    )
    assert not differing(row, days_until_card_expires=20, card_expires_before_horizon=1, backup_payment_method=1)


def test_backup_is_another_method_that_is_there_and_still_valid() -> None:
    first = _method("1", "2024-01-01", is_default=True)
    expired = _method("2", is_default=False, expires_at="2024-05-31")
    removed = _method("3", is_default=False, removed_at="2024-05-20")
    assert _methods(first, expired, removed)["backup_payment_method"] == 0
    assert _methods(first, _method("2", is_default=False, expires_at="2024-06-02"))["backup_payment_method"] == 1
    assert _methods(first, _method("2", is_default=False))["backup_payment_method"] == 1


def test_method_removed_after_the_snapshot_or_added_at_its_instant() -> None:
    row = _methods(
        _method("1", "2024-01-01", expires_at="2024-06-11"),
        _method("2", "2024-02-01", expires_at="2024-06-05", removed_at="2024-06-01 00:00"),
        _method("3", "2024-06-01 00:00", expires_at="2024-06-02"),
    )
    assert not differing(row, days_until_card_expires=4, card_expires_before_horizon=1, backup_payment_method=1)


def test_new_version_of_a_card_counts_from_when_it_was_known() -> None:
    old = _method("1", expires_at="2024-06-11")
    renewed = old | {"expires_at": at("2027-06-11"), "known_at": at("2024-06-01")}
    assert not differing(_methods(old, renewed), days_until_card_expires=10, backup_payment_method=0)


def test_failures_in_a_row_end_at_the_last_success() -> None:
    row = _attempts(_failed("2024-05-01"), _paid("2024-05-02"), _failed("2024-05-10"), _failed("2024-05-20"))
    assert not differing(row, payment_failure_streak=2, days_since_failed_payment=12)
    row = _attempts(_failed("2024-05-01"), _failed("2024-05-10"), _failed("2024-05-20"))
    assert not differing(row, payment_failure_streak=3)
    row = _attempts(_failed("2024-05-01"), _failed("2024-05-10"), _paid("2024-05-20"))
    assert not differing(row, payment_failure_streak=0, days_since_failed_payment=22, payment_retries_running=0)


def test_hard_and_soft_failures_are_counted_apart() -> None:
    row = _attempts(
        _failed("2024-05-25 00:00", "hard"),
        _failed("2024-05-26", "hard"),
        _failed("2024-05-24 23:59", "hard"),
        _failed("2024-05-27", "soft"),
        _failed("2024-05-20", "soft"),
        _failed("2024-05-31"),
        _paid("2024-05-28"),
    )
    assert not differing(row, hard_failures_7d=2, hard_failures_30d=3, soft_failures_7d=1, soft_failures_30d=2)


def test_last_failure_says_whether_trying_again_can_help() -> None:
    row = _attempts(_failed("2024-05-01", "soft"), _failed("2024-05-10", "hard"), _paid("2024-05-20"))
    assert not differing(row, last_failure_hard=1)
    assert not differing(_attempts(_failed("2024-05-01", "hard"), _failed("2024-05-10", "soft")), last_failure_hard=0)
    assert not differing(_attempts(_failed("2024-05-01", "hard"), _failed("2024-05-10")), last_failure_hard=None)


def test_retry_is_running_while_its_day_has_not_passed() -> None:
    assert _attempts(_failed("2024-05-30", "soft", retry_at="2024-06-01"))["payment_retries_running"] == 1
    assert _attempts(_failed("2024-05-30", "soft", retry_at="2024-05-31"))["payment_retries_running"] == 0
    assert _attempts(_failed("2024-05-30", "hard"))["payment_retries_running"] == 0
    paid = _attempts(_failed("2024-05-29", "soft", retry_at="2024-06-03"), _paid("2024-05-30", retry_at="2024-06-03"))
    assert paid["payment_retries_running"] == 0


def test_success_on_one_invoice_leaves_the_retry_of_another_running() -> None:
    failed = _failed("2024-05-29", "soft", invoice_id="1", retry_at="2024-06-03")
    assert _attempts(failed, _paid("2024-05-30", invoice_id="2"))["payment_retries_running"] == 1
    assert _attempts(failed, _paid("2024-05-30"))["payment_retries_running"] == 1
    assert _attempts(failed, _paid("2024-05-30", invoice_id="1"))["payment_retries_running"] == 0
    given_up = _failed("2024-05-31", "hard", invoice_id="1")
    assert _attempts(failed, given_up)["payment_retries_running"] == 0


def test_attempts_without_an_invoice_are_of_one_and_the_same() -> None:
    failed = _failed("2024-05-29", "soft", retry_at="2024-06-03")
    assert _attempts(failed, _paid("2024-05-30", invoice_id="2"))["payment_retries_running"] == 1
    assert _attempts(failed, _paid("2024-05-30"))["payment_retries_running"] == 0


def test_attempt_at_the_snapshot_instant_or_known_later_is_not_counted() -> None:
    row = _attempts(
        _failed("2024-06-01 00:00", "hard", retry_at="2024-06-05"),
        _failed("2024-05-30", "hard", known_at="2024-06-01 00:00"),
        _failed("2024-05-10", "soft"),
    )
    assert not differing(row, payment_failure_streak=1, hard_failures_30d=0, last_failure_hard=0)
    assert not differing(row, days_since_failed_payment=22, payment_retries_running=0)


def test_who_has_no_method_and_never_paid_has_nulls_and_zeros() -> None:
    methods, payments = [_method("1") | {"customer_id": "b"}], [_failed("2024-05-20", "hard") | {"customer_id": "b"}]
    row = family_of(FAMILY, "a", payment_methods=methods, payments=payments).loc["a"]
    assert not differing(row, days_until_card_expires=None, card_expires_before_horizon=None)
    assert not differing(row, backup_payment_method=None, last_failure_hard=None, days_since_failed_payment=None)
    assert not differing(row, payment_failure_streak=0, payment_retries_running=0, card_expired=None)
    assert not differing(row, hard_failures_365d=0, soft_failures_365d=0)


def test_who_always_paid_has_no_failure_to_speak_of() -> None:
    row = _attempts(_paid("2024-05-20"))
    assert not differing(row, payment_failure_streak=0, last_failure_hard=None, days_since_failed_payment=None)
