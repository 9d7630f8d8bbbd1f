"""What is asked of the same customers beside the model: its members alone, and what anybody else would try."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from benchmarks import pareto_nbd
from models import baselines, encoder
from models.buy_till_you_die import BuyingHistory
from models.level import shift_to
from models.matrix import SUMMARY, Matrix
from models.training import Fitted

Floats = npt.NDArray[np.float64]

OURS = "ours"
MEMBERS = ("trees_alone", "linear_alone")
SEED = 0
# As somebody would set it who has an hour: LightGBM's own defaults, but for small steps and as many as they take.
HAND_MADE = {
    "objective": "binary",
    "learning_rate": 0.03,
    "verbosity": -1,
    "deterministic": True,
    "force_col_wise": True,
}
HAND_MADE_ROUNDS = 150


def of_day(fitted: Fitted, train: Matrix, test: Matrix, *, threads: int) -> dict[str, Floats]:
    """Name to (n,) probabilities at the rows of one test day, everybody at risk then. Ours, its members, the others."""
    found = {OURS: fitted.day_probability(test), **members(fitted, test), **baselines.baselines(train, test)}
    if "bg_nbd" in found and set(SUMMARY) <= set(test.columns):
        found["pareto_nbd"] = buying_until_gone(test)
    return {**found, "lightgbm_by_hand": by_hand(train, test, threads=threads)}


def members(fitted: Fitted, test: Matrix) -> dict[str, Floats]:
    """(n,) probabilities of each member of a model, as if it were the model.

    Its log-odds are spread as its own calibration has them: what they count for in the model is that slope, shared
    among members that count alike, as they do on these sets. Then they are moved to the level that the model forecasts
    of the day, so that what differs is who is told likelier than whom, and by how much, not how many.
    """
    level = float(logit(fitted.day_probability(test).mean()))
    found = {}
    for name, odds, share in zip(MEMBERS, fitted.members(test), fitted.shares, strict=True):
        alone = share * len(MEMBERS) * odds
        found[name] = np.asarray(expit(alone + shift_to(alone, level)), dtype=np.float64)
    return found


def buying_until_gone(test: Matrix) -> Floats:
    """(n,) probabilities of no order by a Pareto/NBD model of this day, which knows no outcomes."""
    frequency, recency, age = (test.values[:, test.columns.index(name)] for name in SUMMARY)
    history = BuyingHistory.from_days(frequency, recency, age)
    return pareto_nbd.fit(history).no_order(history, horizon_days=test.question.horizon_days)


def by_hand(train: Matrix, test: Matrix, *, threads: int) -> Floats:
    """(n,) probabilities of plain trees, as they come: no start, no correction, no calibration."""
    coding = encoder.fit(train)
    train, test = coding.encode(train), coding.encode(test)
    data = lgb.Dataset(train.values, train.outcomes, weight=train.weights)
    asked = {**HAND_MADE, "seed": SEED, "num_threads": threads}
    booster = lgb.train(asked, data, num_boost_round=HAND_MADE_ROUNDS)
    return np.asarray(booster.predict(test.values), dtype=np.float64)
