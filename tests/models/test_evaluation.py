from __future__ import annotations

import warnings
from dataclasses import fields
from math import isnan, log
from random import Random

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score
from threadpoolctl import threadpool_limits

from models.evaluation import Floats, Metrics, intervals, metrics

# Ten rows: the tenth at most risk is one row.
LABELS = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0])
PROBABILITIES = np.array([0.95, 0.9, 0.8, 0.7, 0.6, 0.4, 0.3, 0.25, 0.2, 0.1])
OF_TWO_CLASSES = [field.name for field in fields(Metrics) if field.name not in ("n", "positives")]


def drawn(count: int, seed: int = 0) -> tuple[Floats, Floats]:
    random = np.random.default_rng(seed)
    odds = random.normal(0.8, 1.4, count)
    return (random.uniform(size=count) < expit(-0.3 + 0.8 * odds)).astype(np.float64), expit(odds)


def names(count: int) -> npt.NDArray[np.object_]:
    return np.array([f"C-{number}" for number in range(count)], dtype=object)


@st.composite
def outcomes(draw: st.DrawFn) -> tuple[Floats, Floats]:
    """Both outcomes, probabilities with many ties."""
    rows = draw(st.lists(st.tuples(st.booleans(), st.integers(1, 19)), min_size=2, max_size=60))
    labels = np.array([float(label) for label, _ in rows])
    labels[:2] = [0.0, 1.0]
    return labels, np.array([level / 20 for _, level in rows])


def test_every_metric_by_hand() -> None:
    found = metrics(LABELS, PROBABILITIES)
    assert (found.n, found.positives) == (10, 4)
    # Of 24 pairs of a leaver and a stayer 18 are ranked right: for each leaver, the stayers below.
    assert found.roc_auc == pytest.approx((6 + 5 + 5 + 2) / 24)
    assert found.pr_auc == pytest.approx((1 / 1 + 2 / 3 + 3 / 4 + 4 / 8) / 4)
    said = [p if label else 1 - p for label, p in zip(LABELS, PROBABILITIES, strict=True)]
    assert found.log_loss == pytest.approx(-sum(log(p) for p in said) / 10)
    assert found.brier == pytest.approx(sum((1 - p) ** 2 for p in said) / 10)
    assert found.top_decile_lift == pytest.approx(1.0 / 0.4)
    assert found.top_decile_recall == pytest.approx(1 / 4)


@given(outcomes())
def test_metrics_are_those_of_scikit_learn(case: tuple[Floats, Floats]) -> None:
    labels, probabilities = case
    found = metrics(labels, probabilities)
    assert (found.n, found.positives) == (len(labels), labels.sum())
    assert found.roc_auc == pytest.approx(roc_auc_score(labels, probabilities))
    assert found.pr_auc == pytest.approx(average_precision_score(labels, probabilities))
    assert found.log_loss == pytest.approx(log_loss(labels, probabilities))
    assert found.brier == pytest.approx(brier_score_loss(labels, probabilities))


@given(outcomes())
def test_calibration_leaves_nothing_that_slope_and_intercept_could_mend(case: tuple[Floats, Floats]) -> None:
    """At the maximum of the likelihood both derivatives are zero."""
    labels, probabilities = case
    found = metrics(labels, probabilities)
    assume(not isnan(found.calibration_slope))
    odds = logit(probabilities)
    missing = labels - expit(found.calibration_intercept + found.calibration_slope * odds)
    assert [missing.sum(), missing @ odds] == pytest.approx([0, 0], abs=1e-4)


def test_calibration_is_an_unpenalised_logistic_regression_on_the_log_odds() -> None:
    labels, probabilities = drawn(3_000)
    fitted = LogisticRegression(C=np.inf, tol=1e-10).fit(logit(probabilities)[:, None], labels)
    found = metrics(labels, probabilities)
    assert found.calibration_slope == pytest.approx(fitted.coef_[0, 0], abs=1e-5)
    assert found.calibration_intercept == pytest.approx(fitted.intercept_[0], abs=1e-5)
    assert found.calibration_slope == pytest.approx(0.8, abs=0.1)


def test_true_probabilities_have_slope_one_and_intercept_zero() -> None:
    probabilities = np.tile([0.2, 0.5, 0.8], 20)
    labels = np.concatenate(
        [np.tile([1, 1, 1], 4), np.tile([0, 1, 1], 6), np.tile([0, 0, 1], 6), np.tile([0, 0, 0], 4)]
    )
    found = metrics(labels.astype(np.float64), probabilities)
    assert (found.calibration_slope, found.calibration_intercept) == pytest.approx((1, 0), abs=1e-9)


def test_a_tie_across_the_edge_of_the_top_tenth_counts_by_its_share() -> None:
    """Twenty rows, so the top tenth is two; four rows share the highest probability, one of them left."""
    probabilities = np.array([0.9] * 4 + [0.1] * 16)
    labels = np.array([1.0, 0, 0, 0] + [1.0] * 3 + [0.0] * 13)
    found = metrics(labels, probabilities)
    assert found.top_decile_recall == pytest.approx((2 / 4) / 4)
    assert found.top_decile_lift == pytest.approx(((2 / 4) / 2) / (4 / 20))


