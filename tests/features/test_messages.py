"""Message indicators over literal rows, seen from 1 June 2024, Paris."""

from __future__ import annotations

from typing import Any

from features.messages import FAMILY
from tests.features.world_case import at, differing, fact, family_of, order


def _message(sent_at: str, channel: str | None = "email", **more: Any) -> dict[str, Any]:
    return fact("a", sent_at=sent_at, channel=channel, **more)


def _of(*messages: dict[str, Any], **more: Any) -> Any:
    return family_of(FAMILY, "a", messages=messages, **more).loc["a"]


def test_messages_are_counted_in_all_and_by_channel() -> None:
    row = _of(
        _message("2024-05-25 00:00"),
        _message("2024-05-31 23:59", "sms"),
        _message("2024-05-30", "push"),
        _message("2024-05-30", "push"),
        _message("2024-05-30", "post"),
        _message("2024-05-30", None),
        _message("2024-05-24 23:59"),
        _message("2024-05-24 23:59", "sms"),
        _message("2024-05-18 00:00", "push"),
        _message("2024-05-17 23:59"),
    )
    assert not differing(row, messages_7d=6, emails_7d=1, sms_7d=1, push_messages_7d=2, messages_change_7d=3)
    assert not differing(row, messages_30d=10, emails_30d=3, sms_30d=2, push_messages_30d=3)


def test_a_channel_is_compared_without_case() -> None:
    assert not differing(_of(_message("2024-05-30", "Email"), _message("2024-05-30", "SMS")), emails_7d=1, sms_7d=1)


def test_reminders_are_told_from_other_messages() -> None:
    row = _of(
        _message("2024-05-25 00:00", kind="reminder"),
        _message("2024-05-24 23:59", kind="reminder"),
        _message("2024-05-26", kind="newsletter"),
        _message("2024-05-27"),
    )
    assert not differing(row, reminders_7d=1, reminders_30d=2)


def test_message_repeats_another_where_its_template_was_used_in_the_lookback() -> None:
    row = _of(
        _message("2024-05-25 00:00", template="spring"),
        _message("2024-05-26", template="spring"),
        _message("2024-05-27", template="spring"),
        _message("2024-05-28", template="sale"),
        _message("2024-05-29"),
        _message("2024-05-24 23:59", template="sale"),
    )
    # Of four with a template two repeat the first; of five, three.
    assert not differing(row, repeated_template_share_7d=0.5, repeated_template_share_30d=0.6)
    assert not differing(_of(_message("2024-05-29")), repeated_template_share_7d=None)


def test_messages_that_prospects_got_too_are_a_share_of_all() -> None:
    row = _of(
        _message("2024-05-25 00:00", also_sent_to_prospects=True),
        _message("2024-05-26", also_sent_to_prospects=False),
        _message("2024-05-27"),
        _message("2024-05-28"),
        _message("2024-05-24 23:59", also_sent_to_prospects=True),
    )
    assert not differing(row, prospect_message_share_7d=0.25, prospect_message_share_30d=0.4)


def test_rates_are_of_the_messages_sent_in_the_lookback() -> None:
    row = _of(
        _message("2024-05-02 00:00", opened_at="2024-05-05", clicked_at="2024-05-05"),
        _message("2024-05-10", opened_at="2024-05-10"),
        _message("2024-05-20"),
        _message("2024-05-21"),
        _message("2024-05-01 23:59", opened_at="2024-05-28 12:00"),
        _message("2024-04-02 00:00", opened_at="2024-04-02", clicked_at="2024-04-02"),
        _message("2024-04-01 23:59"),
    )
    assert not differing(row, open_rate_30d=0.5, open_rate_change_30d=-0.5, open_rate_90d=4 / 7)
    assert not differing(row, click_rate_30d=0.25, click_rate_change_30d=-0.25, click_rate_90d=2 / 7)
    assert not differing(row, days_since_last_open=4)
    assert not differing(
        row, open_rate_7d=None, open_rate_change_7d=None, click_rate_7d=None, click_rate_change_7d=None
    )


def test_without_messages_in_the_span_before_rates_have_no_change() -> None:
    row = _of(_message("2024-05-20", opened_at="2024-05-20"))
    assert not differing(row, open_rate_30d=1, open_rate_change_30d=None, click_rate_change_30d=None)


def test_message_opened_after_the_snapshot_is_unopened() -> None:
    later = {"opened_at": "2024-06-01 00:00", "clicked_at": "2024-06-01 00:00", "unsubscribed_at": "2024-06-02"}
    row = _of(_message("2024-05-20", **later))
    assert not differing(row, open_rate_30d=0, click_rate_30d=0, days_since_last_open=None, unsubscribed=0)


def test_who_asked_for_no_more_stays_so_whatever_comes_after() -> None:
    row = _of(_message("2022-05-20", unsubscribed_at="2022-05-21"), _message("2024-05-20"))
    assert not differing(row, unsubscribed=1)


def test_messages_are_held_against_the_orders_of_the_same_lookback() -> None:
    messages = [_message(day) for day in ("2024-05-25 00:00", "2024-05-30", "2024-05-31", "2024-05-24 23:59")]
    orders = [
        order("a", "2024-05-25 00:00"),
        order("a", "2024-05-30", -5),
        order("a", "2024-05-30", cancelled_at=at("2024-05-31")),
        order("a", "2024-05-31", cancelled_at=at("2024-06-01")),
        order("b", "2024-05-31"),
    ]
    assert not differing(_of(*messages, orders=orders), messages_per_order_7d=1.5, messages_per_order_30d=2.0)


def test_order_without_messages_needed_none_and_messages_without_order_have_no_figure() -> None:
    assert not differing(_of(_message("2024-01-20"), orders=[order("a", "2024-05-20")]), messages_per_order_30d=0)
    assert not differing(_of(_message("2024-05-20"), orders=[order("a", "2024-01-20")]), messages_per_order_30d=None)


def test_message_at_the_snapshot_instant_is_not_counted() -> None:
    row = _of(_message("2024-06-01 00:00"), _message("2024-05-30", known_at="2024-06-01 00:00"), _message("2024-05-20"))
    assert not differing(row, messages_30d=1, emails_30d=1)


def test_who_was_never_written_to_has_zeros_and_no_rates() -> None:
    row = _of(_message("2024-05-20") | {"customer_id": "b"}, orders=[order("b", "2024-05-20")])
    assert not differing(row, messages_365d=0, emails_365d=0, sms_365d=0, push_messages_365d=0, reminders_365d=0)
    assert not differing(row, messages_change_365d=0, unsubscribed=0, days_since_last_open=None)
    assert not differing(row, repeated_template_share_365d=None, prospect_message_share_365d=None)
    assert not differing(row, open_rate_365d=None, open_rate_change_365d=None, click_rate_365d=None)
    assert not differing(row, click_rate_change_365d=None, messages_per_order_365d=None)
