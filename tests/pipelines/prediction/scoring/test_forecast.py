"""What a past forecast is made of, where prices or outcomes of some customers are not known."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.prediction.scoring import forecast


def test_revenue_that_is_not_known_at_both_ends_is_in_no_ratio() -> None:
    rows = pd.DataFrame({"mrr_before": [30.0, None, 20.0, 10.0], "mrr_after": [40.0, 5.0, None, 0.0]})
    before, after = forecast._paid(rows)
    assert before.tolist() == [30, 0, 0, 10]
    assert after.tolist() == [40, 0, 0, 0]


def test_predictions_of_every_outcome_are_of_the_same_customers() -> None:
    customers = pd.Series(["a", "b", "c"])
    predicted = pd.DataFrame({"customer_id": ["c", "a"], "churn_probability": [0.3, 0.1]})
    assert np.array_equal(forecast._risks(predicted, customers), [0.1, 0.0, 0.3])
