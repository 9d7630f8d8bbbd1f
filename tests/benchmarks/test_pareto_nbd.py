from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import gamma

from benchmarks.pareto_nbd import ParetoNbd, fit
from models.buy_till_you_die import BuyingHistory

ROOT = Path(__file__).parent.parent.parent

# Fader, Hardie and Lee (2005), "Counting Your Customers" the Easy Way, table 2: 1/10 of CDNOW to 1997-09-30, in weeks.
PUBLISHED, PUBLISHED_LOG_LIKELIHOOD = ParetoNbd(r=0.553, alpha=10.578, s=0.606, beta=11.669), -9595.0
FEW = BuyingHistory(
    np.array([0.0, 0.0, 1.0, 3.0, 12.0, 60.0]),
    np.array([0.0, 0.0, 5.0, 30.0, 10.0, 38.0]),
    np.array([1.0, 39.0, 30.0, 31.0, 39.0, 38.0]),
)


@cache
def tenth() -> BuyingHistory:
    text = (ROOT / "tests/models/cdnow_tenth.txt").read_text().splitlines()
    customers = [int(number) for line in text if not line.startswith("#") for number in line.split()]
    orders = pd.read_csv(ROOT / "examples/cdnow/orders.csv", parse_dates=["date"])
    days = orders.loc[orders["date"] <= "1997-09-30", ["customer_id", "date"]].drop_duplicates()
    span = days.groupby("customer_id")["date"].agg(["min", "max", "count"]).loc[customers]
    return BuyingHistory.from_days(
        (span["count"] - 1).to_numpy(dtype=np.float64),
        (span["max"] - span["min"]).dt.days.to_numpy().astype(np.float64),
        (pd.Timestamp("1997-09-30") - span["min"]).dt.days.to_numpy().astype(np.float64),
    )


def summed(model: ParetoNbd, history: BuyingHistory, weeks: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Likelihood, probability of being there and of no order: over a grid of 1,500 by 1,500 equally likely rates."""
    steps = (np.arange(1500) + 0.5) / 1500
    found = []
    for x, recency, age in zip(history.frequency, history.recency, history.age, strict=True):
        # Buying rates are drawn from what the orders alone make of them, so that the grid lies where they are.
        buying = gamma.ppf(steps, model.r + x, scale=1 / (model.alpha + recency))[:, None]
        leaving = gamma.ppf(steps, model.s, scale=1 / model.beta)[None, :]
        both = buying + leaving
        here = np.exp(-both * (age - recency) - leaving * recency)
        left = leaving / both * (np.exp(-leaving * recency) - here)
        share = np.exp(
            np.sum(np.log(model.r + np.arange(x)))
            + model.r * np.log(model.alpha)
            - (model.r + x) * np.log(model.alpha + recency)
        )
        silent = leaving / both + buying / both * np.exp(-both * weeks)
        whole = (here + left).mean()
        found.append((share * whole, here.mean() / whole, ((here * silent) + left).mean() / whole))
    return tuple(np.array(found).T)


def test_likelihood_and_probabilities_are_the_mean_over_all_rates() -> None:
    likelihood, alive, silent = summed(PUBLISHED, FEW, weeks=13.0)
    assert np.exp(PUBLISHED.log_likelihood(FEW)) == pytest.approx(likelihood, rel=2e-3)
    assert PUBLISHED.alive(FEW) == pytest.approx(alive, abs=1e-3)
    assert PUBLISHED.no_order(FEW, horizon_days=91) == pytest.approx(silent, abs=1e-3)


def test_likelihood_of_the_published_parameters_is_the_published_one() -> None:
    assert PUBLISHED.log_likelihood(tenth()).sum() == pytest.approx(PUBLISHED_LOG_LIKELIHOOD, abs=1.0)


def test_fit_finds_the_published_parameters() -> None:
    found = fit(tenth())
    assert found.log_likelihood(tenth()).sum() >= PUBLISHED.log_likelihood(tenth()).sum() - 1e-3
    ours, theirs = ((each.r, each.alpha, each.s, each.beta) for each in (found, PUBLISHED))
    assert ours == pytest.approx(theirs, rel=0.03)


def test_no_order_follows_from_being_there_the_longer_the_horizon() -> None:
    ever = PUBLISHED.no_order(FEW, horizon_days=70_000)
    assert (np.diff([PUBLISHED.no_order(FEW, horizon_days=days) for days in (1, 10, 100)], axis=0) < 0).all()
    assert (ever >= 1 - PUBLISHED.alive(FEW) - 1e-6).all()


def test_whoever_ordered_at_the_snapshot_is_there() -> None:
    assert PUBLISHED.alive(BuyingHistory(np.array([2.0]), np.array([9.0]), np.array([9.0]))) == pytest.approx([1.0])
