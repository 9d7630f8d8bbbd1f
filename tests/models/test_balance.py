"""A weighted sum of events at the risks of others, its limits against literature, and log-odds that fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from models.balance import Group, Standard, expected, limit, refined, variance


def alike(events: int, count: int) -> tuple[Group, Standard]:
    """Customers of one risk, and ten like them for whom the sum is told."""
    happened = (np.arange(count) < events).astype(np.float64)
    return Group(happened, np.ones(count), np.zeros(count)), Standard(np.ones(10), np.zeros(10))


def test_among_those_who_are_alike_the_share_is_carried_over() -> None:
    group, standard = alike(3, 20)
    assert expected(group, standard) == pytest.approx(10 * 3 / 20, abs=1e-3)


@pytest.mark.parametrize(
    ("events", "count", "low", "high"),
    # Mid-P limits of a share, which the gamma approximation is to come near (Agresti and Gottard 2007).
    [(0, 20, 0.0, 0.139), (2, 20, 0.018, 0.293), (10, 20, 0.291, 0.709), (18, 20, 0.707, 0.982), (20, 20, 0.861, 1.0)],
)
def test_limits_of_a_share_are_near_the_mid_p_limits(events: int, count: int, low: float, high: float) -> None:
    group, standard = alike(events, count)
    assert limit(group, standard, below=0.975) / 10 == pytest.approx(low, abs=0.02)
    assert limit(group, standard, below=0.025) / 10 == pytest.approx(high, abs=0.02)


def test_one_large_weight_makes_the_limits_wide() -> None:
    events, odds, standard = np.zeros(20), np.zeros(20), Standard(np.ones(10), np.zeros(10))
    events[5] = 1
    large = np.where(np.arange(20) == 0, 200.0, 1.0)
    even = limit(Group(events, np.ones(20), odds), standard, below=0.025)
    assert limit(Group(events, large, odds), standard, below=0.025) > 1.5 * even


def test_risks_are_shifted_until_they_sum_to_what_happened() -> None:
    odds = np.array([-2.0, -1.0, 0.0, 1.0])
    group = Group(np.array([0.0, 1.0, 0.0, 1.0]), np.array([1.0, 2.0, 1.0, 2.0]), odds)
    assert expected(group, Standard(group.weights, odds)) == pytest.approx(4.0, abs=1e-3)
    assert expected(group, Standard(group.weights, odds + 1)) > 4.5


def test_the_variance_is_that_of_a_share() -> None:
    group, standard = alike(5, 20)
    assert variance(group, standard, 0.0) == pytest.approx(10**2 * 0.5 * 0.5 / 20)


@given(events=st.integers(0, 12), tail=st.floats(1e-6, 0.4), seed=st.integers(0, 1_000))
def test_limits_lie_on_either_side_and_a_smaller_tail_is_wider(events: int, tail: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    odds = random.normal(-1, 1, 12)
    group = Group((random.permutation(12) < events).astype(np.float64), random.lognormal(0, 1, 12), odds)
    standard = Standard(np.ones(5), random.normal(-1, 1, 5))
    middle = expected(group, standard)
    low, high = (limit(group, standard, below=below) for below in (1 - tail, tail))
    assert 0 <= low <= high <= 5
    assert limit(group, standard, below=1 - tail / 2) <= low + 1e-3
    assert limit(group, standard, below=tail / 2) >= high - 1e-3
    if tail < 0.05:
        assert low - 1e-3 <= middle <= high + 1e-3


def test_log_odds_are_multiplied_by_what_fits_and_without_events_stay_as_they_are() -> None:
    random = np.random.default_rng(1)
    odds = random.normal(-1, 2.4, 4_000)
    happened = (random.random(4_000) < expit(0.4 * odds)).astype(np.float64)
    assert refined(happened, odds).std() / odds.std() == pytest.approx(0.4, abs=0.05)
    assert refined(np.zeros(10), odds[:10]).std() / odds[:10].std() == pytest.approx(1.0, abs=0.5)
    assert refined(np.ones(10), np.zeros(10)).tolist() == [0.0] * 10
    turned = (random.random(4_000) < expit(-odds)).astype(np.float64)
    assert not refined(turned, odds).any()


def test_what_else_the_events_depend_on_is_found() -> None:
    random = np.random.default_rng(2)
    size = random.normal(4, 2, 4_000)
    happened = (random.random(4_000) < expit(0.5 * (size - 4) - 2)).astype(np.float64)
    found = refined(happened, np.full(4_000, -2.0), size)
    assert np.polyfit(size, found, 1)[0] == pytest.approx(0.5, abs=0.08)
    assert not refined(happened, np.full(4_000, -2.0), np.ones(4_000)).any()
