from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.realised import RATIO, Tolerance, clearly_worse, observed_over_expected, promised, realised

TOLERANCE = Tolerance(log_loss=0.01, roc_auc=0.02, calibration=0.2)


def drawn(n: int, *, factor: float = 1.0, seed: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outcomes that happen `factor` times as often as the probabilities say, one row per customer."""
    random = np.random.default_rng(seed)
    probabilities = random.uniform(0.02, 0.4, n)
    labels = (random.random(n) < probabilities * factor).astype(np.float64)
    return labels, probabilities, np.array([f"C{number}" for number in range(n)], dtype=object)


def figures(factor: float) -> dict[str, Any]:
    return realised(*drawn(4_000, factor=factor), samples=60, seed=1)


def test_honest_probabilities_are_within_what_is_tolerable() -> None:
    found = figures(1.0)
    low, high = found["intervals"][RATIO]
    assert low < 1 < high
    assert found["expected"] == pytest.approx(found["positives"] / found[RATIO])
    assert clearly_worse(found, {"log_loss": found["log_loss"], "roc_auc": found["roc_auc"]}, TOLERANCE) == ()


@pytest.mark.parametrize("factor", [0.5, 1.6])
def test_outcomes_half_as_often_or_half_as_often_again_are_told(factor: float) -> None:
    assert RATIO in clearly_worse(figures(factor), {"log_loss": None, "roc_auc": None}, TOLERANCE)


def test_ranking_and_log_loss_are_held_against_the_promise_with_its_margin() -> None:
    intervals = {"log_loss": [0.315, 0.35], "roc_auc": [0.65, 0.675], "calibration_slope": [0.7, 1.3], RATIO: [0.9, 1]}
    found = {"intervals": intervals}
    assert clearly_worse(found, {"log_loss": 0.30, "roc_auc": 0.70}, TOLERANCE) == ("log_loss", "roc_auc")
    assert clearly_worse(found, {"log_loss": 0.31, "roc_auc": 0.69}, TOLERANCE) == ()
    assert clearly_worse(found, {"log_loss": None, "roc_auc": None}, TOLERANCE) == ()


def test_a_slope_whose_whole_interval_is_too_flat_is_told() -> None:
    found = {"intervals": {"calibration_slope": [0.3, 0.7], RATIO: [None, None]}}
    assert clearly_worse(found, {}, TOLERANCE) == ("calibration_slope",)


def test_the_promise_is_the_worst_fold_that_could_tell() -> None:
    folds: list[dict[str, Any]] = [
        {"model": {"log_loss": 0.2, "roc_auc": 0.8}, "untreated": {"log_loss": None, "roc_auc": None}},
        {"model": {"log_loss": 0.3, "roc_auc": 0.7}, "untreated": {"log_loss": 0.1, "roc_auc": 0.9}},
    ]
    assert promised(folds, "model") == {"log_loss": 0.3, "roc_auc": 0.7}
    assert promised(folds, "untreated") == {"log_loss": 0.1, "roc_auc": 0.9}
    assert promised([], "model") == {"log_loss": None, "roc_auc": None}


def test_customers_with_many_rows_make_the_interval_wide() -> None:
    labels, probabilities, customers = drawn(2_000)
    alone = observed_over_expected(labels, probabilities, customers, samples=100, seed=1)
    often = observed_over_expected(
        np.tile(labels[:200], 10), np.tile(probabilities[:200], 10), np.tile(customers[:200], 10), samples=100, seed=1
    )
    assert often[2] - often[1] > 2 * (alone[2] - alone[1])


def test_nobody_is_no_figure_and_no_error() -> None:
    nobody = realised(np.empty(0), np.empty(0), np.empty(0, dtype=object), samples=5, seed=1)
    assert nobody["n"] == 0
    assert np.isnan(nobody[RATIO])
    assert clearly_worse(nobody, {"log_loss": 0.1, "roc_auc": 0.9}, TOLERANCE) == ()
