from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from models.logistic import Floats, Regression

# Six rows: two of three stay on the left, two of three leave on the right.
LEFT_AND_RIGHT = np.array([[1.0, -1.0]] * 3 + [[1.0, 1.0]] * 3)
LABELS = np.array([0.0, 0.0, 1.0, 0.0, 1.0, 1.0])
NOWHERE = np.zeros(2)


def drawn(rows: int, columns: int, seed: int = 3) -> tuple[Floats, Floats, Floats]:
    """Design with an intercept, labels, and an offset that is right but for its level."""
    random = np.random.default_rng(seed)
    values, offset = random.normal(size=(rows, columns)), random.normal(size=rows)
    labels = random.uniform(size=rows) < expit(offset - 0.5 + values @ np.linspace(-1, 1, columns))
    return np.column_stack([np.ones(rows), values]), labels.astype(np.float64), offset


def test_two_thirds_against_one_third_is_a_log_odds_of_log_two() -> None:
    found = Regression(design=LEFT_AND_RIGHT, labels=LABELS, start=NOWHERE).fit(steps=25, tolerance=1e-10)
    assert found == pytest.approx([0.0, np.log(2)])


def test_without_a_ridge_it_is_that_of_scikit_learn() -> None:
    design, labels, _ = drawn(2_000, 3)
    found = Regression(design=design, labels=labels, start=np.zeros(4)).fit(steps=25, tolerance=1e-10)
    expected = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(design[:, 1:], labels)
    assert found == pytest.approx([*expected.intercept_, *expected.coef_[0]], abs=1e-4)


def test_a_row_that_counts_twice_is_two_rows() -> None:
    design, labels, _ = drawn(200, 2)
    times = np.arange(200) % 3
    weighted = Regression(design=design, labels=labels, start=np.zeros(3), weights=times.astype(np.float64))
    repeated = Regression(design=design.repeat(times, axis=0), labels=labels.repeat(times), start=np.zeros(3))
    # Two steps: many would make up for a wrong curvature.
    assert weighted.fit(steps=2, tolerance=1e-10) == pytest.approx(repeated.fit(steps=2, tolerance=1e-10))


def test_what_is_missing_at_the_end_is_what_the_ridge_holds_back_from_the_start() -> None:
    design, labels, offset = drawn(500, 2)
    start, ridge = np.array([0.0, 1.0, -2.0]), np.array([0.0, 30.0, 90.0])
    regression = Regression(design=design, labels=labels, start=start, ridge=ridge, offset=offset)
    found = regression.fit(steps=25, tolerance=1e-10)
    missing = labels - expit(offset + design @ found)
    assert design.T @ missing == pytest.approx(ridge * (found - start), abs=1e-6)
    assert np.abs(found - start)[2] > 0.1


def test_the_digits_are_those_of_the_plain_loop_so_that_a_model_keeps_its_version() -> None:
    """With a matrix for a penalty, without weights: as the linear start was written when models were first hashed."""
    design, labels, offset = drawn(800, 60)
    penalty = 90.0 * np.eye(61)
    penalty[0, 0] = 0.0
    plain = np.zeros(61)
    for _ in range(25):
        expected = expit(offset + design @ plain)
        curvature = (design * (expected * (1 - expected))[:, None]).T @ design + penalty
        step = np.linalg.solve(curvature, design.T @ (labels - expected) - penalty @ plain)
        plain = plain + step
        if np.abs(step).max() < 1e-10:
            break
    ridge = np.array([0.0] + [90.0] * 60)
    regression = Regression(design=design, labels=labels, start=np.zeros(61), ridge=ridge, offset=offset)
    assert regression.fit(steps=25, tolerance=1e-10).tolist() == plain.tolist()


def test_a_step_that_leads_farther_away_is_halved() -> None:
    """Started at 6, a whole step lands beyond -100, and from there nowhere."""
    start = np.array([0.0, 6.0])
    regression = Regression(design=LEFT_AND_RIGHT, labels=LABELS, start=start)
    assert regression.fit(steps=50, tolerance=1e-8, halving=True) == pytest.approx([0.0, np.log(2)])
    assert np.abs(regression.fit(steps=1, tolerance=1e-8)).max() > 100


def test_a_column_that_says_what_another_says_leaves_nothing_to_find() -> None:
    twice = Regression(design=np.ones((6, 2)), labels=LABELS, start=NOWHERE)
    assert np.isnan(twice.fit(steps=25, tolerance=1e-9, singular=1e12)).all()
