from __future__ import annotations

from datetime import date, timedelta

import pytest

from pipelines.operations.monitoring.arrivals import cohort, pause, volume

STEADY = [30, 28, 31, 30, 29, 33, 27, 30, 31, 29, 28, 30, 32, 29, 30, 31, 28, 30, 29, 31]
MONDAY = date(2024, 1, 1)


def test_rows_as_before_are_not_unusual() -> None:
    found = volume(STEADY, level=0.01)
    assert (found["rows"], found["usual"], found["spans"]) == (30, 29.5, 19)
    assert not found["unusual"]
    assert not found["stopped"]


@pytest.mark.parametrize("rows", [3_000, 1])
def test_a_hundred_times_as_many_or_hardly_any_are(rows: int) -> None:
    found = volume([rows, *STEADY], level=0.01)
    assert found["unusual"]
    assert not found["stopped"]


def test_none_where_there_always_were_some_has_stopped_and_where_there_were_none_at_times_it_may_not() -> None:
    assert volume([0, *STEADY], level=0.01)["stopped"]
    assert not volume([0, 2, 0, 1, 0, 3, 0, 0, 1, 0, 2, 0], level=0.01)["stopped"]
    assert not volume([0, 1, 1, 1], level=0.01)["stopped"]


def test_a_company_that_grows_month_by_month_is_as_usual() -> None:
    assert not volume([round(100 * 1.05 ** (20 - place)) for place in range(20)], level=0.01)["unusual"]


@pytest.mark.parametrize("rows", [[], [5], [5, 5, 5]])
def test_a_table_that_has_just_begun_is_unknown(rows: list[int]) -> None:
    found = volume(rows, level=0.05)
    assert (found["p_value"], found["unusual"], found["stopped"]) == ("unknown", False, False)


def workdays(weeks: int) -> list[date]:
    return [MONDAY + timedelta(days=7 * week + day) for week in range(weeks) for day in range(5)]


def test_a_weekend_is_no_news_where_there_always_were_weekends_and_a_week_is() -> None:
    days = workdays(20)
    assert not pause(days, days[-1] + timedelta(days=3), level=0.05)["late"]
    late = pause(days, days[-1] + timedelta(days=8), level=0.05)
    assert (late["late"], late["days_since"], late["longest_pause"]) == (True, 8, 3)


def test_two_days_of_silence_are_news_where_every_day_had_facts() -> None:
    days = [MONDAY + timedelta(days=day) for day in range(60)]
    assert not pause(days, days[-1] + timedelta(days=1), level=0.01)["late"]
    assert pause(days, days[-1] + timedelta(days=2), level=0.01)["late"]


def test_what_comes_at_irregular_times_may_stay_away_a_little_longer_than_ever() -> None:
    days = [MONDAY + timedelta(days=day) for day in (0, 3, 40, 47, 49, 90, 99, 130)]
    found = pause(days, days[-1] + timedelta(days=45), level=0.01)
    assert found["days_since"] > found["longest_pause"]
    assert not found["late"]


@pytest.mark.parametrize("days", [[], [MONDAY]])
def test_without_a_pause_there_is_nothing_to_compare_with(days: list[date]) -> None:
    assert not pause(days, date(2030, 1, 1), level=0.05)["late"]


def test_a_cohort_that_halves_is_told_and_one_that_shrinks_as_ever_is_not() -> None:
    before = [(1_000 - 10 * step, 980 - 10 * step) for step in range(20)]
    assert not cohort([*before, (800, 783)], overlap=2, level=0.05)["unusual"]
    halved = cohort([*before, (800, 400)], overlap=2, level=0.05)
    assert halved["unusual"]
    assert (halved["rows"], halved["usual"]) == (400, 800.0)
