"""Plays of a known effect on the simulated company: how often the intervals of `attrition impact` hold the truth.

Everything here is simulated; the truth that it is compared with exists nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, logit

from pipelines.foundation.simulation.company import HORIZON_WEEKS
from pipelines.foundation.simulation.hazards import TREATMENT_FACTOR
from pipelines.foundation.simulation.simulate import simulate
from pipelines.foundation.workspace.holdout import HOLDOUT, TREATMENT
from pipelines.operations.plays.impact import plays

Floats = npt.NDArray[np.float64]

FIRST_MONTHS = 12  # too few have signed up before
WORST = 0.2  # of the customers of a week: those whom plays are for
BLUR = 0.5  # in log-odds: how far a model's risks lie from the true ones, which is more than the product's


@dataclass(frozen=True, kw_only=True)
class Setting:
    """sizes: customers enrolled, by play. share: held out. factor: by which plays change the weekly chance to leave.

    spread: standard deviation of the logarithm of customers' values; None takes what they pay.
    """

    name: str
    sizes: tuple[int, ...]
    share: float
    factor: float = TREATMENT_FACTOR
    spread: float | None = None


SETTINGS = (
    Setting(name="2,000 enrolled, 10% held out", sizes=(2_000,), share=0.1),
    Setting(name="400 enrolled, 10% held out", sizes=(400,), share=0.1),
    Setting(name="80 enrolled, 20% held out", sizes=(80,), share=0.2),
    Setting(name="400 enrolled, values far apart", sizes=(400,), share=0.1, spread=1.5),
    Setting(name="plays of 900, 300 and 100, 10% held out, in sum", sizes=(900, 300, 100), share=0.1),
    Setting(name="2,000 enrolled, no effect", sizes=(2_000,), share=0.1, factor=1.0),
    Setting(name="400 enrolled, no effect", sizes=(400,), share=0.1, factor=1.0),
    Setting(name="80 enrolled, no effect", sizes=(80,), share=0.2, factor=1.0),
)


@dataclass(frozen=True)
class Console:
    """(n,) chance to leave within the horizon, and value, of customers at risk in some week."""

    chance: Floats
    value: Floats


@dataclass(frozen=True)
class Found:
    """(simulations,) each. customers, money: whether the interval held the truth; shown: whether an effect was told."""

    customers: npt.NDArray[np.bool_]
    money: npt.NDArray[np.bool_]
    shown: npt.NDArray[np.bool_]


def people(folder: Path, *, customers: int) -> Console:
    """Those of a simulated company who are most at risk, all weeks after the first year together."""
    simulate(folder, customers=customers, months=30, seed=7)
    truth = pd.read_parquet(folder / "truth" / "hazard.parquet")
    truth = truth[truth["cohort"] == "contract"]
    days = sorted(truth["day"].unique())
    truth = truth[truth["day"] >= days[FIRST_MONTHS * 52 // 12]]
    worst = truth[
        truth["hazard"] >= truth.groupby("day")["hazard"].transform(lambda chances: chances.quantile(1 - WORST))
    ]
    paid = pd.read_parquet(folder / "subscriptions.parquet").groupby("customer_id")["mrr"].first()
    worth = worst["customer_id"].map(paid).astype("float64").to_numpy()
    return Console(worst["hazard"].to_numpy(dtype=np.float64), worth * HORIZON_WEEKS["contract"] * 7 * 12 / 365.25)


def found(everybody: Console, setting: Setting, *, simulations: int, seed: int) -> Found:
    """Draw who is enrolled, their groups and outcomes so often, and ask `attrition impact` each time."""
    held = [_judged(*drawn) for drawn in _drawn(everybody, setting, simulations, seed)]
    return Found(*(np.array(each, dtype=np.bool_) for each in zip(*held, strict=True)))


def _drawn(everybody: Console, setting: Setting, simulations: int, seed: int) -> Iterator[tuple[pd.DataFrame, Floats]]:
    """As `attrition impact` sees them, and what each treated customer's chance to leave became less."""
    random = np.random.default_rng(seed)
    names = np.repeat([f"play {number}" for number in range(len(setting.sizes))], setting.sizes)
    for _ in range(simulations):
        who = random.choice(len(everybody.chance), len(names), replace=False)
        chance, value = everybody.chance[who], everybody.value[who]
        if setting.spread is not None:
            value = random.lognormal(4.0, setting.spread, len(who))
        treated = _groups(names, setting.share, random)
        weeks = HORIZON_WEEKS["contract"]
        weekly = 1 - (1 - chance) ** (1 / weeks)
        with_play = 1 - (1 - weekly * setting.factor) ** weeks
        yield (
            pd.DataFrame(
                {
                    "play": names,
                    "treatment_group": np.where(treated, TREATMENT, HOLDOUT),
                    "churn_probability": expit(
                        logit(np.clip(chance, 1e-6, 1 - 1e-6)) + random.normal(0, BLUR, len(who))
                    ),
                    "value": value,
                    "left": (random.random(len(who)) < np.where(treated, with_play, chance)).astype(np.float64),
                    "matured": True,
                    "actions": np.nan,
                    "cost": np.nan,
                    "without_cost": np.nan,
                }
            ),
            np.where(treated, chance - with_play, 0.0),
        )


def _groups(names: npt.NDArray[np.str_], share: float, random: np.random.Generator) -> npt.NDArray[np.bool_]:
    """(n,) treated or not, each customer by chance; drawn again where a play has one group alone."""
    while True:
        treated = random.random(len(names)) >= share
        if all(0 < treated[names == name].sum() < (names == name).sum() for name in np.unique(names)):
            return treated


def _judged(rows: pd.DataFrame, saved: Floats) -> tuple[bool, bool, bool]:
    document: dict[str, Any] = plays(rows)
    figures = document["overall"]
    truths = {"customers": saved.sum(), "money": saved @ rows["value"].to_numpy()}
    held = [figures[name]["low"] <= truth <= figures[name]["high"] for name, truth in truths.items()]
    return held[0], held[1], figures["verdict"] != "not_shown"
