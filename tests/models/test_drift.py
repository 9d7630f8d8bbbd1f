from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from models import drift
from models.drift import Profile
from tests.models import drift_case

WORLDS, LAG, LEVEL = 200, 6, 0.05


def texts(*values: str) -> np.ndarray:
    return np.array(values, dtype=object)


def profiles(before: np.ndarray, today: np.ndarray) -> tuple[Profile, Profile]:
    points = drift.grid(before)
    return drift.profile(before, {}, points), drift.profile(today, {}, points)


def test_numbers_lie_as_far_apart_as_their_distribution_functions_do() -> None:
    before, today = profiles(np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([[1.0], [2.0], [30.0], [40.0]]))
    assert drift.distances(before, today).tolist() == [0.5, 0.0]


def test_values_below_or_above_all_that_were_seen_count() -> None:
    zeros = np.zeros((10, 1))
    for value in (-1.0, 1.0):
        before, today = profiles(zeros, np.full((10, 1), value))
        assert drift.distances(before, today).tolist() == [1.0, 0.0]


def test_nulls_are_told_apart_from_values() -> None:
    before, today = profiles(np.array([[1.0], [2.0]]), np.array([[np.nan], [1.0]]))
    assert drift.distances(before, today).tolist() == [0.5, 0.5]
    before, today = profiles(np.array([[1.0], [2.0]]), np.full((2, 1), np.nan))
    assert drift.distances(before, today).tolist() == [0.0, 1.0]


def test_a_renamed_category_and_the_nulls_of_one() -> None:
    points = drift.grid(np.empty((4, 0)))
    before = drift.profile(np.empty((4, 0)), {"plan": texts("a", "a", "b", "")}, points)
    today = drift.profile(np.empty((4, 0)), {"plan": texts("A", "A", "b", "b")}, points)
    assert drift.distances(before, today).round(4).tolist() == [round(2 / 3, 4), 0.25]
    assert drift.unseen(today, {"plan": {"a", "b"}}) == {"plan": {"A": 0.5}}
    assert drift.unseen(before, {"plan": {"a", "b"}}) == {"plan": {}}


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=60), st.lists(st.integers(-3, 3), min_size=1, max_size=60))
def test_the_grid_gives_the_exact_distance_where_it_holds_every_value(before: list[int], today: list[int]) -> None:
    one, other = np.array(before, dtype=np.float64)[:, None], np.array(today, dtype=np.float64)[:, None]
    found = drift.distances(*profiles(one, other))[0]
    apart = [abs(float(np.mean(one <= value)) - float(np.mean(other <= value))) for value in range(-3, 4)]
    assert found == pytest.approx(max(apart))


def test_on_many_values_the_grid_falls_short_by_a_hundredth_at_most() -> None:
    random = np.random.default_rng(1)
    before, today = random.normal(size=(5_000, 1)), random.normal(0.3, 1.2, size=(5_000, 1))
    exact = ks_2samp(before[:, 0], today[:, 0]).statistic
    assert exact - 0.01 <= drift.distances(*profiles(before, today))[0] <= exact


def test_stretched_distances_come_back() -> None:
    apart = np.array([0.0, 0.2, 0.9, 0.99])
    assert drift.unstretched(drift.stretched(apart)) == pytest.approx(apart)
    assert drift.stretched(np.array([1.0])) == drift.stretched(np.array([drift.FURTHEST]))


def test_the_stability_index_is_the_textbook_one() -> None:
    before = np.arange(1_000.0)[:, None]
    tenths = np.repeat(np.arange(10), [200, 50, *[100] * 7, 50])
    today = (tenths * 100.0 + 50)[:, None]
    expected = (0.2 - 0.1) * np.log(0.2 / 0.1) + 2 * (0.05 - 0.1) * np.log(0.05 / 0.1)
    assert drift.psi(*profiles(before, today))[0] == pytest.approx(expected, rel=0.05)
    assert drift.psi(*profiles(before, before))[0] == pytest.approx(0.0, abs=1e-9)


def test_the_stability_index_counts_nulls_and_new_texts() -> None:
    points = drift.grid(np.ones((4, 1)))
    before = drift.profile(np.ones((4, 1)), {"plan": texts("a", "a", "b", "b")}, points)
    today = replace(before, missing=np.array([0.5]), shares={"plan": {"a": 0.5, "c": 0.5}})
    gained = (0.5 - drift.SMALLEST) * np.log(0.5 / drift.SMALLEST)
    numbers, plans = drift.psi(before, today)
    assert numbers == pytest.approx(gained + (1 - 0.5) * np.log(2))
    assert plans == pytest.approx(2 * gained)


@pytest.fixture(scope="module")
def worlds() -> list[np.ndarray]:
    return [drift_case.company(seed) for seed in range(WORLDS)]


def share(worlds: list[np.ndarray]) -> float:
    return float(np.mean([drift_case.alarms(world, lag=LAG, level=LEVEL) for world in worlds]))


def changed(worlds: list[np.ndarray], column: int, change: Callable[[np.ndarray], np.ndarray]) -> list[np.ndarray]:
    """Half the worlds, the column of the last cohort changed."""
    found = [world.copy() for world in worlds[: WORLDS // 2]]
    for world in found:
        world[-1, :, column] = change(world[-1, :, column])
    return found


def test_where_nothing_changes_alarms_are_as_rare_as_was_asked(worlds: list[np.ndarray]) -> None:
    assert share(worlds) <= 0.06


@pytest.mark.parametrize(
    ("column", "change", "least"),
    [
        pytest.param(drift_case.SKEWED, lambda values: values * 100, 0.99, id="amounts in cents"),
        pytest.param(drift_case.SPREAD, lambda values: np.full_like(values, np.nan), 0.99, id="a column gone"),
        pytest.param(drift_case.COUNTED, np.zeros_like, 0.75, id="nothing counted any more"),
        pytest.param(drift_case.SPREAD, lambda values: values + 1.5 * values.std(), 0.75, id="all of them higher"),
    ],
)
def test_a_planted_change_is_found(
    worlds: list[np.ndarray], column: int, change: Callable[[np.ndarray], np.ndarray], least: float
) -> None:
    assert share(changed(worlds, column, change)) >= least
