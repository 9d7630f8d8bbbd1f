"""How far rows reach: literal days, and what no mistyped row may do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.foundation.workspace.coverage import Coverage, coverage, planned_from, reach

START, TODAY = date(2023, 1, 1), date(2024, 7, 1)
DAY = timedelta(days=1)


def every(days: int, *, start: date = START, end: date = date(2024, 1, 1), rows: int = 1) -> dict[date, int]:
    """So many rows every so many days, from a day to another, which has none."""
    return dict.fromkeys((start + DAY * step for step in range(0, (end - start).days, days)), rows)


def both(*parts: dict[date, int]) -> dict[date, int]:
    return dict(sum((Counter(part) for part in parts), Counter[date]()))


def covered(counts: dict[date, int], *, today: date = TODAY) -> Coverage:
    found = coverage(counts, today=today)
    assert found is not None
    return found


def reached(*counts: dict[date, int], seen_on: date = TODAY) -> date:
    return reach([covered(each, today=seen_on) for each in counts], seen_on=seen_on)


# How far


def test_a_shop_that_stopped_is_covered_until_its_newest_order() -> None:
    orders = every(1)
    assert covered(orders).stopped(TODAY)
    assert reached(orders) == covered(orders).until(reached(orders)) == date(2023, 12, 31)


def test_a_living_shop_is_covered_until_its_newest_order_of_which_day_more_may_come() -> None:
    assert reached(every(1, end=TODAY)) == date(2024, 6, 30)


def test_a_quiet_company_is_covered_up_to_its_export() -> None:
    contracts = every(10, end=date(2024, 6, 1))
    assert covered(contracts).last == date(2024, 5, 25)
    assert reached(contracts) == TODAY


def test_of_few_rows_nobody_says_what_is_usual() -> None:
    contracts = every(20, end=date(2024, 6, 1))
    assert covered(contracts).rows == 26
    assert reached(contracts) == date(2024, 5, 15)


def test_a_quiet_table_is_covered_as_far_as_a_busy_one_of_the_same_export_reaches() -> None:
    usage, contracts = every(1), every(10, end=date(2023, 12, 10))
    until = reached(usage, contracts)
    assert until == date(2023, 12, 31)
    assert covered(contracts).until(until) == until


def test_a_table_that_stopped_before_the_others_is_covered_until_it_did() -> None:
    orders, contacts = every(1, end=date(2024, 6, 30)), every(1, end=date(2023, 10, 1))
    until = reached(orders, contacts)
    assert until == date(2024, 6, 29)
    assert covered(contacts).until(until) == date(2023, 9, 30)


def test_a_weekend_is_no_end() -> None:
    weekdays = {day: 20 for day in every(1, end=date(2024, 6, 29)) if day.weekday() < 5}
    assert not covered(weekdays).stopped(date(2024, 7, 1))
    assert covered(weekdays).stopped(date(2024, 7, 8))


@pytest.mark.parametrize(("silent", "stopped"), [(6, False), (7, True)])
def test_seven_rows_that_did_not_come_tell(silent: int, stopped: bool) -> None:
    orders = every(1)
    assert covered(orders).stopped(date(2023, 12, 31) + DAY * (silent + 1)) == stopped


# Where they begin


@pytest.mark.parametrize(("days_before", "late"), [(13, False), (14, True)])
def test_a_table_that_begins_a_fortnight_after_the_others_began_late(days_before: int, late: bool) -> None:
    assert covered(every(1)).began_late(START - DAY * days_before) == late


@pytest.mark.parametrize(("silent", "late"), [(54, False), (55, True)])
def test_seven_rows_that_may_have_come_before_tell(silent: int, late: bool) -> None:
    rare = {day: 1 for day in every(1) if (day - START).days % 9 == 0}
    assert covered(rare).began_late(START - DAY * (silent + 1)) == late


def test_a_rare_event_that_first_came_after_months_tells_nothing() -> None:
    assert not covered(every(80)).began_late(START - DAY * 200)


def test_a_table_that_is_often_silent_for_as_long_did_not_begin_late() -> None:
    seasons = both(*(every(1, start=date(2023, month, 1), end=date(2023, month, 20)) for month in (3, 7, 11)))
    assert not covered(seasons, today=date(2023, 12, 1)).began_late(date(2022, 11, 25))


# What is not believed


@pytest.mark.parametrize("typo", [date(2024, 3, 1), date(2024, 6, 30), date(2024, 7, 1), date(2042, 1, 1)])
def test_one_mistyped_day_moves_nothing(typo: date) -> None:
    orders = every(1)
    found = covered(both(orders, {typo: 1}))
    assert (found.last, reached(both(orders, {typo: 1}))) == (date(2023, 12, 31), date(2023, 12, 31))
    assert (found.stray, found.ahead) == (((typo,), 0) if typo < TODAY else ((), 1))


def test_a_day_of_1970_is_not_when_the_shop_began() -> None:
    found = covered(both(every(1), {date(1970, 1, 1): 3}))
    assert (found.first, found.stray, found.pauses) == (START, (date(1970, 1, 1),), ())


def test_nine_rows_after_a_silence_are_not_believed_and_ten_are() -> None:
    for rows, last in ((9, date(2023, 12, 31)), (10, date(2024, 5, 20))):
        again = every(1, start=date(2024, 5, 20), end=date(2024, 5, 21), rows=rows)
        assert covered(both(every(1), again)).last == last


def test_business_that_is_taken_up_again_is_believed_with_a_pause() -> None:
    found = covered(both(every(1), every(1, start=date(2024, 4, 1), end=TODAY)))
    assert (found.first, found.last, found.stray) == (START, date(2024, 6, 30), ())
    assert found.pauses == ((date(2024, 1, 1), date(2024, 4, 1)),)


def test_a_trickle_after_a_busy_time_is_not_believed() -> None:
    found = covered(both(every(1, rows=100), every(12, start=date(2024, 2, 1), end=date(2024, 6, 20))))
    assert (found.last, len(found.stray)) == (date(2023, 12, 31), 12)


def test_contracts_taken_over_on_one_day_do_not_say_that_many_come_every_day() -> None:
    found = covered(both({date(2023, 1, 2): 1_000}, every(7, start=date(2023, 6, 1), end=TODAY)))
    assert (found.first, found.last, found.pauses, found.stray) == (date(2023, 1, 2), date(2024, 6, 27), (), ())


# Pauses


@pytest.mark.parametrize(("silent", "pauses"), [(13, 0), (14, 1)])
def test_a_fortnight_is_a_pause_and_a_day_less_a_holiday(silent: int, pauses: int) -> None:
    again = date(2023, 6, 1) + DAY * silent
    found = covered(both(every(1, end=date(2023, 6, 1)), every(1, start=again)))
    assert len(found.pauses) == pauses


def test_a_silence_that_comes_each_year_is_a_habit() -> None:
    summers = [(date(year, 8, 1), date(year, 9, 1)) for year in (2021, 2022, 2023)]
    orders = every(1, start=date(2021, 1, 1))
    shop = {day: rows for day, rows in orders.items() if not any(start <= day < end for start, end in summers)}
    assert covered(shop).pauses == ()
    once = {day: rows for day, rows in orders.items() if not summers[1][0] <= day < summers[1][1]}
    assert covered(once).pauses == (summers[1],)


def test_a_slow_beginning_is_no_pause() -> None:
    """Its first orders stand alone, and data are counted from those that follow."""
    beginning = dict.fromkeys((date(2022, 1, 1), date(2022, 3, 1), date(2022, 6, 1)), 1)
    found = covered(both(beginning, every(1, rows=50)))
    assert (found.first, found.pauses, found.stray) == (START, (), tuple(beginning))


def test_nothing_before_the_day_of_the_run_covers_nothing() -> None:
    assert coverage({TODAY: 5, TODAY + DAY: 5}, today=TODAY) is None
    assert coverage({}, today=TODAY) is None


# Whatever is typed wrongly

DAYS = st.lists(st.integers(0, 400), min_size=60, max_size=400)
TYPOS = st.lists(st.integers(-20_000, 20_000), max_size=9)


def counted(days: Iterable[int]) -> dict[date, int]:
    return dict(Counter(START + DAY * day for day in days))


@given(days=DAYS, typos=TYPOS)
def test_few_mistyped_days_never_carry_a_busy_table_beyond_its_rows(days: list[int], typos: list[int]) -> None:
    rows = counted([*range(400), *days])
    typed = [day for day in typos if not -20 <= day <= 420]
    assert covered(both(rows, counted(typed))).last == covered(rows).last
    assert covered(both(rows, counted(typed))).first == covered(rows).first


@given(days=DAYS)
def test_no_row_is_lost_from_the_count(days: list[int]) -> None:
    rows = counted(days)
    found = covered(rows)
    assert found.rows + sum(rows[day] for day in found.stray) + found.ahead == len(days)
    assert found.first <= found.last < TODAY
    assert all(found.first <= start < end <= found.last for start, end in found.pauses)


# Holes with a trickle in them, and short ones


@pytest.mark.parametrize(("rows", "pauses"), [(1, 1), (4, 0)])
def test_lost_exports_are_a_pause_though_later_ones_tell_a_few_of_their_rows(rows: int, pauses: int) -> None:
    """Eight orders a day; of three weeks nothing but those that were sent back since, every third day."""
    hole = every(3, start=date(2023, 6, 2), end=date(2023, 6, 22), rows=rows)
    found = covered(both(every(1, end=date(2023, 6, 1), rows=8), hole, every(1, start=date(2023, 6, 22), rows=8)))
    assert len(found.pauses) == pauses
    if pauses:
        ((start, end),) = found.pauses
        assert abs((start - date(2023, 6, 1)).days) <= 1
        assert abs((end - date(2023, 6, 22)).days) <= 1
        assert found.said_of(start, end).startswith("7 rows and no more from 2023-06-01 to ")
        assert found.beyond == ()
    assert found.rows + sum(found.counts[day] for day in found.stray) == sum(found.counts.values())


def test_quiet_months_between_two_decembers_are_no_pause() -> None:
    shop = {START + DAY * n: 100 if (START + DAY * n).month == 12 else 2 for n in range(730)}
    found = covered(shop, today=date(2025, 1, 1))
    assert (found.pauses, found.stray, found.gaps) == ((), (), ())


@pytest.mark.parametrize(("silent", "rows", "gaps"), [(7, 8, 1), (4, 8, 0), (7, 4, 0), (14, 8, 0)])
def test_a_week_without_rows_is_a_gap_where_thirty_are_missing(silent: int, rows: int, gaps: int) -> None:
    again = date(2023, 6, 1) + DAY * silent
    found = covered(both(every(1, end=date(2023, 6, 1), rows=rows), every(1, start=again, rows=rows)))
    assert found.gaps == ((date(2023, 6, 1), again),) * gaps


def test_a_week_without_rows_in_each_summer_is_a_habit() -> None:
    shop = {
        day: rows
        for day, rows in every(1, start=date(2021, 1, 1), rows=9).items()
        if not (day.month == 8 and day.day < 8)
    }
    assert covered(shop).gaps == ()


# Ends that are plans


def test_ends_beyond_everything_else_are_plans_where_more_should_have_begun() -> None:
    own, ends = covered(every(1)), every(10, end=date(2024, 6, 1))
    assert planned_from(own, ends, others=None) == date(2024, 1, 1)
    assert planned_from(own, ends, others=date(2024, 3, 1)) == date(2024, 3, 2)
    assert planned_from(own, ends, others=date(2024, 6, 1)) is None  # another table goes on


def test_ends_that_come_as_beginnings_do_are_none() -> None:
    sparse = covered(every(30))  # no wonder that none has begun for six weeks
    assert planned_from(sparse, every(10, end=date(2024, 2, 1)), others=None) is None


def test_of_contracts_taken_over_of_which_none_had_ended_nobody_says_that_ends_are_plans() -> None:
    taken_over = covered({START: 500, START + DAY: 500})
    assert planned_from(taken_over, every(7, start=date(2024, 1, 1), end=date(2024, 6, 1)), others=None) is None
    assert planned_from(taken_over, {}, others=None) is None
