"""Which days are learned from, tested and compared: on literal days, and for any settings."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.foundation.storage.fingerprint import fingerprint
from pipelines.foundation.workspace.calendar import Calendar, FoldDays, Grid, covered, memory_days

MONDAY = date(2001, 1, 1)
WEEKLY = Grid(every_days=7, anchor=MONDAY, min_history_days=30, at_most=52)


def calendar(**changes: Any) -> Calendar:
    """Weekly snapshots of a year's data; outcomes known after 60 days; three folds 30 days apart."""
    usual = Calendar(
        as_of=date(2024, 7, 1),
        data_from=date(2023, 7, 1),
        data_to=date(2024, 6, 30),
        covered_until=date(2024, 7, 1),
        maturity_days=60,
        grid=WEEKLY,
        folds=3,
        fold_every_days=30,
        embargo_days=0,
    )
    return replace(usual, **changes)


# The grid


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [
        (date(2024, 1, 1), date(2024, 1, 1), [date(2024, 1, 1)]),
        (date(2024, 1, 2), date(2024, 1, 7), []),
        (date(2024, 1, 2), date(2024, 1, 8), [date(2024, 1, 8)]),
        (date(2023, 12, 31), date(2024, 1, 15), [date(2024, 1, 1), date(2024, 1, 8), date(2024, 1, 15)]),
        (date(2024, 1, 8), date(2024, 1, 1), []),
        (date(2000, 12, 24), date(2001, 1, 1), [date(2000, 12, 25), date(2001, 1, 1)]),  # before its anchor, too
    ],
)
def test_grid_days_are_counted_from_the_anchor_both_ends_included(first: date, last: date, found: list[date]) -> None:
    assert WEEKLY.days(first, last) == found


def test_a_grid_of_every_day_has_every_day() -> None:
    daily = replace(WEEKLY, every_days=1)
    assert daily.days(date(2024, 2, 28), date(2024, 3, 1)) == [
        date(2024, 2, 28),
        date(2024, 2, 29),
        date(2024, 3, 1),
    ]


# What is known when


def test_an_outcome_is_known_after_as_many_days_as_it_takes() -> None:
    assert calendar().known_on(date(2024, 1, 1)) == date(2024, 3, 1)


@pytest.mark.parametrize(
    ("day", "known"), [(date(2024, 5, 2), True), (date(2024, 5, 3), False), (date(2024, 5, 1), True)]
)
def test_an_outcome_is_known_once_the_data_cover_the_day_before_it_is_known(day: date, known: bool) -> None:
    """60 days after 2 May it is 1 July, the first day that is not covered."""
    assert calendar().is_known(day) is known


def test_nothing_is_known_of_the_day_of_the_run_or_later_whatever_rows_are_dated() -> None:
    """One order of 2042, or a contract that starts next month, does not make the months until then complete."""
    assert covered(date(2042, 1, 1), today=date(2024, 7, 1)) == date(2024, 7, 1)
    late = calendar(data_to=date(2042, 1, 1))
    assert late.is_known(date(2024, 5, 2))
    assert not late.is_known(date(2024, 5, 3))
    assert late.fold_days() == calendar().fold_days()
    assert late.training_days(date(2030, 1, 1)) == calendar().training_days(date(2030, 1, 1))


def test_data_that_end_early_are_not_complete_until_today() -> None:
    assert covered(date(2024, 6, 1), today=date(2024, 7, 1)) == date(2024, 6, 1)


@pytest.mark.parametrize(
    ("day", "known"), [(date(2024, 3, 1), True), (date(2024, 2, 29), False), (date(2024, 3, 2), True)]
)
def test_what_was_known_by_a_day_was_known_at_its_start(day: date, known: bool) -> None:
    assert calendar().is_known_by(date(2024, 1, 1), day) is known


def test_what_the_data_do_not_cover_was_not_known_by_any_day() -> None:
    assert not calendar(covered_until=date(2024, 2, 29)).is_known_by(date(2024, 1, 1), date(2024, 12, 31))


def test_of_some_snapshots_those_known_by_a_day_oldest_first() -> None:
    days = [date(2024, 1, 2), date(2024, 1, 1), date(2024, 1, 3)]
    assert calendar().known_by(date(2024, 3, 2), days) == [date(2024, 1, 1), date(2024, 1, 2)]


# What may be learned from


def test_training_days_are_the_newest_of_the_grid_whose_outcome_was_known() -> None:
    found = calendar(grid=replace(WEEKLY, at_most=3)).training_days(date(2024, 7, 1))
    assert found == [date(2024, 4, 15), date(2024, 4, 22), date(2024, 4, 29)]  # known on 28 June; 6 May's on 5 July


def test_a_day_earlier_only_what_was_known_by_then() -> None:
    found = calendar(grid=replace(WEEKLY, at_most=1))
    assert found.training_days(date(2024, 6, 28)) == [date(2024, 4, 29)]
    assert found.training_days(date(2024, 6, 27)) == [date(2024, 4, 22)]


