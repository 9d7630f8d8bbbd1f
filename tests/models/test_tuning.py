from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from features.errors import TrainingError
from models import training, tuning
from models.boosting import Binned, Flags, Floats
from models.matrix import Matrix
from tests.models.model_case import FIRST, SNAPSHOTS, train_rows

PARAMETERS = {"num_leaves", "min_data_in_leaf", "feature_fraction", "bagging_fraction", "lambda_l2"}


def test_the_same_seed_finds_the_same_parameters_and_training_takes_them() -> None:
    told: list[str] = []
    first = tuning.tune(train_rows(), trials=2, seed=7, threads=1, progress=told.append)
    assert tuning.tune(train_rows(), trials=2, seed=7, threads=1) == first
    assert set(first) == PARAMETERS
    assert told == ["tuning trial 1 of 2", "tuning trial 2 of 2"]
    leaves = {"num_leaves": 4}
    booster = training.fit(train_rows(), seed=7, threads=1, parameters=first | leaves).booster
    assert booster.trees_to_dataframe().groupby("tree_index")["left_child"].count().max() <= 3  # splits of 4 leaves


def test_trials_are_judged_on_later_snapshots_of_customers_that_the_trees_did_not_see(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[Matrix, Matrix]] = []

    def losses(binned: Binned, _: Floats, train: Flags, later: Flags, **__: Any) -> tuple[None, Any]:
        seen.append((binned.rows.only(train), binned.rows.only(later)))
        return None, np.array([0.5, 0.4])

    monkeypatch.setattr(Binned, "losses", losses)
    tuning.tune(train_rows(), trials=1, seed=7, threads=1)
    newest = {(FIRST + timedelta(days=day)).toordinal() for day in SNAPSHOTS[-2:]}
    assert len(seen) == 2
    for train, later in seen:
        assert set(later.snapshots.tolist()) == newest
        assert set(train.customers.tolist()).isdisjoint(later.customers.tolist())
        assert len(later) > 0


def test_the_trial_with_the_least_loss_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[float] = []

    def losses(*_: Any, parameters: dict[str, float], **__: Any) -> tuple[None, Any]:
        tried.append(parameters["feature_fraction"])
        return None, np.array([0.9, abs(parameters["feature_fraction"] - 0.8), 0.9])

    monkeypatch.setattr(Binned, "losses", losses)
    found = tuning.tune(train_rows(), trials=5, seed=7, threads=1)
    assert found["feature_fraction"] == min(tried, key=lambda value: abs(value - 0.8))


def test_too_few_customers_to_hold_some_out_are_refused() -> None:
    rows = train_rows()
    with pytest.raises(TrainingError, match="are too few to judge 5 groups of customers by"):
        tuning.tune(rows.only(rows.customers == rows.customers[0]), trials=1, seed=7, threads=1)
