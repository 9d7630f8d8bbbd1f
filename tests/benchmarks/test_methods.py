from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.special import logit

from benchmarks.methods import MEMBERS, OURS, buying_until_gone, by_hand, members, of_day
from models.matrix import Matrix
from tests.models.model_case import fitted, snapshot_frame, snapshot_matrix, train_rows


@cache
def asked() -> Matrix:
    return snapshot_matrix(390, snapshot_frame(390))


def with_summary(rows: Matrix) -> Matrix:
    """With the column of days between first and last order, which a workspace's rows have."""
    spans = snapshot_frame(390).set_index("customer_id")["days_first_to_last_order"].reindex(rows.customers)
    values = np.column_stack([rows.values, spans.to_numpy(dtype=np.float64)])
    return replace(rows, columns=(*rows.columns, "days_first_to_last_order"), values=values)


def test_each_member_ranks_as_its_log_odds_do_and_tells_as_many_as_the_model() -> None:
    found = members(fitted(), asked())
    ours = fitted().day_probability(asked())
    for name, odds in zip(MEMBERS, fitted().members(asked()), strict=True):
        assert (np.diff(found[name][np.argsort(odds, kind="stable")]) >= 0).all()
        assert found[name].mean() == pytest.approx(ours.mean(), abs=1e-9)


def test_members_as_they_are_calibrated_alone_make_up_the_model() -> None:
    found = members(fitted(), asked())
    both = sum(logit(found[name]) for name in MEMBERS) / len(MEMBERS)
    apart = logit(fitted().day_probability(asked())) - fitted().calibrator.slope * both
    assert np.ptp(apart) < 1e-6
    assert np.ptp(logit(found[MEMBERS[0]]) - logit(found[MEMBERS[1]])) > 0.1  # they do differ


def test_pareto_nbd_is_told_of_whole_histories_in_days() -> None:
    told = buying_until_gone(with_summary(asked()))
    column = {name: asked().values[:, place] for place, name in enumerate(asked().columns)}
    often = column["repeat_order_days"] >= 4
    silence = column["days_since_last_order_over_usual"]
    assert told[often & (silence > 5)].mean() > 0.9
    assert told[often & (silence < 1)].mean() < 0.4
    assert abs(told.mean() - asked().outcomes.mean()) < 0.15


def test_every_method_is_asked_of_the_same_rows() -> None:
    found = of_day(fitted(), train_rows(), asked(), threads=1)
    assert list(found) == [OURS, *MEMBERS, "logistic_regression", "recency", "bg_nbd", "lightgbm_by_hand"]
    assert all(each.shape == (len(asked()),) and ((each >= 0) & (each <= 1)).all() for each in found.values())


def test_plain_trees_count_rows_as_often_as_they_stand_for() -> None:
    once = train_rows()
    counted = by_hand(replace(once, weights=np.where(once.outcomes > 0, 3.0, 1.0)), asked(), threads=1)
    assert counted.mean() > by_hand(once, asked(), threads=1).mean() + 0.05
