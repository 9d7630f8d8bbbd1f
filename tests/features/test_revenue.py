"""Customers and recurring revenue between two midnights, over literal rows and over random histories. Paris."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import Any

import duckdb
import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import retention_rates
from features.asof import as_of
from features.retention import first_days, visits
from features.revenue import LEARNED, MOVES, movements, payers, plans, totals, visitors
from features.subscription_periods import Endings, known_paid, subscription_periods
from features.tables import TABLES
from tests.features.histories import random_world
from tests.features.oracles import revenue as oracle
from tests.features.world_case import PARIS, SNAPSHOT, at, fact, landed, order, subscription, tables

MAY, JUNE, JULY = date(2024, 5, 1), date(2024, 6, 1), date(2024, 7, 1)
NOW = date(2024, 8, 1)
ENDINGS = Endings(involuntary_reasons=("payment failed",))
AMOUNTS = ("mrr_start", *MOVES, "mrr_end", "mrr_new_and_lost", *LEARNED)
COUNTS = (
    "customers_start", "new", "reactivated", "lost", "voluntary_lost", "involuntary_lost", "customers_end",
    "new_and_lost", "customers_unpriced",
)  # fmt: skip


def lookbacks(days: Sequence[date]) -> pa.Table:
    pairs = list(pairwise(days))
    columns = {"start_on": [start for start, _ in pairs], "end_on": [end for _, end in pairs]}
    return pa.table({name: pa.array(values, pa.date32()) for name, values in columns.items()})


class Question:
    """Totals by plan between days, seen from a later one: translated once, and asked of many worlds."""

    def __init__(self, *names: str, days: Sequence[date], now: date, endings: Endings = ENDINGS) -> None:
        self.names = names
        view = {name: ibis.table(TABLES[name].landed | {"landed_order": "int64"}, name=name) for name in names}
        paid = subscription_periods(as_of(view, now, zone=PARIS), endings)
        there = [
            payers(
                paid, as_of(view, day, zone=PARIS, pause_pauses_mrr=endings.pause_pauses_mrr), since=ibis.literal(since)
            ).mutate(seen_on=ibis.literal(day))
            for since, day in zip((days[0], *days), days, strict=False)
        ]
        periods = ibis.table({"start_on": "date", "end_on": "date"}, name="periods")
        found = movements(ibis.union(*there), periods, paid, first_days(known_paid(paid)))
        self.sql = ibis.to_sql(totals(found.mutate(segment=found.plan)), dialect="duckdb")
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")
        self.connection.register("periods", lookbacks(days))

    def answer(self, view: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[tuple[date, str], dict[str, Any]]:
        for name in self.names:
            self.connection.register(name, landed(name, view.get(name, ())))
        rows = self.connection.execute(self.sql).to_arrow_table().to_pylist()
        return {(row.pop("start_on"), row.pop("segment")): row for row in rows}


ALL_TABLES = ("subscriptions", "subscription_changes", "invoices", "payments")


@cache
def question_of_may(now: date) -> Question:
    return Question(*ALL_TABLES, days=(MAY, JUNE), now=now)


def of_may(*subscriptions: dict[str, Any], now: date = NOW, **more: Any) -> dict[str, Any]:
    """What is not zero of the totals of May 2024, amounts as Decimal."""
    found: dict[str, Any] = defaultdict(int)
    for row in by_plan(*subscriptions, now=now, **more).values():
        retention_rates.check(row, of="May")
        for name, value in row.items():
            found[name] += value
    return {name: value for name, value in found.items() if value}


def by_plan(*subscriptions: dict[str, Any], now: date = NOW, **more: Any) -> dict[str, dict[str, Any]]:
    rows = question_of_may(now).answer({"subscriptions": subscriptions, **more})
    return {plan: row for (_, plan), row in rows.items()}


def change(moment: str, kind: str, before: float | None, after: float | None, number: str = "") -> dict[str, Any]:
    return fact("a", changed_at=moment, kind=kind, mrr_before=before, mrr_after=after, subscription_id=f"a {number}")


def kept(amount: str) -> dict[str, Any]:
    return {"customers_start": 1, "customers_end": 1, "mrr_start": Decimal(amount), "mrr_end": Decimal(amount)}


def lost(amount: str, kind: str = "voluntary") -> dict[str, Any]:
    money = {"mrr_start": Decimal(amount), "mrr_churned": Decimal(amount)}
    return {"customers_start": 1, "lost": 1, f"{kind}_lost": 1} | money


def test_a_subscription_that_runs_stays() -> None:
    assert of_may(subscription("a")) == kept("30")


def test_a_day_counts_from_the_midnight_after_it() -> None:
    came = {"customers_end": 1, "new": 1, "mrr_new": Decimal(30), "mrr_end": Decimal(30)}
    assert of_may(subscription("a", started_at=at("2024-04-30 23:59"))) == kept("30")
    assert of_may(subscription("a", started_at=at("2024-05-01 00:00"))) == came
    assert of_may(subscription("a", started_at=at("2024-05-31 23:59"))) == came
    assert of_may(subscription("a", started_at=at("2024-06-01 00:00"))) == {}


def test_an_end_on_the_last_day_is_of_the_month_and_one_at_midnight_of_the_next() -> None:
    assert of_may(subscription("a", ended_at=at("2024-05-31 23:59"))) == lost("30")
    assert of_may(subscription("a", ended_at=at("2024-06-01 00:00"))) == kept("30")


def test_a_trial_counts_once_it_is_converted() -> None:
    trial: dict[str, Any] = {"started_at": at("2024-04-10"), "trial_ends_at": at("2024-05-10")}
    assert of_may(subscription("a", **trial))["new"] == 1
    assert of_may(subscription("a", **trial, ended_at=at("2024-05-10 23:00"))) == {}


def test_a_trial_that_was_over_before_the_start_delays_nothing() -> None:
    begun: dict[str, Any] = {"started_at": at("2024-05-20"), "trial_ends_at": at("2024-04-20")}
    assert of_may(subscription("a", **begun))["new"] == 1


def test_who_is_back_within_the_grace_period_never_left() -> None:
    old = subscription("a", "1", ended_at=at("2024-05-25"))
    assert of_may(old, subscription("a", "2", started_at=at("2024-06-08"), mrr=50)) == kept("30")
    assert of_may(old, subscription("a", "2", started_at=at("2024-06-09"), mrr=50)) == lost("30")


def test_a_trial_that_was_running_when_the_old_one_ended_leads_to_the_next() -> None:
    old = subscription("a", "1", ended_at=at("2024-05-25"))
    trial: dict[str, Any] = {"started_at": at("2024-05-20"), "trial_ends_at": at("2024-06-19")}
    assert of_may(old, subscription("a", "2", **trial)) == kept("30")
    assert of_may(old, subscription("a", "2", **trial, ended_at=at("2024-06-19"))) == lost("30")


def test_a_switch_is_what_the_customer_pays_more_or_less() -> None:
    old = subscription("a", "1", ended_at=at("2024-05-15"))
    more = of_may(old, subscription("a", "2", started_at=at("2024-05-15"), mrr=50))
    less = of_may(old, subscription("a", "2", started_at=at("2024-05-15"), mrr=20))
    assert more == kept("30") | {"mrr_expansion": Decimal(20), "mrr_end": Decimal(50)}
    assert less == kept("30") | {"mrr_contraction": Decimal(10), "mrr_end": Decimal(20)}


def test_one_of_two_subscriptions_that_ends_is_contraction() -> None:
    two = [subscription("a", "1", ended_at=at("2024-05-15")), subscription("a", "2", mrr=5)]
    assert of_may(*two) == kept("35") | {"mrr_contraction": Decimal(30), "mrr_end": Decimal(5)}


def test_a_pause_is_contraction_and_no_departure() -> None:
    found = of_may(subscription("a"), subscription_changes=[change("2024-05-10", "pause", 30, 0)])
    assert found == {"customers_start": 1, "customers_end": 1, "mrr_start": 30, "mrr_contraction": 30}


def test_a_price_rise_is_expansion() -> None:
    found = of_may(subscription("a"), subscription_changes=[change("2024-05-10", "price", 30, 33.5)])
    assert found == kept("30") | {"mrr_expansion": Decimal("3.5"), "mrr_end": Decimal("33.5")}


def test_a_change_at_the_last_midnight_is_of_the_next_month() -> None:
    assert of_may(subscription("a"), subscription_changes=[change("2024-06-01 00:00", "price", 30, 40)]) == kept("30")


def test_a_price_is_what_was_known_of_it_then() -> None:
    late = change("2024-05-10", "price", 30, 40) | {"known_at": at("2024-06-03")}
    assert of_may(subscription("a"), subscription_changes=[late]) == kept("30")


def test_an_end_that_became_known_later_is_of_the_month_in_which_it_was() -> None:
    told = subscription("a", ended_at=at("2024-05-20"), known_at=at("2024-07-01"))
    assert of_may(subscription("a"), told) == lost("30")
    assert of_may(subscription("a"), told, now=JULY) == kept("30")


def test_who_had_been_a_customer_before_is_reactivated() -> None:
    old = subscription("a", "1", ended_at=at("2023-12-20"))
    found = of_may(old, subscription("a", "2", started_at=at("2024-05-06"), mrr=65))
    assert found == {
        "customers_end": 1, "new": 1, "reactivated": 1, "mrr_reactivation": Decimal(65), "mrr_end": Decimal(65)
    }  # fmt: skip


def test_who_began_and_left_and_began_again_within_the_month_is_new() -> None:
    first = subscription("a", "1", started_at=at("2024-05-02"), ended_at=at("2024-05-05"))
    found = of_may(first, subscription("a", "2", started_at=at("2024-05-28")))
    assert found == {"customers_end": 1, "new": 1, "mrr_new": Decimal(30), "mrr_end": Decimal(30)}


def test_failed_payments_before_any_notice_make_the_loss_involuntary() -> None:
    failed = fact("a", attempted_at="2024-05-08", succeeded=False)
    later: dict[str, Any] = {"ended_at": at("2024-05-20"), "end_reason": "cancelled"}
    assert of_may(subscription("a", **later), payments=[failed]) == lost("30", "involuntary")
    assert of_may(subscription("a", **later, cancel_requested_at=at("2024-05-07")), payments=[failed]) == lost("30")
    paid = fact("a", attempted_at="2024-05-12", succeeded=True)
    assert of_may(subscription("a", **later), payments=[failed, paid]) == lost("30")


def test_the_reason_of_what_ended_last_is_the_reason_of_the_loss() -> None:
    first = subscription("a", "1", ended_at=at("2024-05-10"), end_reason="payment failed")
    last = subscription("a", "2", ended_at=at("2024-05-20"), end_reason="too dear")
    assert of_may(first, last)["voluntary_lost"] == 1
    same_day = last | {"ended_at": at("2024-05-10 23:00")}
    assert of_may(first, same_day)["involuntary_lost"] == 1


def test_a_year_paid_at_once_is_a_month_to_the_cent_of_each_customer() -> None:
    view = [
        subscription("a", mrr="8.3350"),
        subscription("b", "1", mrr="8.3333"),
        subscription("b", "2", mrr="8.3333"),
    ]
    assert of_may(*view)["mrr_end"] == Decimal("25.01")  # 8.34 and 16.67


def test_no_price_is_a_customer_of_unknown_revenue() -> None:
    assert of_may(subscription("a", mrr=None)) == {"customers_start": 1, "customers_end": 1, "customers_unpriced": 1}


def test_the_plan_is_the_dearest_at_the_start_and_of_who_came_at_the_end() -> None:
    found = by_plan(
        subscription("a", "1", plan="basic"),
        subscription("a", "2", plan="pro", mrr=50, ended_at=at("2024-05-10")),
        subscription("b", "1", plan="team", started_at=at("2024-05-10")),
        subscription("c", "1", plan=None),
    )
    assert {plan: (row["customers_start"], row["customers_end"]) for plan, row in found.items()} == {
        "pro": (1, 1), "team": (0, 1), "": (1, 1)
    }  # fmt: skip


def test_the_plan_of_a_moment_is_the_dearest_that_runs_then() -> None:
    view = tables(
        subscriptions=[
            subscription("a", "1", plan="basic"),
            subscription("a", "2", plan="pro", mrr=50, ended_at=at("2024-05-10")),
            subscription("b", "1", plan="team", mrr=None),
            subscription("c", "1", plan=None),
            subscription("d", "1", ended_at=at("2024-04-01")),
        ]
    )
    before, after = (
        dict(plans(as_of(view, day, zone=PARIS)).execute().itertuples(index=False, name=None))
        for day in (date(2024, 5, 10), date(2024, 5, 11))
    )
    assert before == {"a": "pro", "b": "team", "c": ""}
    assert after == before | {"a": "basic"}


def test_a_shop_counts_who_ordered_lately() -> None:
    orders = [
        order("stays", "2024-04-20"),
        order("stays", "2024-05-20"),
        order("leaves", "2024-04-10"),
        order("last day that counts", "2024-05-02"),
        order("back", "2023-12-01"),
        order("back", "2024-05-31 23:59"),
        order("too late", "2024-06-01 00:00"),
        order("cancelled", "2024-05-10", cancelled_at=at("2024-05-11")),
    ]
    seen = visits(as_of(tables(orders=orders), NOW, zone=PARIS), active_days=30)
    periods = ibis.memtable(lookbacks((MAY, JUNE)))
    rows = movements(visitors(seen, periods), periods, seen, first_days(seen)).to_pyarrow().to_pylist()
    flags = ("was_there", "is_there", "came_back")
    assert {row["customer_id"]: tuple(row[name] for name in flags) for row in rows} == {
        "stays": (True, True, False),
        "leaves": (True, False, False),
        "last day that counts": (False, True, False),
        "back": (False, True, True),
    }


CUSTOMERS = [f"c{number}" for number in range(120)]
DAYS = (date(2023, 3, 1), date(2024, 3, 1), date(2024, 4, 1), date(2024, 5, 1), SNAPSHOT)
SOME_DAYS = Endings(grace_days=14, involuntary_reasons=("alpha",))


def history(seed: int, names: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """A random world with few subscriptions a customer, so that some leave altogether, and some come back."""
    source = random.Random(seed)
    view = random_world(source, names, CUSTOMERS)
    return view | {"subscriptions": [row for row in view["subscriptions"] if source.random() < 0.3]}


@pytest.mark.parametrize("names", [ALL_TABLES, ("subscriptions", "payments"), ("subscriptions",)], ids="-".join)
def test_figures_of_random_histories_are_what_plain_python_makes_of_them(names: tuple[str, ...]) -> None:
    question = Question(*names, days=DAYS, now=SNAPSHOT, endings=SOME_DAYS)
    seen = dict.fromkeys((*COUNTS, *AMOUNTS), 0)

    @settings(max_examples=4)
    @given(seed=st.integers(0, 2**32))
    def equal(seed: int) -> None:
        view = history(seed, names)
        found = question.answer(view)
        paid = oracle.subscription_periods(oracle.known_on(view, SNAPSHOT), SOME_DAYS)
        wanted = {
            (start, plan): {name: row[name] for name in (*COUNTS, *AMOUNTS)}
            for start, end in pairwise(DAYS)
            for plan, row in oracle.month(view, paid, start, end).items()
        }
        assert found == wanted
        for (start, plan), row in found.items():
            retention_rates.check(row, of=f"{start} {plan}")
            for name, value in row.items():
                seen[name] += bool(value)

    equal()
    # Histories in which something never happens would say nothing about it.
    if names != ALL_TABLES:
        return
    assert [name for name, times in seen.items() if not times] == []


def test_one_month_ends_where_the_next_begins() -> None:
    question = Question(*ALL_TABLES, days=DAYS, now=SNAPSHOT)
    for seed in range(2):
        found = question.answer(history(seed, ALL_TABLES))
        for start, end in pairwise(DAYS[:-1]):
            for before, after in (("customers_end", "customers_start"), ("mrr_end", "mrr_start")):
                ended = sum(row[before] for (day, _), row in found.items() if day == start)
                assert ended == sum(row[after] for (day, _), row in found.items() if day == end)
        assert sum(row["mrr_end"] for row in found.values()) > 0
