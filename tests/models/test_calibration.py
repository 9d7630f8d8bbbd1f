from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit, logit

from models.calibration import Calibrator, Floats, fit

RANDOM = np.random.default_rng(2)
ODDS = RANDOM.normal(scale=1.5, size=4_000)
LABELS = (RANDOM.uniform(size=4_000) < expit(-0.4 + 0.6 * ODDS)).astype(np.float64)


def test_intercept_and_slope_are_found_again() -> None:
    found = fit(ODDS, LABELS)
    assert found.intercept == pytest.approx(-0.4, abs=0.1)
    assert found.slope == pytest.approx(0.6, abs=0.08)


def test_no_other_two_numbers_have_a_smaller_log_loss() -> None:
    def loss(parameters: Floats) -> float:
        odds = parameters[0] + parameters[1] * ODDS
        return float(np.mean(np.logaddexp(0, odds) - LABELS * odds))

    found, best = fit(ODDS, LABELS), minimize(loss, [0.0, 1.0], method="Nelder-Mead", options={"xatol": 1e-7})
    assert (found.intercept, found.slope) == pytest.approx(tuple(best.x), abs=1e-4)


def test_the_mean_probability_is_the_share_that_left() -> None:
    assert fit(ODDS, LABELS).probability(ODDS).mean() == pytest.approx(LABELS.mean(), abs=1e-6)


def test_zero_and_one_change_nothing() -> None:
    odds = np.array([-2.0, 0.0, 3.0])
    assert Calibrator(0.0, 1.0).probability(odds) == pytest.approx(expit(odds))


def test_a_probability_by_hand() -> None:
    assert Calibrator(np.log(2), 0.5).probability(np.array([2 * np.log(3)])) == pytest.approx([6 / 7])


def test_log_odds_that_rank_worse_than_chance_are_given_no_weight() -> None:
    found = fit(-ODDS, LABELS)
    assert found.slope == 0.0
    assert found.probability(ODDS) == pytest.approx(np.full(len(ODDS), LABELS.mean()))


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.integers(-8, 8), st.booleans()), min_size=8, max_size=60),
    st.lists(st.floats(-30, 30), min_size=2, max_size=20),
)
def test_calibration_never_turns_a_ranking_around(rows: list[tuple[int, bool]], odds: list[float]) -> None:
    # Both outcomes at both ends, so that no two numbers separate them.
    rows = [*rows, (-9, False), (-9, True), (9, False), (9, True)]
    found = fit(np.array([float(value) for value, _ in rows]), np.array([float(label) for _, label in rows]))
    ranked = found.probability(np.sort(np.array(odds)))
    assert (np.diff(ranked) >= 0).all()
    assert ((ranked >= 0) & (ranked <= 1)).all()
    assert logit(found.probability(np.zeros(1)))[0] == pytest.approx(found.intercept)
