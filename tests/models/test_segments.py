from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from models import segments

N = 6_000


def world(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.random.Generator]:
    random = np.random.default_rng(seed)
    odds = random.normal(-2, 1, N)
    customers = np.array([f"C-{place // 3}" for place in range(N)], dtype=object)  # each at three snapshots
    country = np.array(["FR", "BE", "ES", ""], dtype=object)[random.choice(4, N, p=[0.5, 0.3, 0.15, 0.05])]
    return odds, expit(odds), customers, country, random


def judged(labels: np.ndarray, risk: np.ndarray, customers: np.ndarray, country: np.ndarray) -> dict:
    found = segments.judged(labels, risk, customers, {"country": country}, samples=200, seed=1)
    return {each.segment: each for each in found}


def test_a_model_that_serves_all_alike_is_blamed_for_nothing() -> None:
    alarms = 0
    for seed in range(20):
        _, risk, customers, country, random = world(seed)
        found = judged((random.random(N) < risk).astype(np.float64), risk, customers, country)
        assert set(found) == {"FR", "BE", "ES"}
        alarms += sum(bool(each.worse) for each in found.values())
    assert alarms <= 3


def test_a_segment_whose_risk_is_told_too_low_is_named() -> None:
    odds, risk, customers, country, random = world(1)
    labels = (random.random(N) < expit(odds + 0.8 * (country == "ES"))).astype(np.float64)
    found = judged(labels, risk, customers, country)
    assert found["ES"].worse == ("calibration",)
    assert found["ES"].calibration == pytest.approx(
        labels[country == "ES"].sum() / risk[country == "ES"].sum(), rel=0.01
    )
    assert found["ES"].calibration_interval[0] > 1
    assert not found["FR"].worse


def test_a_segment_within_which_the_ranking_is_chance_is_named() -> None:
    odds, risk, customers, country, random = world(2)
    there = country == "BE"
    odds[there] = random.permutation(odds[there])
    labels = (random.random(N) < expit(odds)).astype(np.float64)
    assert "lift" in judged(labels, risk, customers, country)["BE"].worse


def test_the_lift_is_what_a_tenth_found_of_what_it_can_hold() -> None:
    risk = np.linspace(1, 0, 1_000)
    labels = np.zeros(1_000)
    labels[:10], labels[500:510] = 1, 1  # twenty in all, half of them in the first tenth
    half = np.array(["a", "b"], dtype=object)[np.arange(1_000) % 2]
    found = segments.judged(labels, risk, np.arange(1_000).astype(object), {"half": half}, samples=20, seed=1)
    assert [each.lift for each in found] == [0.5, 0.5]


def test_segments_too_small_to_judge_are_left_out() -> None:
    _, risk, customers, country, random = world(3)
    labels = (random.random(N) < risk).astype(np.float64)
    country[:] = "FR"
    country[:60] = "BE"
    found = judged(labels, risk, customers, country)
    assert "BE" not in found