def test_the_first_training_day_has_enough_history_before_it() -> None:
    assert calendar().first_snapshot == date(2023, 7, 31)
    assert calendar().training_days(date(2024, 7, 1))[0] == date(2023, 7, 31)  # a Monday, 30 days in
    assert calendar(data_from=date(2023, 7, 2)).training_days(date(2024, 7, 1))[0] == date(2023, 8, 7)


def test_without_asking_for_history_one_day_of_it_is_needed() -> None:
    eager = calendar(grid=replace(WEEKLY, min_history_days=0), data_from=date(2023, 7, 3))
    assert eager.first_snapshot == date(2023, 7, 4)


def test_where_nothing_is_known_there_is_nothing_to_learn_from() -> None:
    young = calendar(data_from=date(2024, 6, 1))
    assert young.training_days(date(2024, 7, 1)) == []
    assert young.fold_days() == []


def test_snapshots_can_be_had_from_enough_history_to_the_day_that_scoring_looks_from() -> None:
    found = calendar().snapshot_days()
    assert (found[0], found[-1]) == (date(2023, 7, 31), date(2024, 7, 1))
    ended = calendar(data_to=date(2024, 6, 23)).snapshot_days()
    assert ended[-1] == date(2024, 6, 24)  # the day after the newest fact, and no later one
    assert calendar(data_to=date(2024, 6, 22)).snapshot_days()[-1] == date(2024, 6, 17)


# Results are named by it


def test_a_calendar_cannot_change_once_a_result_is_named_by_it() -> None:
    assert fingerprint(calendar(), *calendar().fold_days()) == fingerprint(calendar(), *calendar().fold_days())
    assert fingerprint(calendar(grid=replace(WEEKLY, every_days=8))) != fingerprint(calendar())
    assert all(each.kw_only for kind in (Calendar, FoldDays, Grid) for each in fields(kind))


# Folds


def test_folds_go_back_from_the_newest_known_outcome_each_trained_on_what_was_known_by_then() -> None:
    found = calendar(grid=replace(WEEKLY, at_most=2)).fold_days()
    assert found == [
        FoldDays(test=date(2024, 3, 3), train=(date(2023, 12, 25), date(2024, 1, 1))),
        FoldDays(test=date(2024, 4, 2), train=(date(2024, 1, 22), date(2024, 1, 29))),
        FoldDays(test=date(2024, 5, 2), train=(date(2024, 2, 19), date(2024, 2, 26))),
    ]


def test_an_embargo_keeps_outcomes_away_from_the_test_day() -> None:
    (fold,) = calendar(folds=1, embargo_days=1, grid=replace(WEEKLY, at_most=1)).fold_days()
    assert fold == FoldDays(test=date(2024, 5, 2), train=(date(2024, 2, 26),))  # known on 26 April
    (fold,) = calendar(folds=1, embargo_days=7, grid=replace(WEEKLY, at_most=1)).fold_days()
    assert fold == FoldDays(test=date(2024, 5, 2), train=(date(2024, 2, 19),))


def test_no_fold_tests_a_day_after_the_one_that_scoring_looks_from() -> None:
    past = calendar(as_of=date(2024, 2, 1), folds=1)
    assert [fold.test for fold in past.fold_days()] == [date(2024, 2, 1)]
    assert [fold.test for fold in calendar(folds=1).fold_days()] == [date(2024, 5, 2)]


def test_a_fold_without_anything_to_learn_from_is_left_out() -> None:
    young = calendar(data_from=date(2023, 12, 3))
    assert [fold.test for fold in young.fold_days()] == [date(2024, 4, 2), date(2024, 5, 2)]


# Champion and scores


def test_a_champion_does_not_know_snapshots_that_began_when_its_outcomes_had_ended() -> None:
    days = [date(2024, 3, 2), date(2024, 3, 1), date(2024, 2, 29)]
    assert calendar().unknown_to([date(2023, 12, 1), date(2024, 1, 1)], days) == [date(2024, 3, 1), date(2024, 3, 2)]


def test_a_champion_is_as_old_as_the_newest_outcome_that_it_learned() -> None:
    assert calendar().age_days([date(2023, 12, 1), date(2024, 1, 1)]) == (date(2024, 7, 1) - date(2024, 3, 1)).days


@pytest.mark.parametrize(
    ("data_to", "newest", "age"),
    [
        (date(2024, 6, 30), date(2024, 6, 30), 0),
        (date(2024, 6, 20), date(2024, 6, 20), 10),
        (date(2024, 7, 1), date(2024, 6, 30), 0),  # scoring looks from the start of that day
    ],
)
def test_data_are_as_old_as_their_newest_day_before_scoring(data_to: date, newest: date, age: int) -> None:
    found = calendar(data_to=data_to)
    assert (found.data_as_of, found.data_age_days) == (newest, age)


def test_training_looks_back_over_all_its_snapshots_their_outcomes_and_the_longest_lookback() -> None:
    assert memory_days(WEEKLY, maturity_days=60, lookback_days=(7, 365, 30)) == 7 * 52 + 60 + 365


# Pauses: days of which outcomes may be missing

MAY = (date(2024, 5, 1), date(2024, 6, 1))


