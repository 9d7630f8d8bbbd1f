"""Subscription indicators over literal rows, seen from 1 June 2024, Paris."""

from __future__ import annotations

from typing import Any

from features.subscription import FAMILY
from tests.features.world_case import at, differing, fact, family_of, subscription, where_pauses_count_on


def _change(changed_at: str, kind: str, number: str = "", **more: Any) -> dict[str, Any]:
    return fact("a", changed_at=changed_at, kind=kind, subscription_id=f"a {number}", **more)


def _sized(changed_at: str, kind: str, before: float | None, after: float | None) -> dict[str, Any]:
    return _change(changed_at, kind, mrr_before=before, mrr_after=after)


def _of(*subscriptions: dict[str, Any], **more: Any) -> Any:
    return family_of(FAMILY, "a", subscriptions=subscriptions, **more).loc["a"]


def test_what_runs_is_added_up() -> None:
    row = _of(
        subscription("a", "1", mrr="30.10", seats=3),
        subscription("a", "2", mrr="20.20", seats=2),
        subscription("a", "3", mrr=None),
        subscription("a", "4", mrr=500, seats=50, ended_at=at("2024-05-31 23:59")),
        subscription("a", "5", mrr=500, seats=50, started_at=at("2024-06-01 00:00")),
        subscription("b", "6", mrr=500, seats=50),
    )
    assert not differing(row, mrr=50.30, seats_paid=5, subscriptions_running=3)


def test_price_that_is_not_recorded_is_not_nothing() -> None:
    assert not differing(_of(subscription("a", mrr=None)), mrr=None, subscriptions_running=1)
    assert not differing(_of(subscription("a", mrr=0), subscription("a", "2", mrr=None)), mrr=0)


def test_subscription_that_ends_after_the_snapshot_still_runs() -> None:
    row = _of(subscription("a", ended_at=at("2024-06-01 00:00")))
    assert not differing(row, mrr=30, seats_paid=None, subscriptions_running=1)


def test_changes_known_by_then_say_what_is_paid_now() -> None:
    changes = [
        _change("2024-05-01", "seats", seats=4, mrr_before=30, mrr_after=60),
        _change("2024-05-20", "price", mrr_before=60, mrr_after=66),
        _change("2024-06-01 00:00", "seats", seats=9, mrr_before=66, mrr_after=200),
    ]
    row = _of(subscription("a", seats=2), subscription_changes=changes)
    assert not differing(row, mrr=66, seats_paid=4)


def test_plan_is_ranked_by_price_a_seat_among_the_plans_in_use() -> None:
    row = family_of(
        FAMILY,
        *("a", "b", "c", "d"),
        subscriptions=[
            subscription("a", plan="team", mrr=100, seats=10),
            subscription("b", plan="basic", mrr=7),
            subscription("b", "2", plan="pro", mrr=30),
            subscription("c", plan="pro", mrr=10),
            subscription("c", "2", plan="old", mrr=99, ended_at=at("2024-05-01")),
            subscription("d", plan=None, mrr=50),
        ],
    )
    # basic at 7, team at 10 a seat, pro at 20 on average
    assert not differing(row.loc["a"], plan_rank=0.5)
    assert not differing(row.loc["b"], plan_rank=1)
    assert not differing(row.loc["d"], plan_rank=None)


def test_plan_of_the_same_price_is_not_dearer() -> None:
    row = family_of(
        FAMILY,
        *("a", "b", "c"),
        subscriptions=[
            subscription("a", plan="basic", mrr=10),
            subscription("b", plan="classic", mrr=10),
            subscription("c", plan="pro", mrr=20),
        ],
    )
    assert row["plan_rank"].to_list() == [0, 0, 1]


def test_plan_without_any_known_price_has_no_rank() -> None:
    row = family_of(FAMILY, "a", "b", subscriptions=[subscription("a", plan="old", mrr=None), subscription("b")])
    assert not differing(row.loc["a"], plan_rank=None)
    assert not differing(row.loc["b"], plan_rank=0)


def test_only_plan_is_dearer_than_no_other() -> None:
    assert not differing(_of(subscription("a")), plan_rank=0)


