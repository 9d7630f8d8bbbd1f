from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from models import calibration
from models.calibration import Calibrator
from models.shares import Floats, parts_of, shares, skill

RANDOM = np.random.default_rng(8)
TRUE = RANDOM.normal(-2, 1.5, 20_000)
LABELS = (RANDOM.uniform(size=len(TRUE)) < expit(TRUE)).astype(np.float64)
ONES = np.ones(len(TRUE))


def blurred(noise: float) -> Floats:
    """What is true, and noise beside it."""
    return TRUE + np.random.default_rng(9).normal(0, noise, len(TRUE))


def found(*members: Floats, counts: Floats = ONES) -> tuple[tuple[float, ...], list[float]]:
    """Shares of members, and the slope of each alone."""
    alone = [calibration.fit(each, LABELS, counts) for each in members]
    return shares(members, alone, LABELS, counts), [each.slope for each in alone]


def test_members_that_know_about_as_much_count_alike_to_the_last_digit() -> None:
    told, slopes = found(blurred(0.3), blurred(0.8))
    assert slopes[0] > slopes[1] + 0.1
    assert told == (slopes[0] / 2, slopes[1] / 2)


def test_a_member_that_knows_next_to_nothing_counts_for_nothing() -> None:
    told, slopes = found(TRUE, blurred(6.0))
    assert slopes[1] > 0
    assert told == (slopes[0], 0.0)


def test_a_member_that_knows_half_counts_for_half_as_much() -> None:
    least, most = (skill(each, LABELS, ONES) for each in (calibrated(blurred(1.7)), calibrated(TRUE)))
    told, slopes = found(TRUE, blurred(1.7))
    part = (least / most - 0.25) / 0.5
    assert 0.2 < part < 0.8
    assert told == pytest.approx((slopes[0] / (1 + part), slopes[1] * part / (1 + part)))


def calibrated(odds: Floats) -> Floats:
    return calibration.fit(odds, LABELS).calibrated(odds)


def test_skill_is_what_log_loss_lies_below_that_of_the_base_rate() -> None:
    labels = np.array([1.0, 0.0, 0.0, 0.0])
    assert skill(np.full(4, np.log(1 / 3)), labels, np.ones(4)) == pytest.approx(0)
    assert skill(np.array([20.0, -20.0, -20.0, -20.0]), labels, np.ones(4)) == pytest.approx(1, abs=1e-6)
    assert skill(np.array([-5.0, 5.0, 5.0, 5.0]), labels, np.ones(4)) < 0


def test_rows_count_for_as_many_as_they_stand_for() -> None:
    labels, odds, counts = np.array([1.0, 0.0, 1.0]), np.array([2.0, -1.0, 0.5]), np.array([1.0, 3.0, 2.0])
    often = counts.astype(int)
    assert skill(odds, labels, counts) == pytest.approx(
        skill(np.repeat(odds, often), np.repeat(labels, often), np.ones(6))
    )


def test_where_no_member_knows_anything_none_is_preferred() -> None:
    assert parts_of([-0.1, 0.0]) == (1.0, 1.0)
    nothing = Calibrator(-2.0, 0.0)
    assert shares([TRUE, TRUE], [nothing, nothing], LABELS, ONES) == (0.0, 0.0)


def test_part_grows_steadily_between_nothing_and_alike() -> None:
    parts = np.array([parts_of([each, 1.0])[0] for each in np.linspace(0, 1, 101)])
    assert parts[:26].tolist() == [0.0] * 26
    assert parts[75:].tolist() == [1.0] * 26
    assert np.diff(parts[25:76]) == pytest.approx(0.02)
