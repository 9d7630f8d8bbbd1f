from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from models.linear_start import RIDGE, SEEN, Floats, LinearStart, fit, signed_logs
from tests.models.model_case import train_rows


def test_counts_are_told_by_their_logarithm_changes_keep_their_sign_and_nulls_lie_below() -> None:
    values = np.array([[0.0, np.e - 1, 1 - np.e, np.nan]])
    assert signed_logs(values) == pytest.approx(np.array([[0.0, 1.0, -1.0, -1.0]]))


@cache
def standardised() -> Floats:
    """On signed logarithms, their outermost hundredths drawn in."""
    logs = signed_logs(train_rows(start=False).values)
    logs = np.clip(logs, *np.quantile(logs, [SEEN, 1 - SEEN], axis=0))
    return np.asarray((logs - logs.mean(axis=0)) / logs.std(axis=0))


def test_without_a_start_it_is_a_ridge_logistic_regression() -> None:
    rows = train_rows(start=False)
    found = fit(rows.values, rows.start, rows.outcomes)
    expected = LogisticRegression(C=1 / (RIDGE * len(rows)), tol=1e-10, max_iter=1000)
    expected.fit(standardised(), rows.outcomes)
    assert found.weights == pytest.approx(expected.coef_[0].tolist(), abs=1e-4)
    assert found.intercept == pytest.approx(expected.intercept_[0], abs=1e-4)


def test_with_a_start_nothing_is_left_that_the_penalty_would_not_hold_back() -> None:
    """At the optimum what is missing in each direction is just what the penalty takes; the intercept has none."""
    rows = train_rows(start=False)
    start = np.linspace(-1, 2, len(rows))
    found = fit(rows.values, start, rows.outcomes)
    missing = rows.outcomes - expit(start + found.log_odds(rows.values))
    assert missing.sum() == pytest.approx(0, abs=1e-6)
    assert standardised().T @ missing == pytest.approx(RIDGE * len(rows) * np.array(found.weights), abs=1e-6)


def test_a_start_that_is_right_is_hardly_corrected() -> None:
    random, values = np.random.default_rng(1), np.random.default_rng(2).normal(size=(4_000, 2))
    start = random.normal(size=4_000)
    labels = (random.uniform(size=4_000) < expit(start)).astype(np.float64)
    found = fit(values, start, labels)
    assert np.abs([found.intercept, *found.weights]).max() < 0.1


def test_contributions_and_the_intercept_add_up_and_are_nothing_on_average() -> None:
    rows = train_rows(start=False)
    found = fit(rows.values, rows.start, rows.outcomes)
    parts = found.contributions(rows.values)
    assert parts.shape == rows.values.shape
    assert found.intercept + parts.sum(axis=1) == pytest.approx(found.log_odds(rows.values))
    assert parts.mean(axis=0) == pytest.approx(np.zeros(parts.shape[1]), abs=1e-9)


def test_a_contribution_by_hand() -> None:
    correction = LinearStart(
        intercept=0.5, low=(0.0, -1.0), high=(5.0, 4.0), centre=(1.0, 0.0), scale=(2.0, 1.0), weights=(0.3, -0.2)
    )
    values = np.array([[np.e**3 - 1, np.nan]])
    assert correction.contributions(values) == pytest.approx(np.array([[0.3, 0.2]]))
    assert correction.log_odds(values) == pytest.approx([1.0])


def test_no_trend_is_drawn_beyond_what_was_seen() -> None:
    rows = train_rows(start=False)
    found = fit(rows.values, rows.start, rows.outcomes)
    near, far = (found.contributions(np.full((1, rows.values.shape[1]), value)) for value in (1e6, 1e12))
    assert np.array_equal(near, far)
    least, most = (found.contributions(rows.values).min(axis=0), found.contributions(rows.values).max(axis=0))
    assert ((least - 1e-12 <= near) & (near <= most + 1e-12)).all()


def test_a_constant_column_says_nothing() -> None:
    rows = train_rows(start=False)
    values = np.column_stack([rows.values, np.full(len(rows), 7.0)])
    found = fit(values, rows.start, rows.outcomes)
    assert np.abs(found.contributions(values)[:, -1]).max() < 1e-9


def test_a_row_is_the_same_to_the_last_digit_alone_and_however_rows_lie_in_memory() -> None:
    values = np.random.default_rng(5).lognormal(size=(50, 40))
    labels = (values[:, 0] > 1).astype(np.float64)
    found = fit(values, np.zeros(50), labels)
    together = found.log_odds(values)
    assert (found.log_odds(np.asfortranarray(values)) == together).all()
    assert [float(found.log_odds(values[[row]])[0]) for row in range(50)] == together.tolist()
