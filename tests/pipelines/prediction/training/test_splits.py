"""Folds for scikit-learn are those of the backtest, and no fold knows an outcome too early."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from models.classifier import ChurnClassifier
from pipelines.data.snapshots.learned import learned_rows
from pipelines.explore.frames import framed
from pipelines.foundation.workspace.calendar import Calendar, Grid
from pipelines.foundation.workspace.workspace import open_workspace
from pipelines.prediction.training.backtest import backtest, days_of
from pipelines.prediction.training.splits import SnapshotSplit
from pipelines.prediction.training.task import main_task

CALENDAR = Calendar(
    as_of=date(2025, 6, 1),
    data_from=date(2024, 1, 1),
    data_to=date(2025, 5, 31),
    covered_until=date(2025, 6, 1),
    maturity_days=37,
    grid=Grid(every_days=7, anchor=date(2024, 1, 1), min_history_days=30, at_most=20),
    folds=3,
    fold_every_days=30,
    embargo_days=5,
)


def ordinals(calendar: Calendar) -> np.ndarray:
    """Three rows of every day of the folds, newest first."""
    days = [day.toordinal() for day in days_of(calendar.fold_days())]
    return np.repeat(days[::-1], 3)


def test_cross_validation_gives_the_figures_of_the_backtest(finished_workspace: Path) -> None:
    task = main_task(open_workspace(finished_workspace, now=datetime(2026, 1, 5, tzinfo=UTC)))
    split = SnapshotSplit(task.calendar)
    rows = learned_rows(task.snapshots, days_of(split.folds()))
    assert rows is not None
    found = cross_val_score(
        ChurnClassifier(random_state=task.fitter.plan.seed, question=task.question),
        framed(rows),
        rows.outcomes,
        cv=split,
        groups=rows.snapshots,
        scoring="neg_log_loss",
        params={"customers": rows.customers, "snapshots": rows.snapshots},
    )
    folds = backtest(task)["folds"]
    assert len(folds) == split.get_n_splits() == 2
    assert (-found).tolist() == pytest.approx([fold["model"]["log_loss"] for fold in folds], abs=1e-12)


@given(
    maturity=st.integers(1, 120),
    embargo=st.integers(0, 40),
    every=st.integers(1, 30),
    folds=st.integers(1, 5),
    apart=st.integers(1, 60),
)
def test_no_fold_learns_from_an_outcome_that_was_not_known_at_its_first_test_day(
    maturity: int, embargo: int, every: int, folds: int, apart: int
) -> None:
    calendar = replace(
        CALENDAR,
        maturity_days=maturity,
        embargo_days=embargo,
        folds=folds,
        fold_every_days=apart,
        grid=replace(CALENDAR.grid, every_days=every),
    )
    days = ordinals(calendar)
    for train, test in SnapshotSplit(calendar).split(days, groups=days):
        assert len(set(days[test].tolist())) == 1
        assert (days[train] + maturity + embargo).max() <= days[test].min()


def test_a_fold_has_all_rows_of_its_days_and_no_other() -> None:
    days = ordinals(CALENDAR)
    found = list(SnapshotSplit(CALENDAR).split(days, groups=days))
    assert len(found) == SnapshotSplit(CALENDAR).get_n_splits() == 3
    for (train, test), fold in zip(found, CALENDAR.fold_days(), strict=True):
        assert [date.fromordinal(day) for day in days[test]] == [fold.test] * 3
        assert sorted({date.fromordinal(day) for day in days[train].tolist()}) == list(fold.train)
        assert len(train) == 3 * len(fold.train)


@pytest.mark.parametrize("as_dates", [lambda day: day, lambda day: np.datetime64(day, "ns")], ids=["dates", "numpy"])
def test_days_may_be_dates(as_dates: Any) -> None:
    days = ordinals(CALENDAR)
    given = np.array([as_dates(date.fromordinal(day)) for day in days.tolist()])
    for mine, theirs in zip(
        SnapshotSplit(CALENDAR).split(days, groups=days), SnapshotSplit(CALENDAR).split(days, groups=given), strict=True
    ):
        assert [each.tolist() for each in mine] == [each.tolist() for each in theirs]


def test_rows_that_lack_a_day_are_refused_by_name() -> None:
    days, fold = ordinals(CALENDAR), CALENDAR.fold_days()[0]
    lacking = days[days != fold.test.toordinal()]
    with pytest.raises(ValueError, match=rf"no row is of {fold.test}, the test day of a fold"):
        list(SnapshotSplit(CALENDAR).split(lacking, groups=lacking))
    tests = np.array([each.test.toordinal() + 1 for each in CALENDAR.fold_days()]) - 1
    with pytest.raises(ValueError, match=rf"no row is of a day that the fold of {fold.test} learns from"):
        list(SnapshotSplit(CALENDAR).split(tests, groups=tests))
    with pytest.raises(ValueError, match="is asked for as `groups`"):
        list(SnapshotSplit(CALENDAR).split(days))


def test_metadata_routing_hands_over_the_days() -> None:
    days = ordinals(CALENDAR)
    chance = np.random.default_rng(0)
    values, labels = chance.normal(size=(len(days), 2)), np.arange(len(days)) % 2
    with sklearn.config_context(enable_metadata_routing=True):
        found = cross_val_score(
            LogisticRegression(), values, labels, cv=SnapshotSplit(CALENDAR), params={"groups": days}
        )
    assert len(found) == 3


def test_other_folds_are_those_of_another_calendar() -> None:
    calendar = replace(CALENDAR, folds=1)
    assert SnapshotSplit(calendar).get_n_splits() == 1
    assert SnapshotSplit(calendar).folds()[0].test == CALENDAR.covered_until - timedelta(days=37)
