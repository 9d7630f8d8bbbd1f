"""Odd things in landed rows: what is told from its threshold on, and not below it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from features.tables import TABLES
from pipelines.foundation.identity.objections import Refusals
from pipelines.foundation.settings.sources import Source
from pipelines.foundation.storage.spilling import spilling
from pipelines.foundation.workspace.coverage import coverage
from pipelines.prediction.checks.odd import Odd, odd_things, pauses
from pipelines.prediction.checks.odd_measures import LandedRows, measured
from tests.pipelines.foundation.workspace.test_workspace import ORDERS, SHOP, changed, opened, source

TODAY = date(2024, 7, 1)
VIEWS = source("content_views", "customer_id", "viewed_at", "kind")
SPANS = source("subscriptions", "subscription_id", "customer_id", "started_at", "ended_at", "plan", "mrr")


def found(
    folder: Path,
    rows: Sequence[str],
    *,
    of: Source = ORDERS,
    currency: str = "EUR",
    refusals: Refusals | None = None,
) -> list[Odd]:
    settings = changed(SHOP, sources=(ORDERS,) if of is ORDERS else (ORDERS, of), currency=currency)
    tables: dict[str, Any] = {of.table: list(rows)}
    workspace = opened(folder, settings, **tables)
    landed = [each for each in workspace.landed if each.table == of.table]
    table = LandedRows(
        contract=TABLES[of.table],
        places=[workspace.store.place(each.rows.path) for each in landed],
        keyed=all(each.landing.file.detail["keyed"] for each in landed),
        rows=len(rows),
    )
    with spilling() as connection:
        return list(odd_things(table, measured(connection, table, refusals=refusals, today=TODAY), currency=currency))


def orders(*amounts: object, customer: str = "c{}", day: str = "2024-05-01", number: str = "{}") -> list[str]:
    return [
        f"{number.format(n)},{customer.format(n)},{day} 12:00,{amount}" for n, amount in enumerate(amounts, start=1)
    ]


def kinds(things: Sequence[Odd]) -> list[str]:
    return [each.kind for each in things]


def test_of_ordinary_orders_nothing_is_odd(tmp_path: Path) -> None:
    assert found(tmp_path, orders(*[10.5 + n for n in range(200)])) == []


# One customer


def test_a_customer_with_a_tenth_of_many_orders_is_told_without_the_id(tmp_path: Path) -> None:
    rows = [*orders(*[9.5] * 900), *orders(*[9.5] * 100, customer="guest@shop.example", number="g{}")]
    (said,) = found(tmp_path, rows)
    assert said.text == (
        "orders: 10% of all rows (100 of 1,000) have one customer_id: if that is what guests have, set "
        'guests = ["..."] for the source'
    )
    assert "guest@" not in said.text


@pytest.mark.parametrize(("others", "theirs"), [(902, 98), (901, 99), (10, 99)])
def test_a_customer_with_less_or_of_few_orders_is_not(tmp_path: Path, others: int, theirs: int) -> None:
    rows = [*orders(*[9.5] * others), *orders(*[9.5] * theirs, customer="guest", number="g{}")]
    assert found(tmp_path, rows) == []


def test_who_may_not_be_processed_is_not_counted(tmp_path: Path) -> None:
    rows = [*orders(*[9.5] * 100), *orders(*[9.5] * 100, customer="guest", number="g{}")]
    objected = Refusals(frozenset({"guest", "o'hara"}))
    nobody_agreed = Refusals(consented=frozenset({"c1"}))
    assert kinds(found(tmp_path / "a", rows)) == ["one_customer"]
    assert found(tmp_path / "b", rows, refusals=objected) == []
    assert found(tmp_path / "c", rows, refusals=nobody_agreed) == []


# Ids


@pytest.mark.parametrize("written", ["1.23457E+11", "1,23457E+11", "1E+09"])
def test_a_single_id_that_a_spreadsheet_shortened_is_told(tmp_path: Path, written: str) -> None:
    (said,) = found(tmp_path, [f'1,"{written}",2024-05-01 12:00,9.5'])
    assert (said.kind, said.column, said.rows) == ("scientific_id", "customer_id", 1)
    assert said.text.startswith("orders.customer_id: 1 row with an id as a spreadsheet writes it (like 1.23E+11)")
    assert written not in said.text


@pytest.mark.parametrize("written", ["1E5", "E+11", "A1.2E+11", "12E-4", "123456789012"])
def test_other_ids_are_no_shortened_numbers(tmp_path: Path, written: str) -> None:
    assert found(tmp_path, [f"1,{written},2024-05-01 12:00,9.5"]) == []


def test_ids_with_thousands_marks_are_told_from_the_third_on(tmp_path: Path) -> None:
    rows = [f'{n},"1{mark}234{mark}56{n}",2024-05-01 12:00,9.5' for n, mark in enumerate((",", ".", "'", "\u202f"))]
    (said,) = found(tmp_path / "a", rows)
    assert (said.kind, said.column, said.rows) == ("marked_id", "customer_id", 4)
    assert found(tmp_path / "b", rows[:2]) == []


def test_and_only_where_they_are_a_hundredth_of_all(tmp_path: Path) -> None:
    rows = [f'm{n},"1,234,56{n}",2024-05-01 12:00,9.5' for n in range(3)]
    assert found(tmp_path / "a", [*rows, *orders(*[9.5] * 298)]) == []
    assert kinds(found(tmp_path / "b", [*rows, *orders(*[9.5] * 297)])) == ["marked_id"]


# Days


@pytest.mark.parametrize("day", ["1970-01-01", "1900-01-01"])
def test_a_moment_that_is_an_empty_date_is_told(tmp_path: Path, day: str) -> None:
    (said,) = found(tmp_path, [*orders(9.5), f"2,ann,{day} 00:00,9.5"])
    assert (said.kind, said.column, said.rows) == ("empty_date", "ordered_at", 1)


def test_a_birthday_on_such_a_day_is_not(tmp_path: Path) -> None:
    customers = source("customers", "customer_id", "signed_up_at", "born_at")
    assert found(tmp_path, ["ann,2024-01-01 12:00,1970-01-01 12:00"], of=customers) == []


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["2024-05-02 12:00,2024-05-01 12:00"], "1 row ends before it starts"),
        (["2024-05-02 12:00,2024-05-01 12:00", "2024-05-02 12:00,2024-05-02 11:59"], "2 rows end before they start"),
    ],
)
def test_ends_before_starts_are_told(tmp_path: Path, rows: Sequence[str], words: str) -> None:
    spans = [*rows, "2024-05-02 12:00,2024-05-02 12:00", "2024-05-02 12:00,"]
    (said,) = found(tmp_path, [f"{n},ann,{span},basic,9" for n, span in enumerate(spans)], of=SPANS)
    assert (said.kind, said.rows) == ("ends_before_start", len(rows))
    assert words in said.text


def test_what_follows_before_what_it_follows_is_told(tmp_path: Path) -> None:
    contacts = source("support_contacts", "contact_id", "customer_id", "opened_at", "first_response_at")
    rows = [
        "1,ann,2024-05-02 12:00,2024-05-02 11:00",
        "2,ann,2024-05-02 12:00,2024-05-02 12:00",
        "3,ann,2024-05-02 12:00,",
    ]
    (said,) = found(tmp_path, rows, of=contacts)
    assert said.text.startswith("support_contacts: 1 row with first_response_at before opened_at: correct them")


def test_marks_beyond_their_scale_are_told(tmp_path: Path) -> None:
    surveys = source("surveys", "survey_id", "customer_id", "kind", "asked_at", "answered_at", "score")
    moments = "2024-05-02 12:00,2024-05-03 12:00"
    marks = [("csat", 5), ("csat", 6), ("csat", 0), ("nps", 10), ("nps", 0)]
    rows = [f"{number},ann,{kind},{moments},{mark}" for number, (kind, mark) in enumerate(marks)]
    (said,) = found(tmp_path, rows, of=surveys)
    assert said.text.startswith("surveys.score: 2 rows of kind csat with a mark beyond 1 to 5")


def test_free_subscriptions_are_not_advised_to_be_left_out(tmp_path: Path) -> None:
    """Without those that ended nobody ever left; without free ones nobody was ever won over."""
    (said,) = found(tmp_path, [f"{n},c{n},2024-05-02 12:00,,basic,{n % 2}" for n in range(40)], of=SPANS)
    assert "a subscription at 0 is a free plan; if ended ones are written so" in said.text
    assert "leave" not in said.text


def test_rows_after_today_are_told_with_the_first_day_and_rows_of_today_are_not(tmp_path: Path) -> None:
    rows = ["1,ann,2024-07-01 12:00,9.5", "2,ann,2042-01-01 12:00,9.5", "3,ann,2024-07-02 12:00,9.5"]
    (said,) = found(tmp_path, rows)
    assert said.rows == 2
    assert "2 rows dated after today (first 2024-07-02), not counted before their day" in said.text


def test_a_telling_silence_is_told_unless_its_source_says_that_it_was_closed() -> None:
    days = [date.fromordinal(date(2023, 1, 1).toordinal() + n) for n in range(365) if not 100 <= n < 160]
    each = coverage(dict.fromkeys(days, 5), today=TODAY)
    assert each is not None
    (said,) = pauses("orders", each, closed=False)
    assert said.text == (
        'orders: no rows from 2023-04-11 to 2023-06-10, 60 days: export them, or set silence = "closed" for the '
        "source if nothing happened then"
    )
    assert list(pauses("orders", each, closed=True)) == []


# Amounts

CENTS = [1999, 2495, 950, 10000, 1290, 4999, 500, 750, 1237, 2995] * 3


def test_whole_amounts_that_end_as_prices_in_cents_do_are_told(tmp_path: Path) -> None:
    (said,) = found(tmp_path, orders(*CENTS))
    assert (said.kind, said.column, said.rows) == ("cents", "amount", 30)
    assert "all whole numbers, 90% end in 00, 50, 90, 95 or 99, half are 500 or more: if they are cents" in said.text


@pytest.mark.parametrize(
    ("amounts", "currency"),
    [
        (CENTS, "JPY"),  # has none
        (CENTS[:-1], "EUR"),  # too few
        ([*CENTS[:-1], 29.95], "EUR"),
        ([amount // 10 for amount in CENTS], "EUR"),  # mostly below 500
        ([amount + 7 for amount in CENTS], "EUR"),  # other endings: whole numbers alone are no sign
    ],
)
def test_other_amounts_are_no_cents(tmp_path: Path, amounts: Sequence[float], currency: str) -> None:
    assert found(tmp_path, orders(*amounts), currency=currency) == []


def test_amounts_of_0_are_told_from_a_quarter_on(tmp_path: Path) -> None:
    (said,) = found(tmp_path / "a", orders(*[0] * 10, *[9.5] * 30))
    assert said.text.startswith("orders.amount: 25% are 0 (10 of 40)")
    assert found(tmp_path / "b", orders(*[0] * 10, *[9.5] * 31)) == []
    assert found(tmp_path / "c", orders(*[0] * 29)) == []


def test_mixed_currencies_are_told() -> None:
    table = LandedRows(contract=TABLES["surveys"], places=[], keyed=True, rows=0)
    nothing = dict.fromkeys(
        [*(f"scientific {each}" for each in table.ids), *(f"marked {each}" for each in table.ids)], 0
    )
    nothing |= {f"empty {each}": 0 for each in table.clocks} | {"ahead": 0, "rows": 5}
    assert kinds(list(odd_things(table, nothing | {"currencies": 2}, currency="EUR"))) == ["currencies"]
    assert kinds(list(odd_things(table, nothing | {"currencies": 1}, currency="EUR"))) == []


# Rows that repeat


def test_many_rows_that_repeat_where_no_key_tells_them_apart_are_told(tmp_path: Path) -> None:
    rows = [f"c{n},2024-05-01 12:00,visit" for n in range(1_900)]
    (said,) = found(tmp_path / "a", [*rows, *rows[:100]], of=VIEWS)
    assert said.text.startswith("content_views: 5% of all rows (100) repeat another whole")
    assert found(tmp_path / "b", [*rows, *rows[:99]], of=VIEWS) == []
    assert found(tmp_path / "c", [*rows, *rows[:100], "x,2024-05-01 12:00,visit"], of=VIEWS) == []
