"""Support indicators over literal rows, seen from 1 June 2024, Paris."""

from __future__ import annotations

from typing import Any

from features.support import FAMILY
from tests.features.world_case import at, differing, fact, family_of


def _contact(opened_at: str, **more: Any) -> dict[str, Any]:
    return fact("a", opened_at=opened_at, **more)


def _of(*contacts: dict[str, Any]) -> Any:
    return family_of(FAMILY, "a", support_contacts=contacts).loc["a"]


def test_contacts_are_counted_from_the_first_day_of_the_lookback_to_the_snapshot() -> None:
    row = _of(
        _contact("2024-05-31 23:59", channel="phone"),
        _contact("2024-05-02 00:00", channel="chat"),
        _contact("2024-05-02 00:00", channel="chat"),
        _contact("2024-05-03 09:00"),
        _contact("2024-05-01 23:59", channel="mail"),
        _contact("2024-04-02 00:00", channel="mail"),
        _contact("2024-04-01 23:59", channel="form"),
    )
    assert not differing(row, support_contacts_7d=1, support_contacts_30d=4, support_contacts_90d=7)
    assert not differing(row, support_channels_7d=1, support_channels_30d=2, support_channels_90d=4)
    assert not differing(row, support_contacts_change_30d=2, days_since_last_support_contact=1)


def test_usual_number_is_that_of_an_equal_span_since_the_first_contact() -> None:
    older = [_contact(day) for day in ("2024-02-02", "2024-03-05", "2024-04-10", "2024-05-01")]
    row = _of(*older, _contact("2024-05-02"), _contact("2024-05-31"), _contact("2024-05-31"))
    # Four in the 90 days from 2 February to the lookback: 4/3 in 30 days.
    assert not differing(row, support_contacts_over_usual_30d=3 / (4 / 3), support_contacts_over_usual_365d=None)


def test_no_contact_lately_is_none_of_the_usual_number() -> None:
    assert not differing(_of(_contact("2024-02-02")), support_contacts_over_usual_30d=0, support_contacts_30d=0)


def test_speed_is_the_mean_in_hours_over_contacts_that_were_answered() -> None:
    row = _of(
        _contact("2024-05-20 10:00", first_response_at="2024-05-20 10:30", resolved_at="2024-05-21 10:00"),
        _contact("2024-05-21 10:00", first_response_at="2024-05-21 12:00", resolved_at="2024-05-21 16:00"),
        _contact("2024-05-22 10:00"),
        _contact("2024-04-20 10:00", first_response_at="2024-04-29 10:00", resolved_at="2024-05-29 10:00"),
    )
    assert not differing(row, hours_to_first_response_30d=1.25, hours_to_resolution_30d=15.0)
    assert not differing(row, hours_to_first_response_7d=None, hours_to_resolution_7d=None)


def test_hours_across_a_clock_change_are_those_that_passed() -> None:
    spring = _contact("2024-03-30 12:00", first_response_at="2024-03-31 12:00", resolved_at="2024-04-01 12:00")
    assert not differing(_of(spring), hours_to_first_response_90d=23.0, hours_to_resolution_90d=47.0)


def test_contact_is_open_until_it_is_resolved_and_again_when_reopened_after_that() -> None:
    row = _of(
        _contact("2024-05-01"),
        _contact("2024-05-02", resolved_at="2024-05-10"),
        _contact("2024-05-03", resolved_at="2024-05-10", reopened_at="2024-05-11"),
        _contact("2023-01-04", reopened_at="2024-05-09", resolved_at="2024-05-10"),
        _contact("2024-05-05", reopened_at="2024-05-25"),
    )
    assert not differing(row, support_contacts_open=3, support_reopened_7d=1, support_reopened_30d=3)


