from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from benchmarks.outcomes import TOLD, calibration, handed_over
from features.outcomes import Kind


def predictions(*, slope: float, seed: int, customers: int = 3_000) -> pd.DataFrame:
    """Probabilities whose log-odds would have to be multiplied by `slope` to come true."""
    random = np.random.default_rng(seed)
    told = random.normal(-1, 1, customers)
    came = random.uniform(size=customers) < expit(slope * told)
    return pd.DataFrame(
        {"customer_id": range(customers), "snapshot_on": "2026-01-01", "label": came.astype(int), TOLD: expit(told)}
    )


def test_slope_of_companies_together_lies_between_those_of_each() -> None:
    found = calibration([predictions(slope=0.7, seed=1), predictions(slope=1.1, seed=2)])
    first, second = found.of_each
    assert first == pytest.approx(0.7, abs=0.12)
    assert second == pytest.approx(1.1, abs=0.12)
    assert first < found.metrics.calibration_slope < second
    assert found.slope[0] < found.metrics.calibration_slope < found.slope[1]


def test_customers_of_two_companies_are_not_one_for_having_one_id() -> None:
    """One company twice is two companies' worth of customers: its interval is narrower by the root of two."""
    once = calibration([predictions(slope=1, seed=3)]).slope
    twice = calibration([predictions(slope=1, seed=3)] * 2).slope
    assert (twice[1] - twice[0]) / (once[1] - once[0]) == pytest.approx(2**-0.5, abs=0.15)


def test_ways_of_leaving_are_judged_as_they_are_handed_over() -> None:
    def told(*probabilities: float, customers: str = "ab") -> pd.DataFrame:
        return pd.DataFrame(
            {"customer_id": list(customers), "snapshot_on": "2026-01-01", "label": [0, 1], TOLD: probabilities}
        )

    each: dict[Kind, pd.DataFrame] = {
        "churn": told(0.2, 0.5),
        "voluntary": told(0.3, 0.3, customers="ba"),
        "involuntary": told(0.1, 0.3),
        "contraction": told(0.6, 0.7),
    }
    found = handed_over(each)
    by_choice = found["voluntary"].sort_values("customer_id")
    assert by_choice["label"].tolist() == [1, 0]
    assert by_choice[TOLD].tolist() == pytest.approx([0.15, 0.25])
    assert found["involuntary"][TOLD].tolist() == pytest.approx([0.05, 0.25])
    assert found["contraction"][TOLD].tolist() == [0.6, 0.7]


def test_without_both_ways_nothing_is_split() -> None:
    only: dict[Kind, pd.DataFrame] = {"voluntary": predictions(slope=1, seed=4, customers=50)}
    assert handed_over(only)["voluntary"] is only["voluntary"]
