"""Fitting as planned: the same rows once, too few of them never."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from features.errors import TrainingError
from models import artifact, boosting, training, tuning
from models.matrix import Matrix
from models.training import Fitted
from pipelines.prediction.training.fit import FitPlan, Fits, Fitter
from tests.models.model_case import FIRST, QUESTION, train_rows

PLAN = FitPlan(seed=7, tuning_trials=0, start_model=False, min_customers=500, min_positives=100)


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosting, "MAX_ROUNDS", 5)


def rows_of(*days: int) -> Matrix:
    rows = train_rows(start=False)
    return rows.only(np.isin(rows.snapshots, [(FIRST + timedelta(days=day)).toordinal() for day in days]))


def fitter(fits: Fits | None = None, **changes: Any) -> Fitter:
    return Fitter(plan=replace(PLAN, **changes), threads=1, memory=1 << 40, fits={} if fits is None else fits)


def version(fitted: Fitted) -> str:
    return artifact.version(artifact.to_files(fitted))


def test_the_same_rows_are_fitted_once_whoever_asks() -> None:
    fits: Fits = {}
    said: list[str] = []
    first = fitter(fits).fit(rows_of(180, 210), progress=said.append)
    assert len(said) == training.FIT_STEPS
    assert fitter(fits).fit(rows_of(180, 210), progress=said.append) is first
    assert fitter(fits).fit_if_enough(rows_of(180, 210), progress=said.append) is first
    assert len(said) == training.FIT_STEPS
    assert len(fits) == 1


def test_another_process_fits_anew() -> None:
    first, again = fitter().fit(rows_of(180)), fitter().fit(rows_of(180))
    assert again is not first
    assert version(again) == version(first)


def test_other_days_are_fitted_again() -> None:
    fits: Fits = {}
    found = [fitter(fits).fit(rows_of(*days)) for days in ((180, 210), (180,), (180, 240))]
    assert len({id(each) for each in found}) == 3
    assert [each.snapshots for each in found] == [
        tuple((FIRST + timedelta(days=day)).toordinal() for day in days) for days in ((180, 210), (180,), (180, 240))
    ]
    assert set(fits) == {(QUESTION, each.snapshots) for each in found}


def test_another_question_of_the_same_days_is_fitted_again() -> None:
    fits: Fits = {}
    other = replace(QUESTION, horizon_days=61)
    first = fitter(fits).fit(rows_of(180))
    second = fitter(fits).fit(replace(rows_of(180), question=other))
    assert second is not first
    assert (first.question, second.question) == (QUESTION, other)
    assert fitter(fits).fit(rows_of(180)) is first


def test_the_model_is_that_of_the_planned_seed() -> None:
    rows = rows_of(180, 210)
    assert version(fitter().fit(rows)) == version(training.fit(rows, seed=7, threads=1))
    assert version(fitter(seed=8).fit(rows)) == version(training.fit(rows, seed=8, threads=1))
    assert version(fitter(seed=8).fit(rows)) != version(fitter().fit(rows))


def test_where_trials_are_planned_what_they_found_is_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosting, "MAX_ROUNDS", 3)
    rows = rows_of(180, 210)
    tuned = tuning.tune(rows, trials=2, seed=7, threads=1)
    assert tuned
    found = version(fitter(tuning_trials=2).fit(rows))
    assert found == version(training.fit(rows, seed=7, threads=1, parameters=tuned))
    assert found != version(fitter().fit(rows))


def test_as_many_customers_as_planned_are_enough_and_one_fewer_is_not() -> None:
    assert len(np.unique(rows_of(180).customers.astype(str))) == 500
    assert len(fitter().fit_if_enough(rows_of(180)).columns) == 7
    with pytest.raises(TrainingError, match=r"500 customers in the training snapshots; at least 501 are needed"):
        fitter(min_customers=501).fit_if_enough(rows_of(180))


def test_as_many_outcomes_as_planned_are_enough_and_one_fewer_is_not() -> None:
    rows = rows_of(180)
    fewer = int(min(rows.outcomes.sum(), (1 - rows.outcomes).sum()))
    fitter(min_positives=fewer).fit_if_enough(rows)
    with pytest.raises(TrainingError, match=rf"{fewer} of 500 outcomes in the training snapshots .*; at least"):
        fitter(min_positives=fewer + 1).fit_if_enough(rows)


def test_without_rows_nothing_is_fitted() -> None:
    fits: Fits = {}
    for nothing in (None, rows_of()):
        with pytest.raises(TrainingError, match="no snapshot has an outcome yet"):
            fitter(fits).fit_if_enough(nothing)
    assert fits == {}


def test_too_little_is_refused_though_it_was_fitted_before() -> None:
    """A fold may be judged by a model of few rows that nobody may train."""
    fits: Fits = {}
    fitter(fits).fit(rows_of(180))
    with pytest.raises(TrainingError, match="at least 501 are needed"):
        fitter(fits, min_customers=501).fit_if_enough(rows_of(180))
