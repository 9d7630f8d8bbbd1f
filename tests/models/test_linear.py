"""The linear member: a ridge regression on signed logarithms and the start, with no trend beyond what was seen."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from models.linear import RIDGE, SEEN, Floats, Linear, design, fit, signed_logs
from models.matrix import Matrix
from tests.models.model_case import fit_linear, train_rows


def test_counts_are_told_by_their_logarithm_changes_keep_their_sign_and_nulls_lie_below() -> None:
    values = np.array([[0.0, np.e - 1, 1 - np.e, np.nan]])
    assert signed_logs(values) == pytest.approx(np.array([[0.0, 1.0, -1.0, -1.0]]))


@cache
def standardised(*, start: bool) -> Floats:
    """The design, its outermost hundredths drawn in; a column that is the same in all rows is 0."""
    logs = design(train_rows(start=start))
    logs = np.clip(logs, *np.quantile(logs, [SEEN, 1 - SEEN], axis=0))
    spread = logs.std(axis=0)
    return np.asarray((logs - logs.mean(axis=0)) / np.where(spread > 0, spread, 1.0))


def of(values: Floats, start: Floats | None = None) -> Matrix:
    """Rows of these values, of which nothing else is looked at."""
    rows = train_rows(start=False).only(np.arange(len(train_rows())) < len(values))
    names = tuple(f"x{number}" for number in range(values.shape[1]))
    return replace(rows, columns=names, values=values, start=np.zeros(len(values)) if start is None else start)


@pytest.mark.parametrize("start", [False, True])
def test_it_is_a_ridge_logistic_regression_on_the_columns_and_the_start(start: bool) -> None:
    rows = train_rows(start=start)
    found = fit_linear(rows)
    expected = LogisticRegression(C=1 / (RIDGE * len(rows)), tol=1e-10, max_iter=1000)
    expected.fit(standardised(start=start), rows.outcomes)
    assert found.weights == pytest.approx(expected.coef_[0].tolist(), abs=1e-4)
    assert found.intercept == pytest.approx(expected.intercept_[0], abs=1e-4)
    assert (found.weights[-1] > 0.1) == start


def test_nothing_is_left_that_the_penalty_would_not_hold_back() -> None:
    """At the optimum what is missing in each direction is just what the penalty takes; the intercept has none."""
    rows = train_rows()
    found = fit_linear(rows)
    missing = rows.outcomes - expit(found.log_odds(rows))
    assert missing.sum() == pytest.approx(0, abs=1e-6)
    assert standardised(start=True).T @ missing == pytest.approx(RIDGE * len(rows) * np.array(found.weights), abs=1e-6)


def test_contributions_and_the_intercept_add_up_and_are_nothing_on_average() -> None:
    rows = train_rows()
    found = fit_linear(rows)
    parts, start = found.contributions(rows)
    assert parts.shape == rows.values.shape
    assert found.intercept + parts.sum(axis=1) + start == pytest.approx(found.log_odds(rows))
    assert np.append(parts.mean(axis=0), start.mean()) == pytest.approx(np.zeros(parts.shape[1] + 1), abs=1e-9)


def test_a_contribution_by_hand() -> None:
    """Two columns, and the start, which is a logarithm already and is drawn in at 2."""
    member = Linear(
        intercept=0.5,
        low=(0.0, -1.0, -2.0),
        high=(5.0, 4.0, 2.0),
        centre=(1.0, 0.0, 1.0),
        scale=(2.0, 1.0, 1.0),
        weights=(0.3, -0.2, 0.4),
    )
    rows = of(np.array([[np.e**3 - 1, np.nan]]), np.array([7.0]))
    parts, start = member.contributions(rows)
    assert parts == pytest.approx(np.array([[0.3, 0.2]]))
    assert start == pytest.approx([0.4])
    assert member.log_odds(rows) == pytest.approx([1.4])


def test_no_trend_is_drawn_beyond_what_was_seen() -> None:
    rows = train_rows()
    found, width = fit_linear(rows), rows.values.shape[1]
    near, far = (found.contributions(of(np.full((1, width), value), np.array([value]))) for value in (1e6, 1e12))
    seen = found.contributions(rows)
    for one, other, each in zip(near, far, seen, strict=True):
        assert np.array_equal(one, other)
        assert ((each.min(axis=0) - 1e-12 <= one) & (one <= each.max(axis=0) + 1e-12)).all()


def test_a_constant_column_says_nothing() -> None:
    rows = train_rows(start=False)
    values = np.column_stack([rows.values, np.full(len(rows), 7.0)])
    wider = replace(rows, columns=(*rows.columns, "constant"), values=values)
    parts, start = fit_linear(wider).contributions(wider)
    assert np.abs(parts[:, -1]).max() < 1e-9
    assert np.abs(start).max() < 1e-9


def test_a_row_is_the_same_to_the_last_digit_alone_and_however_rows_lie_in_memory() -> None:
    values = np.random.default_rng(5).lognormal(size=(50, 40))
    rows = of(values, np.random.default_rng(6).normal(size=50))
    found = fit(design(rows), (values[:, 0] > 1).astype(np.float64), np.ones(50))
    together = found.log_odds(rows)
    assert (found.log_odds(replace(rows, values=np.asfortranarray(values))) == together).all()
    alone = [float(found.log_odds(rows.only(np.arange(50) == row))[0]) for row in range(50)]
    assert alone == together.tolist()
