from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from models.baselines import Floats, baselines
from tests.models.model_case import HORIZON_DAYS, many_rows, snapshot_frame, train_rows, unseen_rows, widened


@cache
def found() -> dict[str, Floats]:
    return baselines(train_rows(), unseen_rows())


def outcomes() -> Floats:
    return np.asarray(snapshot_frame(390).sort_values("customer_id")["happened"], dtype=np.float64)


def test_three_baselines_give_a_probability_each() -> None:
    assert set(found()) == {"logistic_regression", "recency", "bg_nbd"}
    for name, probabilities in found().items():
        assert probabilities.shape == (len(unseen_rows()),), name
        assert ((probabilities > 0) & (probabilities < 1)).all(), name


@pytest.mark.parametrize("name", ["logistic_regression", "recency", "bg_nbd"])
def test_each_baseline_knows_something(name: str) -> None:
    assert roc_auc_score(outcomes(), found()[name]) > 0.65


def test_recency_sees_days_since_the_last_order_and_nothing_else() -> None:
    frame = snapshot_frame(390).sort_values("customer_id")
    by_days = found()["recency"][np.argsort(frame["days_since_last_order"].to_numpy(), kind="stable")]
    assert (np.diff(by_days) >= -1e-12).all()
    rows, column = unseen_rows(), unseen_rows().columns.index("days_since_last_order")
    only = np.zeros_like(rows.values)
    only[:, column] = rows.values[:, column]
    assert np.array_equal(baselines(train_rows(), replace(rows, values=only))["recency"], found()["recency"])


def test_bg_nbd_is_the_start_itself() -> None:
    assert np.array_equal(found()["bg_nbd"], expit(unseen_rows().start))
    # Half a year without an order lies far below the horizon's chance for whoever ordered yesterday and often.
    assert np.ptp(found()["bg_nbd"]) > 0.3
    assert HORIZON_DAYS == 60


def test_without_a_start_model_there_is_no_bg_nbd() -> None:
    assert set(baselines(train_rows(start=False), unseen_rows(start=False))) == {"logistic_regression", "recency"}


def test_without_its_column_there_is_no_recency() -> None:
    train, test = (
        replace(rows, columns=rows.columns[1:], values=rows.values[:, 1:]) for rows in (train_rows(), unseen_rows())
    )
    assert train_rows().columns[0] == "days_since_last_order"
    assert set(baselines(train, test)) == {"logistic_regression", "bg_nbd"}


def test_no_baseline_reads_the_outcomes_of_the_test_rows() -> None:
    with_outcomes = replace(unseen_rows(), labels=outcomes())
    for name, probabilities in baselines(train_rows(), with_outcomes).items():
        assert np.array_equal(probabilities, found()[name]), name


def test_nulls_get_a_value_of_their_own() -> None:
    rows = train_rows()
    informative = np.where(rows.outcomes[:, None] > 0, np.nan, 0.0) * np.ones((1, len(rows.columns)))
    probabilities = baselines(replace(rows, values=informative), replace(rows, values=informative))
    assert roc_auc_score(rows.outcomes, probabilities["logistic_regression"]) == 1.0


def test_however_many_threads_there_are_the_probabilities_are_the_same() -> None:
    rows, told = widened(many_rows()), set()
    for threads in (1, 2, 4):
        with threadpool_limits(limits=threads):
            told.add(baselines(rows, rows)["logistic_regression"].tobytes())
    assert len(told) == 1
