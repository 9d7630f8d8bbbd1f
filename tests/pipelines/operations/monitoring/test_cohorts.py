from __future__ import annotations

from datetime import date

import pytest

from models.unusual import LEAST, independent
from pipelines.operations.monitoring.cohorts import pairs

FIRST = date(2024, 1, 1).toordinal()


def weekly(count: int) -> list[int]:
    return [FIRST + 7 * week for week in range(count)]


def test_pairs_are_as_far_apart_as_the_newest_snapshot_and_today() -> None:
    snapshots = weekly(40)
    found = pairs(snapshots, date.fromordinal(snapshots[-1] + 56))
    assert (found.reference, found.learned) == (date.fromordinal(snapshots[-1]), True)
    assert {(b - a).days for a, b in found.earlier} == {56}
    assert len(found.earlier) == 40 - 8
    assert found.earlier[-1][1] == found.reference


@pytest.mark.parametrize("more", [1, 3, 7])
def test_a_day_off_the_grid_takes_the_next_longer_distance_on_it(more: int) -> None:
    snapshots = weekly(40)
    found = pairs(snapshots, date.fromordinal(snapshots[-1] + 49 + more))
    assert {(b - a).days for a, b in found.earlier} == {56}


def test_no_pair_reaches_beyond_what_the_champion_learned_from() -> None:
    snapshots = weekly(30)
    found = pairs(snapshots, date.fromordinal(snapshots[-1] + 60))
    assert max(day for pair in found.earlier for day in pair) <= date.fromordinal(snapshots[-1])


@pytest.mark.parametrize("age", [300, 400, 500])
def test_a_champion_long_ago_is_looked_at_over_as_long_as_pairs_suffice(age: int) -> None:
    snapshots = weekly(20)
    today = date.fromordinal(snapshots[-1] + age)
    found = pairs(snapshots, today)
    lag = (found.earlier[0][1] - found.earlier[0][0]).days
    assert not found.learned
    assert independent(len(found.earlier), found.overlap) >= LEAST
    assert lag - 7 < (today - found.reference).days <= lag
    assert (found.reference.toordinal() - FIRST) % 7 == 0


@pytest.mark.parametrize("count", range(1, 6))
def test_with_too_few_snapshots_there_is_no_pair(count: int) -> None:
    assert pairs(weekly(count), date.fromordinal(FIRST + 100)).earlier == ()


def test_a_snapshot_left_out_leaves_out_its_pairs() -> None:
    snapshots = weekly(20)
    whole = pairs(snapshots, date.fromordinal(snapshots[-1] + 14)).earlier
    part = pairs(snapshots[:9] + snapshots[10:], date.fromordinal(snapshots[-1] + 14)).earlier
    gone = date.fromordinal(snapshots[9])
    assert set(part) == {pair for pair in whole if gone not in pair}
