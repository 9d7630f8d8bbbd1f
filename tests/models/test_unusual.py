from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student

from models.unusual import LEAST, independent, swing, together, unusual


def test_of_values_that_do_not_overlap_the_threshold_is_that_of_one_more_of_them() -> None:
    earlier = np.exp(np.array([0.0, 1.0, 2.0, 3.0, 4.0]))
    found = unusual(100.0, earlier, overlap=1, level=0.05)
    spread = np.array([0.0, 1.0, 2.0, 3.0, 4.0]).std(ddof=1) * np.sqrt(1 + 1 / 5)
    assert found.threshold == pytest.approx(np.exp(2 + student.isf(0.05, 4) * spread))
    assert found.p_value == pytest.approx(student.sf((np.log(100) - 2) / spread, 4))
    assert not found.found


def test_the_threshold_is_where_the_p_value_is_the_level() -> None:
    earlier = np.array([1.0, 1.5, 0.8, 2.0, 1.2, 0.9, 1.1])
    threshold = unusual(1.0, earlier, overlap=2, level=0.01).threshold
    assert threshold is not None
    assert unusual(threshold, earlier, overlap=2, level=0.01).p_value == pytest.approx(0.01)
    assert unusual(threshold * 1.01, earlier, overlap=2, level=0.01).found


def test_values_that_overlap_count_as_fewer_and_widen_the_limit() -> None:
    earlier = np.array([1.0, 1.5, 0.8, 2.0, 1.2, 0.9, 1.1])
    limits = [unusual(1.0, earlier, overlap=overlap, level=0.05).threshold for overlap in (1, 2, 3)]
    known = [limit for limit in limits if limit is not None]
    assert known == sorted(known)
    assert len(known) == len(limits)


@pytest.mark.parametrize("values", range(6))
def test_too_short_a_past_is_unknown_and_never_an_alarm(values: int) -> None:
    found = unusual(1e9, np.ones(values), overlap=2.5, level=0.05)
    assert (found.threshold, found.p_value, found.found) == (None, None, False)
    assert found.independent == independent(values, 2.5) < LEAST or values > 5


def test_a_past_without_any_spread_still_leaves_room() -> None:
    assert not unusual(1.05, np.ones(50), overlap=1, level=0.05).found
    assert unusual(1.2, np.ones(50), overlap=1, level=0.05).found


def test_what_always_moves_may_move_and_what_never_did_may_not() -> None:
    random = np.random.default_rng(3)
    earlier = np.column_stack([random.uniform(0.4, 0.6, 20), random.uniform(0.0, 0.02, 20)])
    usual = together(np.array([0.6, 0.01]), earlier, least=0.01, overlap=1, level=0.05)
    assert not usual.whole.found
    moved = together(np.array([0.5, 0.1]), earlier, least=0.01, overlap=1, level=0.05)
    assert moved.found.tolist() == [False, True]


def test_differences_within_the_luck_of_the_draw_are_none() -> None:
    earlier = np.tile([[0.001, 0.02]], (20, 1))
    assert not together(np.array([0.01, 0.02]), earlier, least=0.02, overlap=1, level=0.05).whole.found


def test_an_event_of_the_past_widens_the_limit_by_what_it_was_then() -> None:
    quiet = np.full((20, 1), 0.05)
    eventful = quiet.copy()
    eventful[9:11] = 0.8
    today = np.array([0.6])
    limits = [together(today, past, least=0.02, overlap=2, level=0.05).whole for past in (quiet, eventful)]
    assert [each.found for each in limits] == [True, False]


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_a_swing_is_judged_both_ways_from_the_mean(sign: float) -> None:
    earlier = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    found = swing(3.0 + sign * 9.0, earlier, least=0.1, overlap=1, level=0.05)
    assert found.statistic == pytest.approx(9.0)
    assert found.threshold == pytest.approx(student.isf(0.025, 4) * earlier.std(ddof=1) * np.sqrt(1 + 1 / 5))
    assert found.found
    assert not swing(3.0 + sign * 9.0, earlier, least=10.0, overlap=1, level=0.05).found
    assert swing(1e9, earlier[:2], least=0.1, overlap=1, level=0.05).threshold is None


def test_swings_of_noise_alone_are_news_as_rarely_as_was_asked() -> None:
    random = np.random.default_rng(2)
    found = [swing(row[0], row[1:], least=0.0, overlap=1, level=0.05).found for row in random.normal(size=(2_000, 12))]
    assert 0.035 < np.mean(found) < 0.065