@given(outcomes(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(case: tuple[Floats, Floats], random: Random) -> None:
    labels, probabilities = case
    order = np.array(random.sample(range(len(labels)), len(labels)))
    turned, straight = metrics(labels[order], probabilities[order]).as_dict(), metrics(labels, probabilities).as_dict()
    assert turned == pytest.approx(straight, nan_ok=True, rel=1e-4, abs=1e-6)


def test_certainty_that_is_wrong_costs_much_but_not_everything() -> None:
    found = metrics(np.array([1.0, 0.0, 1.0, 0.0]), np.array([0.0, 1.0, 1.0, 0.0]))
    assert found.log_loss == pytest.approx(-log(1e-9) / 2, rel=0.01)
    assert found.brier == 0.5


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_one_class_has_no_figures_and_does_no_harm(label: float) -> None:
    found = metrics(np.full(5, label), np.array([0.1, 0.2, 0.3, 0.4, 0.5]))
    assert (found.n, found.positives) == (5, 5 * label)
    assert all(isnan(getattr(found, name)) for name in OF_TWO_CLASSES)


def test_one_class_has_no_intervals_and_does_no_harm() -> None:
    found = intervals(np.ones(5), np.linspace(0.1, 0.5, 5), names(5), samples=20, seed=1)
    assert sorted(found) == sorted(OF_TWO_CLASSES)
    assert all(isnan(low) and isnan(high) for low, high in found.values())


def test_nobody_has_no_figures_and_does_no_harm() -> None:
    found = metrics(np.empty(0), np.empty(0))
    assert (found.n, found.positives) == (0, 0)
    assert all(isnan(getattr(found, name)) for name in OF_TWO_CLASSES)


def test_one_probability_for_everybody_has_no_calibration_slope() -> None:
    found = metrics(np.array([1.0, 0.0, 0.0, 1.0]), np.full(4, 0.5))
    assert found.roc_auc == pytest.approx(0.5)
    assert found.pr_auc == pytest.approx(0.5)
    assert isnan(found.calibration_slope)
    assert (found.top_decile_lift, found.top_decile_recall) == pytest.approx((1.0, 0.1))


def test_outcomes_that_are_ranked_perfectly_do_no_harm() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = metrics(np.array([1.0, 1.0, 0.0, 0.0]), np.array([0.9, 0.8, 0.2, 0.1]))
    assert (found.roc_auc, found.pr_auc) == (1.0, 1.0)


# Intervals


def test_intervals_of_independent_rows_are_as_wide_as_theory_says() -> None:
    labels, probabilities = drawn(1_500)
    found = intervals(labels, probabilities, names(1_500), samples=300, seed=1)
    point = metrics(labels, probabilities)
    losses = -np.where(labels > 0, np.log(probabilities), np.log1p(-probabilities))
    for name, values in (("log_loss", losses), ("brier", (labels - probabilities) ** 2)):
        low, high = found[name]
        assert low < getattr(point, name) < high
        assert (high - low) / 2 == pytest.approx(1.96 * values.std() / np.sqrt(1_500), rel=0.2)


def test_whole_customers_are_drawn() -> None:
    """Each row three times under one customer tells no more than once."""
    labels, probabilities = drawn(300)
    once = intervals(labels, probabilities, names(300), samples=150, seed=1)
    thrice = intervals(np.tile(labels, 3), np.tile(probabilities, 3), np.tile(names(300), 3), samples=150, seed=1)
    apart = intervals(np.tile(labels, 3), np.tile(probabilities, 3), names(900), samples=150, seed=1)
    for name in ("roc_auc", "pr_auc", "log_loss", "brier", "top_decile_lift"):
        width = {key: found[name][1] - found[name][0] for key, found in (("1", once), ("3", thrice), ("apart", apart))}
        assert thrice[name] == pytest.approx(once[name], abs=0.1 * width["1"])
        assert width["apart"] == pytest.approx(width["1"] / np.sqrt(3), rel=0.3)


def test_the_same_seed_draws_the_same_customers_wherever_their_rows_stand() -> None:
    labels, probabilities = drawn(200)
    customers, order = names(100)[np.arange(200) % 100], np.random.default_rng(2).permutation(200)
    straight = intervals(labels, probabilities, customers, samples=40, seed=1)
    turned = intervals(labels[order], probabilities[order], customers[order], samples=40, seed=1)
    other = intervals(labels, probabilities, customers, samples=40, seed=2)
    for name, interval in straight.items():
        assert turned[name] == pytest.approx(interval, abs=1e-6)
    assert other["log_loss"] != straight["log_loss"]


def test_draws_with_one_class_are_left_out() -> None:
    labels = np.array([1.0] + [0.0] * 9)  # a third of the draws miss the only leaver
    found = intervals(labels, np.linspace(0.9, 0.1, 10), names(10), samples=60, seed=1)
    assert found["roc_auc"] == (1.0, 1.0)
    assert all(np.isfinite(found["log_loss"]))


def test_counts_have_no_interval() -> None:
    labels, probabilities = drawn(50)
    assert sorted(intervals(labels, probabilities, names(50), samples=5, seed=1)) == sorted(OF_TWO_CLASSES)


def test_however_many_threads_there_are_the_figures_are_the_same() -> None:
    random = np.random.default_rng(3)
    risks = random.random(200_001)
    labels = (random.random(len(risks)) < risks).astype(np.float64)
    found = set()
    for threads in (1, 2, 4):
        with threadpool_limits(limits=threads):
            found.add(metrics(labels, risks))
    assert len(found) == 1
