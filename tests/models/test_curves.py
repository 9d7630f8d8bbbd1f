from __future__ import annotations

from collections.abc import Callable
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from models.curves import Curve, Floats, gain, lift, pr, reliability, roc, wilson
from models.evaluation import metrics

# Two customers share the probability 0.8, one of each outcome: nobody can say which comes first.
LABELS = np.array([1.0, 1.0, 0.0, 0.0, 1.0, 0.0])
PROBABILITIES = np.array([0.9, 0.8, 0.8, 0.3, 0.2, 0.1])


@st.composite
def outcomes(draw: st.DrawFn) -> tuple[Floats, Floats]:
    """Labels with both outcomes, and probabilities with many ties."""
    rows = draw(st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=2, max_size=60))
    labels = np.array([float(label) for label, _ in rows])
    labels[:2] = [0.0, 1.0]
    return labels, np.array([level / 20 for _, level in rows])


def test_roc_steps_over_equal_probabilities_at_once() -> None:
    curve = roc(LABELS, PROBABILITIES)
    assert curve.x.tolist() == pytest.approx([0, 0, 1 / 3, 2 / 3, 2 / 3, 1])
    assert curve.y.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 2 / 3, 1, 1])


def test_precision_recall_steps_over_equal_probabilities_at_once() -> None:
    curve = pr(LABELS, PROBABILITIES)
    assert curve.x.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 2 / 3, 1, 1])
    assert curve.y.tolist() == pytest.approx([1, 1, 2 / 3, 1 / 2, 3 / 5, 1 / 2])


def test_gain_counts_the_leavers_among_those_at_most_risk() -> None:
    curve = gain(LABELS, PROBABILITIES)
    assert curve.x.tolist() == pytest.approx([0, 1 / 6, 3 / 6, 4 / 6, 5 / 6, 1])
    assert curve.y.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 2 / 3, 1, 1])
    assert curve.at(2 / 6) == pytest.approx(1 / 2)  # half of the tied pair, so half of what it holds


def test_lift_is_gain_over_share() -> None:
    curve = lift(gain(LABELS, PROBABILITIES), np.array([1 / 6, 1 / 2, 1.0]))
    assert curve.x.tolist() == pytest.approx([1 / 6, 1 / 2, 1])
    assert curve.y.tolist() == pytest.approx([2, 4 / 3, 1])


def test_reliability_puts_equal_numbers_of_rows_beside_what_happened() -> None:
    found = reliability(np.array([0.0, 0.0, 1.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.3, 0.4, 0.6, 0.8, 0.9]), bins=3)
    assert found.rows.tolist() == [2, 2, 2]
    assert found.predicted.tolist() == pytest.approx([0.2, 0.5, 0.85])
    assert found.observed.tolist() == [0.0, 0.5, 1.0]


def test_reliability_keeps_equal_probabilities_in_one_bin() -> None:
    found = reliability(np.array([0.0, 1.0, 1.0, 1.0, 0.0]), np.array([0.5, 0.5, 0.5, 0.5, 0.9]), bins=4)
    assert found.rows.tolist() == [4, 1]
    assert found.observed.tolist() == [0.75, 0.0]


def test_reliability_of_nobody_has_no_bins() -> None:
    assert reliability(np.empty(0), np.empty(0)).rows.tolist() == []


def test_reliability_of_one_customer_is_one_wide_bin() -> None:
    found = reliability(np.array([1.0]), np.array([0.7]))
    assert (found.rows.tolist(), found.predicted.tolist(), found.observed.tolist()) == ([1], [0.7], [1.0])
    assert found.low[0] == pytest.approx(0.2065, abs=1e-4)
    assert found.high[0] == 1.0


@pytest.mark.parametrize(("positives", "rows"), [(0, 1), (0, 50), (7, 50), (25, 50), (50, 50), (2290, 2357)])
def test_wilson_interval_is_that_of_scipy(positives: int, rows: int) -> None:
    low, high = wilson(np.array([float(positives)]), np.array([float(rows)]))
    expected = binomtest(positives, rows).proportion_ci(method="wilson")
    assert (low[0], high[0]) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize("curve", [roc, pr, gain])
@pytest.mark.parametrize(("labels", "said"), [([1.0, 1.0], "2 of 2 rows"), ([0.0], "0 of 1 rows"), ([], "0 of 0 rows")])
def test_one_outcome_alone_is_refused(curve: Callable[[Floats, Floats], Curve], labels: list[float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        curve(np.array(labels), np.full(len(labels), 0.5))


@given(outcomes())
def test_roc_is_that_of_scikit_learn(case: tuple[Floats, Floats]) -> None:
    curve = roc(*case)
    x, y, _ = roc_curve(*case, drop_intermediate=False)
    assert curve.x == pytest.approx(x)
    assert curve.y == pytest.approx(y)
    assert auc(curve.x, curve.y) == pytest.approx(roc_auc_score(*case))


@given(outcomes())
def test_precision_recall_is_that_of_scikit_learn(case: tuple[Floats, Floats]) -> None:
    curve = pr(*case)
    precision, recall, _ = precision_recall_curve(*case)
    assert curve.x == pytest.approx(recall[::-1])
    assert curve.y[1:] == pytest.approx(precision[::-1][1:])
    assert np.sum(np.diff(curve.x) * curve.y[1:]) == pytest.approx(average_precision_score(*case))


@given(outcomes())
def test_gain_at_a_tenth_is_the_recall_that_evaluation_reports(case: tuple[Floats, Floats]) -> None:
    found = metrics(*case)
    assert gain(*case).at(0.1) == pytest.approx(found.top_decile_recall)
    assert lift(gain(*case), np.array([0.1])).y[0] == pytest.approx(found.top_decile_lift)


@given(outcomes(), st.integers(1, 12), st.randoms(use_true_random=False))
def test_reliability_counts_every_row_once_in_any_order(case: tuple[Floats, Floats], bins: int, random: Random) -> None:
    labels, probabilities = case
    found = reliability(labels, probabilities, bins=bins)
    assert len(found.rows) <= bins
    assert found.rows.sum() == len(labels)
    assert found.rows @ found.observed == pytest.approx(labels.sum())
    assert found.rows @ found.predicted == pytest.approx(probabilities.sum())
    assert (np.diff(found.predicted) > 0).all()
    assert ((found.low <= found.observed) & (found.observed <= found.high)).all()
    order = np.array(random.sample(range(len(labels)), len(labels)))
    again = reliability(labels[order], probabilities[order], bins=bins)
    assert again.rows.tolist() == found.rows.tolist()
    assert again.observed.tolist() == found.observed.tolist()


def test_a_thinned_curve_keeps_its_ends_and_stays_near() -> None:
    random = np.random.default_rng(1)
    probabilities = random.random(5_000)
    curve = roc((random.random(5_000) < probabilities).astype(np.float64), probabilities)
    thin = curve.thinned(200)
    assert len(thin.x) <= 200
    assert (thin.x[0], thin.y[0], thin.x[-1], thin.y[-1]) == (0.0, 0.0, 1.0, 1.0)
    assert np.interp(curve.x, thin.x, thin.y) == pytest.approx(curve.y, abs=0.05)  # where it is nearly upright
    assert auc(thin.x, thin.y) == pytest.approx(auc(curve.x, curve.y), abs=0.001)


def test_a_short_curve_is_not_thinned() -> None:
    curve = Curve(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    assert curve.thinned(2) is curve
