"""What is asked for beside the rows reaches the fit."""

from __future__ import annotations

import pytest

from models import artifact, boosting, fitting, training, tuning
from models.training import Fitted
from tests.models.model_case import train_rows


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosting, "MAX_ROUNDS", 3)


def version(found: Fitted) -> str:
    return artifact.version(artifact.to_files(found))


def test_without_more_it_is_the_plain_fit() -> None:
    assert version(fitting.fit(train_rows(), seed=7, threads=1)) == version(
        training.fit(train_rows(), seed=7, threads=1)
    )


def test_what_trials_found_stands_above_what_was_given_and_all_else_stays() -> None:
    rows = train_rows()
    tuned = tuning.tune(rows, trials=1, seed=7, threads=1)
    given = {"num_leaves": 4, "learning_rate": 0.2}
    found = fitting.fit(rows, seed=7, threads=1, tuning_trials=1, parameters=given)
    assert version(found) == version(training.fit(rows, seed=7, threads=1, parameters={**given, **tuned}))
    assert version(found) != version(training.fit(rows, seed=7, threads=1, parameters=tuned))


def test_each_step_is_told() -> None:
    told: list[str] = []
    fitting.fit(train_rows(), seed=7, threads=1, tuning_trials=1, progress=told.append)
    assert len(told) == 1 + training.FIT_STEPS