@pytest.mark.parametrize(
    ("snapshot", "known"),
    [
        (date(2024, 3, 1), True),  # its outcome is known on 30 April: it ends the day before
        (date(2024, 3, 2), True),  # on 1 May
        (date(2024, 3, 3), False),
        (date(2024, 5, 1), False),
        (date(2024, 5, 2), False),
    ],
)
def test_an_outcome_that_touches_a_pause_is_not_known(snapshot: date, known: bool) -> None:
    assert calendar(pauses=(MAY,)).is_known(snapshot) == known


def test_an_outcome_after_a_pause_is_known() -> None:
    later = calendar(pauses=(MAY,), covered_until=date(2024, 9, 1))
    assert [later.is_known(day) for day in (date(2024, 5, 31), date(2024, 6, 1))] == [False, True]


def test_nothing_is_learned_from_or_tested_on_a_pause() -> None:
    found = calendar(pauses=((date(2024, 3, 1), date(2024, 4, 1)),))
    days = found.training_days(found.as_of)
    assert date(2024, 1, 1) in days
    assert [day for day in days if day > date(2024, 1, 1)] == [
        date(2024, 4, 1),
        date(2024, 4, 8),
        date(2024, 4, 15),
        date(2024, 4, 22),
        date(2024, 4, 29),
    ]
    assert [fold.test for fold in found.fold_days()] == [date(2024, 5, 2), date(2024, 4, 2)][::-1]


def test_as_many_snapshots_are_learned_from_as_without_a_pause_where_the_data_have_them() -> None:
    few = replace(WEEKLY, at_most=5)
    found = calendar(grid=few, pauses=((date(2024, 4, 1), date(2024, 4, 20)),))
    assert len(found.training_days(found.as_of)) == 5


# Whatever the settings

DAYS = st.dates(date(2015, 1, 1), date(2030, 1, 1))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    data_from, data_to = sorted((draw(DAYS), draw(DAYS)))
    return Calendar(
        as_of=draw(DAYS),
        data_from=data_from,
        data_to=data_to,
        covered_until=covered(draw(st.one_of(st.just(data_to), DAYS)), today=draw(DAYS)),
        maturity_days=draw(st.integers(1, 400)),
        grid=Grid(
            every_days=draw(st.integers(1, 40)),
            anchor=draw(DAYS),
            min_history_days=draw(st.integers(0, 400)),
            at_most=draw(st.integers(1, 60)),
        ),
        folds=draw(st.integers(1, 6)),
        fold_every_days=draw(st.integers(1, 90)),
        embargo_days=draw(st.integers(0, 60)),
    )


@given(calendars())
def test_no_fold_learns_from_what_was_not_known_before_its_test_day(found: Calendar) -> None:
    matured, embargo = timedelta(days=found.maturity_days), timedelta(days=found.embargo_days)
    for fold in found.fold_days():
        assert max(fold.train) + matured + embargo <= fold.test
        assert fold.test <= found.as_of


@given(calendars())
def test_no_day_is_used_whose_outcome_the_data_do_not_cover_yet(found: Calendar) -> None:
    days = {day for fold in found.fold_days() for day in (fold.test, *fold.train)}
    for day in days | set(found.training_days(found.as_of)):
        assert found.data_from < day
        assert day + timedelta(days=found.maturity_days) <= found.covered_until


@given(calendars(), st.lists(st.tuples(DAYS, DAYS), max_size=3))
def test_no_day_is_used_whose_outcome_touches_a_pause(found: Calendar, spans: list[tuple[date, date]]) -> None:
    pauses = tuple((min(each), max(each) + timedelta(days=1)) for each in spans)
    found = replace(found, pauses=pauses)
    days = {day for fold in found.fold_days() for day in (fold.test, *fold.train)}
    for day in days | set(found.training_days(found.as_of)):
        window = {day + timedelta(days=step) for step in range(found.maturity_days)}
        assert not [1 for start, end in pauses if any(start <= each < end for each in window)]


@given(calendars(), DAYS)
def test_training_days_lie_on_the_grid_a_step_apart_and_none_newer_is_left_out(found: Calendar, day: date) -> None:
    days, grid = found.training_days(day), found.grid
    assert len(days) <= grid.at_most
    assert all((each - grid.anchor).days % grid.every_days == 0 for each in days)
    assert all((after - before).days == grid.every_days for before, after in pairwise(days))
    if days:
        following = days[-1] + timedelta(days=grid.every_days)
        assert not found.is_known_by(following, day)


@given(calendars(), DAYS, DAYS)
def test_with_time_only_more_is_known(found: Calendar, one: date, other: date) -> None:
    earlier, later = sorted((one, other))
    snapshots = found.grid.days(found.data_from, found.data_to)[:200]
    assert set(found.known_by(earlier, snapshots)) <= set(found.known_by(later, snapshots))
    once, again = (replace(found, covered_until=day) for day in (earlier, later))
    assert {day for day in snapshots if once.is_known(day)} <= {day for day in snapshots if again.is_known(day)}


@given(DAYS, DAYS)
def test_nothing_beyond_the_day_of_the_run_is_ever_covered(complete_until: date, today: date) -> None:
    assert covered(complete_until, today=today) <= today