def test_contact_resolved_reopened_or_marked_after_the_snapshot_is_open_and_unmarked() -> None:
    later = {"first_response_at": "2024-06-01", "resolved_at": "2024-06-01", "csat_at": "2024-06-02", "csat": 1}
    row = _of(
        _contact("2024-05-20", **later),
        _contact("2024-05-21", resolved_at="2024-05-30", reopened_at="2024-06-01", followed_up_at="2024-06-01"),
    )
    assert not differing(row, support_contacts_open=1, support_reopened_30d=0, resolved_without_follow_up_30d=1)
    assert not differing(row, hours_to_first_response_30d=None, hours_to_resolution_30d=216.0, support_mark_30d=None)


def test_same_topic_again_is_a_later_contact_within_14_days() -> None:
    row = _of(
        _contact("2024-04-20 10:00", topic="invoice"),
        _contact("2024-05-04 23:00", topic="invoice"),
        _contact("2024-05-19 00:00", topic="invoice"),
        _contact("2024-05-30 09:00", topic="invoice"),
        _contact("2024-05-30 09:00", topic="invoice"),
        _contact("2024-05-31", topic="delivery"),
        _contact("2024-05-31"),
        _contact("2024-05-31 12:00"),
    )
    # After 14, 15 and 11 days; the last two came at one moment, each of them again.
    assert not differing(row, same_topic_again_30d=3, same_topic_again_7d=2)


def test_closed_without_asking_back_counts_on_the_day_it_was_closed() -> None:
    row = _of(
        _contact("2023-01-01", resolved_at="2024-05-02 00:00"),
        _contact("2023-01-01", resolved_at="2024-05-01 23:59"),
        _contact("2024-05-03", resolved_at="2024-05-20", followed_up_at="2024-05-22"),
        _contact("2024-05-04"),
    )
    assert not differing(row, resolved_without_follow_up_30d=1, resolved_without_follow_up_90d=2)


def test_complaints_and_problems_of_severity_3_and_more_are_counted_apart() -> None:
    row = _of(
        _contact("2024-05-25", complaint=True, severity=3),
        _contact("2024-05-24", complaint=True, severity=4),
        _contact("2024-05-26", complaint=False, severity=2),
        _contact("2024-05-27"),
    )
    assert not differing(row, complaints_7d=1, complaints_30d=2, severe_contacts_7d=1, severe_contacts_30d=2)


def test_marks_are_of_the_days_they_were_given() -> None:
    row = _of(
        _contact("2024-01-01", csat=5, csat_at="2024-05-25 00:00"),
        _contact("2024-05-20", csat=2, csat_at="2024-05-26"),
        _contact("2024-05-01", csat=1, csat_at="2024-05-24 23:59"),
        _contact("2024-05-28"),
    )
    assert not differing(row, support_mark_7d=3.5, support_mark_30d=8 / 3)


def test_last_version_of_a_contact_known_by_then_holds() -> None:
    first = _contact("2024-05-20", contact_id="t", complaint=False, severity=1)
    second = first | {"severity": 3, "known_at": at("2024-05-21")}
    third = first | {"complaint": True, "known_at": at("2024-06-01")}
    assert not differing(_of(third, second, first), support_contacts_30d=1, severe_contacts_30d=1, complaints_30d=0)


def test_contact_at_the_snapshot_instant_is_not_counted() -> None:
    row = _of(_contact("2024-06-01 00:00", complaint=True), _contact("2024-05-12"))
    assert not differing(row, support_contacts_30d=1, days_since_last_support_contact=20, complaints_30d=0)


def test_who_never_asked_has_zeros_and_no_hours() -> None:
    row = family_of(FAMILY, "a", support_contacts=[fact("b", opened_at="2024-05-20", complaint=True)]).loc["a"]
    assert not differing(row, days_since_last_support_contact=None, support_contacts_over_usual_30d=None)
    assert not differing(row, hours_to_first_response_365d=None, hours_to_resolution_365d=None, support_mark_365d=None)
    assert not differing(row, support_contacts_365d=0, support_channels_365d=0, support_contacts_change_365d=0)
    assert not differing(row, support_contacts_open=0, support_reopened_365d=0, same_topic_again_365d=0)
    assert not differing(row, resolved_without_follow_up_365d=0, complaints_365d=0, severe_contacts_365d=0)