def test_renewal_is_the_next_that_comes() -> None:
    row = _of(
        subscription("a", "1", renews_at=at("2024-07-31")),
        subscription("a", "2", renews_at=at("2024-09-01")),
        subscription("a", "3", renews_at=at("2024-05-31")),
        subscription("a", "4"),
    )
    assert not differing(row, months_to_renewal=60 / 30.4375)
    assert not differing(_of(subscription("a", renews_at=at("2024-06-01"))), months_to_renewal=0)
    assert not differing(_of(subscription("a")), months_to_renewal=None)


def test_renewal_is_automatic_unless_it_is_known_not_to_be() -> None:
    assert not differing(_of(subscription("a")), auto_renew_off=0)
    assert not differing(_of(subscription("a", auto_renew=True), subscription("a", "2")), auto_renew_off=0)
    assert not differing(_of(subscription("a", auto_renew=False), subscription("a", "2")), auto_renew_off=1)


def test_age_is_of_the_first_and_term_of_the_last_begun() -> None:
    row = _of(
        subscription("a", "1", started_at=at("2023-06-01"), term_started_at=at("2024-05-02")),
        subscription("a", "2", started_at=at("2024-03-03")),
        subscription("a", "3", started_at=at("2020-01-01"), ended_at=at("2024-05-30")),
    )
    assert not differing(row, subscription_age_days=366, days_since_term_start=30)
    assert not differing(_of(subscription("a", started_at=at("2024-03-03"))), days_since_term_start=90)


def test_moves_to_less_and_to_more_are_changes_of_plan_or_seats() -> None:
    changes = [
        _sized("2024-05-25 00:00", "plan", 90, 30),
        _sized("2024-05-26", "seats", 30, 20),
        _sized("2024-05-24 23:59", "seats", 40, 30),
        _sized("2024-05-27", "plan", 30, 90),
        _sized("2024-05-20", "seats", 30, 31),
        _sized("2024-05-28", "plan", 30, 30),
        _sized("2024-05-28", "plan", None, 30),
        _sized("2024-05-28", "price", 30, 20),
        _sized("2024-05-28", "discount_end", 20, 30),
        _sized("2024-06-01 00:00", "plan", 90, 30),
    ]
    row = family_of(FAMILY, "a", subscription_changes=changes).loc["a"]
    assert not differing(row, downgrades_7d=2, downgrades_30d=3, upgrades_7d=1, upgrades_30d=2)


def test_pauses_are_counted_and_last_until_resumed() -> None:
    changes = [
        _change("2024-05-24 23:59", "pause", mrr_before=30, mrr_after=0),
        _change("2024-05-26", "resume", mrr_before=0, mrr_after=30),
        _change("2024-05-25 00:00", "pause", "2", mrr_before=30, mrr_after=0),
    ]
    both = _of(subscription("a"), subscription("a", "2"), subscription_changes=changes)
    assert not differing(both, paused=1, pauses_7d=1, pauses_30d=2, downgrades_30d=0, upgrades_30d=0)
    ended = subscription("a", "2", ended_at=at("2024-05-30"))
    assert not differing(_of(subscription("a"), ended, subscription_changes=changes), paused=0, pauses_7d=1)


def test_a_pause_takes_the_revenue_away_unless_pauses_are_set_to_count_on() -> None:
    rows = {"subscriptions": [subscription("a", mrr=30)], "subscription_changes": [_change("2024-05-20", "pause")]}
    assert not differing(family_of(FAMILY, "a", **rows).loc["a"], mrr=0, paused=1)
    assert not differing(where_pauses_count_on(FAMILY, "a", **rows).loc["a"], mrr=30, paused=1)


def test_subscription_resumed_after_the_snapshot_is_paused() -> None:
    changes = [_change("2024-05-20", "pause"), _change("2024-06-01 00:00", "resume")]
    assert not differing(_of(subscription("a"), subscription_changes=changes), paused=1)


def test_who_has_no_running_subscription_has_nulls_and_zeros() -> None:
    ended = subscription("a", ended_at=at("2024-05-01"), auto_renew=False, renews_at=at("2024-07-01"), seats=3)
    row = _of(ended, subscription("b"), subscription_changes=[_change("2024-04-20", "pause") | {"customer_id": "b"}])
    assert not differing(row, mrr=None, seats_paid=None, plan_rank=None, subscriptions_running=0)
    assert not differing(row, months_to_renewal=None, auto_renew_off=None, days_since_term_start=None)
    assert not differing(row, subscription_age_days=None, paused=0)
    assert not differing(row, downgrades_365d=0, upgrades_365d=0, pauses_365d=0)
