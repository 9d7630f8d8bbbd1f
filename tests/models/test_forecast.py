from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import t

from models import forecast
from models.forecast import Chances, Range, Sizes, Stray

SURE = Stray.certain(0.0)
STRAYS = dict.fromkeys(("lost", "less", "more"), SURE)
NONE = Sizes(less=np.empty(0), more=np.empty(0))


def chances(n: int, *, lost: float, less: float = 0.0, more: float = 0.0, mrr: float = 10.0) -> Chances:
    return Chances(lost=np.full(n, lost), less=np.full(n, less), more=np.full(n, more), mrr=np.full(n, mrr))


def test_chance_alone_gives_the_interval_of_a_binomial() -> None:
    found = forecast.forecast(chances(1_000, lost=0.1), NONE, STRAYS, seed=1)
    assert found["customers_lost"].expected == pytest.approx(100, abs=1)
    half = 1.645 * np.sqrt(1_000 * 0.1 * 0.9)
    assert found["customers_lost"].low == pytest.approx(100 - half, abs=2)
    assert found["customers_lost"].high == pytest.approx(100 + half, abs=2)
    assert found["grr"].expected == pytest.approx(0.9, abs=0.001)
    assert found["nrr"] == found["grr"]


def test_less_and_more_change_revenue_by_their_sizes() -> None:
    """A tenth leaves; of all a fifth pays half, and three tenths pay a third more."""
    sizes = Sizes(less=np.array([0.5]), more=np.array([1 / 3]))
    found = forecast.forecast(chances(4_000, lost=0.1, less=0.2, more=0.3), sizes, STRAYS, seed=1)
    assert found["grr"].expected == pytest.approx(0.9 - 0.2 * 0.5, abs=0.002)
    assert found["nrr"].expected == pytest.approx(0.9 - 0.2 * 0.5 + 0.3 / 3, abs=0.002)


def test_nobody_pays_and_there_is_no_rate() -> None:
    found = forecast.forecast(chances(5, lost=0.5, mrr=0.0), NONE, STRAYS, seed=1)
    assert np.isnan(found["nrr"].expected)
    assert found["customers_lost"].expected == pytest.approx(2.5, abs=0.1)


def test_the_same_seed_gives_the_same_forecast() -> None:
    made = [forecast.forecast(chances(2_000, lost=0.2), NONE, STRAYS, seed=seed) for seed in (3, 3, 4)]
    assert made[0] == made[1] != made[2]


def test_a_level_that_strays_widens_the_interval() -> None:
    narrow, wide = (
        forecast.forecast(chances(2_000, lost=0.1), NONE, STRAYS | {"lost": Stray.certain(scale)}, seed=1)[
            "customers_lost"
        ]
        for scale in (0.0, 0.3)
    )
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_the_shift_is_what_probabilities_missed() -> None:
    odds = np.linspace(-3, 1, 5_000)
    labels = expit(odds + 0.4)  # what happens on average of a level that is higher by 0.4
    found, chance = forecast.shift(labels, expit(odds))
    assert found == pytest.approx(0.4, abs=1e-6)
    expected = expit(odds + 0.4)
    assert chance == pytest.approx(1 / (expected * (1 - expected)).sum(), rel=1e-6)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_none_or_all_is_a_large_shift_and_no_endless_one(label: float) -> None:
    found, _ = forecast.shift(np.full(100, label), np.full(100, 0.3))
    assert np.isfinite(found)
    assert (found > 0) == (label == 1)


def test_what_chance_explains_is_no_stray() -> None:
    random = np.random.default_rng(3)
    by_chance = [(float(random.normal(0, 0.2)), 0.04) for _ in range(200)]
    assert forecast.stray(by_chance).usual < 0.06
    strays = [(float(random.normal(0, np.hypot(0.2, 0.3))), 0.04) for _ in range(200)]
    assert forecast.stray(strays).usual == pytest.approx(0.3, rel=0.15)


def test_what_is_expected_is_the_sum_of_the_probabilities_to_the_last_digit() -> None:
    """Tiles and bands of the report add them up: a mean of draws beside them would round otherwise."""
    lost = np.random.default_rng(4).uniform(0, 0.3, size=17)
    chances = Chances(lost=lost, less=np.zeros(17), more=np.zeros(17), mrr=np.ones(17))
    stray = {name: Stray.certain(0.5) for name in ("lost", "less", "more")}
    sizes = Sizes(less=np.array([0.5]), more=np.array([0.5]))
    found = forecast.forecast(chances, sizes, stray, seed=1)["customers_lost"]
    assert found.expected == float(lost.sum())
    assert found.low <= found.expected <= found.high


def test_before_anything_was_seen_a_stray_of_the_usual_size_is_expected_and_none_is_possible() -> None:
    before = forecast.stray([])
    assert before.weights[before.scales < 0.05].sum() == pytest.approx(2 * (t.cdf(0.05 / 0.15, 3) - 0.5), abs=0.03)
    assert before.weights[before.scales < 0.15].sum() == pytest.approx(2 * (t.cdf(1.0, 3) - 0.5), abs=0.03)


@pytest.mark.parametrize("strays_by", [0.0, 0.2])
def test_nine_of_ten_intervals_hold_what_comes(strays_by: float) -> None:
    """Risks whose level strays from period to period, or does not, forecast from what earlier periods taught."""
    random = np.random.default_rng(8)
    risk = expit(random.normal(-2.5, 1.0, 800))
    past: list[tuple[float, float]] = []
    held = []
    for period in range(110):
        strays = STRAYS | {"lost": forecast.stray(past[-20:])}
        made = forecast.forecast(
            Chances(lost=risk, less=np.zeros(800), more=np.zeros(800), mrr=np.ones(800)), NONE, strays, seed=period
        )["customers_lost"]
        labels = (random.random(800) < expit(logit(risk) + random.normal(0, strays_by))).astype(np.float64)
        held.append(made.holds(float(labels.sum())))
        past.append(forecast.shift(labels, risk))
    assert 0.85 <= np.mean(held[10:]) <= 0.96


def test_a_range_holds_its_ends() -> None:
    assert Range(2.0, 1.0, 3.0).holds(1.0)
    assert not Range(2.0, 1.0, 3.0).holds(3.1)
