"""Usage indicators over literal rows, seen from 1 June 2024, Paris."""

from __future__ import annotations

from typing import Any

from features.usage import FAMILY
from tests.features.world_case import at, differing, fact, family_of, subscription


def _use(used_at: str, **more: Any) -> dict[str, Any]:
    return fact("a", used_at=used_at, **more)


def _of(*uses: dict[str, Any], **more: Any) -> Any:
    return family_of(FAMILY, "a", usage=uses, **more).loc["a"]


def _step(step: str, assigned_at: str, completed_at: str | None = None, **more: Any) -> dict[str, Any]:
    return fact("a", step=step, assigned_at=assigned_at, completed_at=completed_at, **more)


def _introduced(*steps: dict[str, Any]) -> Any:
    return family_of(FAMILY, "a", onboarding_steps=steps).loc["a"]


def test_use_is_counted_by_local_day_and_by_event_against_the_span_before() -> None:
    row = _of(
        _use("2024-05-30 00:00"),
        _use("2024-05-30 23:59"),
        _use("2024-05-02 00:00"),
        _use("2024-05-01 23:59"),
        _use("2024-05-01 08:00"),
        _use("2024-04-02 00:00"),
        _use("2024-04-05 00:00"),
        _use("2024-04-01 23:59"),
    )
    assert not differing(row, days_since_last_use=2, usage_days_7d=1, usage_days_30d=2, usage_days_90d=6)
    assert not differing(row, usage_events_7d=2, usage_events_30d=3, usage_events_90d=8)
    assert not differing(row, usage_days_change_30d=-1, usage_days_change_7d=1)


def test_quantities_add_up_exactly_and_one_not_given_is_1() -> None:
    row = _of(
        _use("2024-05-25 00:00", quantity="0.1"),
        _use("2024-05-26", quantity="0.2"),
        _use("2024-05-24 23:59", quantity=5),
        _use("2024-05-18 00:00"),
        _use("2024-05-17 23:59", quantity=40),
    )
    assert row["usage_quantity_7d"] == 0.3
    assert row["usage_quantity_change_7d"] == -5.7
    assert row["usage_quantity_30d"] == 46.3


def test_use_of_years_ago_is_remembered_but_no_longer_compared_with() -> None:
    row = _of(_use("2022-06-02 00:00", feature="export"), _use("2022-06-01 23:59", feature="import"))
    assert not differing(row, days_since_last_use=730, usage_days_365d=0, usage_days_change_365d=-1)
    assert not differing(row, usage_quantity_change_365d=-1, features_used_365d=0, usage_error_rate_365d=None)
    row = _of(_use("2021-06-01"))
    assert not differing(row, days_since_last_use=1096, usage_days_change_365d=0, usage_quantity_change_365d=0)


def test_features_are_counted_once_and_only_where_named() -> None:
    row = _of(
        _use("2024-05-10", feature="export"),
        _use("2024-05-25 00:00", feature="export"),
        _use("2024-05-30", feature="export"),
        _use("2024-05-30"),
        _use("2024-05-24 23:59", feature="import"),
    )
    assert not differing(row, features_used_7d=1, features_used_30d=2)


def test_error_rate_is_the_share_of_uses_that_failed() -> None:
    row = _of(
        _use("2024-05-25 00:00", errors=1),
        _use("2024-05-26", errors=0),
        _use("2024-05-27"),
        _use("2024-05-28"),
        _use("2024-05-24 23:59", errors=1),
    )
    assert not differing(row, usage_error_rate_7d=0.25, usage_error_rate_30d=0.4)


def test_use_that_failed_three_times_is_one_of_the_uses_with_errors() -> None:
    row = _of(_use("2024-05-26", errors=3), _use("2024-05-27"))
    assert not differing(row, usage_error_rate_7d=0.5)


def test_seats_used_are_people_over_the_seats_that_run() -> None:
    row = _of(
        _use("2024-05-25 00:00", seat_id="ann"),
        _use("2024-05-30", seat_id="ann"),
        _use("2024-05-24 23:59", seat_id="bob"),
        _use("2024-05-30"),
        subscriptions=[
            subscription("a", "1", seats=3),
            subscription("a", "2", seats=1),
            subscription("a", "3"),
            subscription("a", "4", seats=50, ended_at=at("2024-05-31")),
        ],
    )
    assert not differing(row, seats_used_share_7d=0.25, seats_used_share_30d=0.5)


def test_seats_of_a_subscription_that_ends_after_the_snapshot_are_still_paid_for() -> None:
    ending = subscription("a", seats=4, ended_at=at("2024-06-01"))
    assert not differing(_of(_use("2024-05-30", seat_id="ann"), subscriptions=[ending]), seats_used_share_7d=0.25)


def test_without_seats_there_is_no_share_and_without_people_it_is_0() -> None:
    assert not differing(_of(_use("2024-05-30"), subscriptions=[subscription("a")]), seats_used_share_7d=None)
    assert not differing(_of(_use("2024-05-30"), subscriptions=[subscription("a", seats=2)]), seats_used_share_7d=0)


def test_introduction_is_done_step_by_step_until_first_value() -> None:
    row = _introduced(
        _step("profile", "2024-05-01 23:59", "2024-05-02 00:00"),
        _step("import", "2024-05-03", "2024-05-11 12:00", first_value=True),
        _step("invite", "2024-05-03", "2024-05-20", first_value=True),
        _step("report", "2024-05-03"),
    )
    assert not differing(row, onboarding_done_share=0.75, days_to_first_value=10)


def test_step_done_after_the_snapshot_is_not_done() -> None:
    row = _introduced(
        _step("profile", "2024-05-01", "2024-05-02"),
        _step("import", "2024-05-01", "2024-06-01 00:00", first_value=True),
        _step("invite", "2024-06-01 00:00"),
    )
    assert not differing(row, onboarding_done_share=0.5, days_to_first_value=None)


def test_use_at_the_snapshot_instant_or_known_later_is_not_counted() -> None:
    row = _of(_use("2024-06-01 00:00"), _use("2024-05-30", known_at="2024-06-01 00:00"), _use("2024-05-20", errors=1))
    assert not differing(row, days_since_last_use=12, usage_events_30d=1, usage_error_rate_30d=1)


def test_who_never_used_it_has_zeros_and_no_rates() -> None:
    uses, steps = [fact("b", used_at="2024-05-20", errors=1)], [fact("b", step="x", assigned_at="2024-05-01")]
    row = family_of(FAMILY, "a", usage=uses, onboarding_steps=steps, subscriptions=[subscription("b", seats=1)]).loc[
        "a"
    ]
    assert not differing(row, days_since_last_use=None, usage_days_365d=0, usage_events_365d=0, usage_quantity_365d=0)
    assert not differing(row, usage_days_change_365d=0, usage_quantity_change_365d=0, features_used_365d=0)
    assert not differing(row, usage_error_rate_365d=None, seats_used_share_365d=None)
    assert not differing(row, onboarding_done_share=None, days_to_first_value=None)
