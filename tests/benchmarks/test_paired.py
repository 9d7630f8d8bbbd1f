from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from benchmarks.paired import SIZE, _Ranked, compared
from models.evaluation import metrics


def predictions(*, customers: int = 400, days: int = 3) -> pd.DataFrame:
    """The same customers every day; `same` tells what ours does, `worse` tells it with noise of its own."""
    random = np.random.default_rng(5)
    risk = random.normal(-1, 1, (days, customers))
    return pd.DataFrame(
        {
            "customer_id": np.tile([f"C-{number}" for number in range(customers)], days),
            "snapshot_on": np.repeat([f"2026-0{day + 1}-01" for day in range(days)], customers),
            "label": (random.uniform(size=risk.shape) < 1 / (1 + np.exp(-risk))).ravel().astype(int),
            "worse": (1 / (1 + np.exp(-risk - random.normal(0, 1.5, risk.shape)))).ravel(),
            "ours": (1 / (1 + np.exp(-risk))).ravel(),
            "same": (1 / (1 + np.exp(-risk))).ravel(),
        }
    )


def test_figures_are_means_of_the_days_and_ours_comes_first() -> None:
    rows = predictions()
    found = compared(rows, samples=20)
    of_day = [day for _, day in rows.groupby("snapshot_on")]
    assert next(iter(found["methods"])) == "ours"
    assert [day["snapshot_on"] for day in found["days"]] == ["2026-01-01", "2026-02-01", "2026-03-01"]
    assert [day["positives"] for day in found["days"]] == [day["label"].sum() for day in of_day]
    worse = found["methods"]["worse"]["figures"]
    assert worse["roc_auc"] == pytest.approx(np.mean([roc_auc_score(day["label"], day["worse"]) for day in of_day]))
    assert worse["log_loss"] == pytest.approx(np.mean([log_loss(day["label"], day["worse"]) for day in of_day]))
    intercepts = [
        metrics(day["label"].to_numpy(float), day["worse"].to_numpy()).calibration_intercept for day in of_day
    ]
    assert worse[SIZE] == pytest.approx(np.mean(np.abs(intercepts)))


def test_a_method_that_tells_the_same_is_nowhere_apart_and_a_noisier_one_is_worse_beyond_chance() -> None:
    found = compared(predictions(), samples=100)
    for judged in (found["methods"]["same"], *(day["methods"]["same"] for day in found["days"])):
        assert judged["less_ours"] == {"roc_auc": (0.0, 0.0, 0.0), "log_loss": (0.0, 0.0, 0.0)}
    auc, loss = (found["methods"]["worse"]["less_ours"][name] for name in ("roc_auc", "log_loss"))
    assert auc[1] < auc[0] < auc[2] < 0 < loss[1] < loss[0] < loss[2]


def test_days_of_the_same_customers_do_not_count_as_if_they_had_others() -> None:
    """A day told three times over says no more than once: the interval of the mean is as wide as that of the day."""
    day = predictions(days=1)
    thrice = pd.concat([day.assign(snapshot_on=f"2026-0{number}-01") for number in (1, 2, 3)], ignore_index=True)
    once, again = (compared(rows, samples=100)["methods"]["worse"]["less_ours"]["roc_auc"] for rows in (day, thrice))
    assert again == pytest.approx(once)


def test_ties_and_weights_count_as_in_scikit_learn() -> None:
    random = np.random.default_rng(1)
    labels, told = random.integers(0, 2, 200).astype(float), random.integers(1, 6, 200) / 7
    weights = random.integers(0, 3, 200).astype(float)
    auc, loss = _Ranked(labels, told).figures(weights)
    assert auc == pytest.approx(roc_auc_score(labels, told, sample_weight=weights))
    assert loss == pytest.approx(log_loss(labels, told, sample_weight=weights))
