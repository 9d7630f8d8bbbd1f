"""Whether there is enough to train on, and from when there will be."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from pipelines.foundation.workspace.calendar import Calendar, Grid
from pipelines.prediction.checks.trainable import Matured, first_snapshot, next_matured
from pipelines.prediction.training.fit import FitPlan

PLAN = FitPlan(seed=1, tuning_trials=0, start_model=True, min_customers=100, min_positives=20)
COUNTED = Matured(
    snapshot_on="2024-01-01",
    happened=10,
    not_happened=50,
    all_happened=20,
    all_not_happened=80,
    customers=100,
    complete=False,
)
CALENDAR = Calendar(
    as_of=date(2024, 7, 1),
    data_from=date(2024, 1, 1),
    data_to=date(2024, 6, 30),
    covered_until=date(2024, 6, 30),
    maturity_days=90,
    grid=Grid(every_days=14, anchor=date(2024, 1, 1), min_history_days=30, at_most=10),
    folds=4,
    fold_every_days=30,
    embargo_days=0,
)


@pytest.mark.parametrize(
    ("changed", "enough"),
    [
        ({}, True),  # the rest can only add to it
        ({"customers": 99}, None),
        ({"all_happened": 19}, None),
        ({"all_not_happened": 19}, None),
        ({"customers": 99, "complete": True}, False),
        ({"all_happened": 19, "complete": True}, False),
        ({"complete": True}, True),
    ],
)
def test_what_is_counted_is_enough_or_is_not_or_the_rest_must_tell(
    changed: dict[str, int], enough: bool | None
) -> None:
    assert replace(COUNTED, **changed).enough(PLAN) is enough  # type: ignore[arg-type]


def test_the_first_snapshot_is_the_first_of_the_grid_with_history_enough() -> None:
    assert first_snapshot(CALENDAR) == date(2024, 2, 12)  # 2024-01-31 and later, every 14 days from 2024-01-01 on
    exactly = replace(CALENDAR, data_from=date(2024, 1, 13))
    assert first_snapshot(exactly) == date(2024, 2, 12)


def test_the_next_outcomes_are_those_after_the_last_or_the_first_of_all() -> None:
    assert next_matured(CALENDAR, []) == (date(2024, 2, 12), date(2024, 5, 12))
    assert next_matured(CALENDAR, [date(2024, 2, 12)]) == (date(2024, 2, 26), date(2024, 5, 26))


def test_outcomes_that_touch_a_pause_never_mature() -> None:
    paused = replace(CALENDAR, pauses=((date(2024, 5, 1), date(2024, 5, 27)),))
    assert next_matured(paused, []) == (date(2024, 6, 3), date(2024, 9, 1))


@pytest.mark.parametrize("pause", [(date(2024, 2, 20), date(2024, 2, 26)), (date(2024, 5, 26), date(2024, 6, 10))])
def test_a_pause_that_ends_as_a_snapshot_begins_or_begins_once_it_is_known_touches_nothing(
    pause: tuple[date, date],
) -> None:
    paused = replace(CALENDAR, pauses=(pause,))
    assert next_matured(paused, [date(2024, 2, 12)]) == (date(2024, 2, 26), date(2024, 5, 26))
