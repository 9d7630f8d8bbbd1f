"""Some rows stand for all: the same ones each time, and with the weight of those that were left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import baselines, calibration, level, linear, sampling, training
from models.sampling import LEAST, Shares, drawn, most_rows, shares
from tests.models.model_case import fit_linear, train_rows, unseen_rows

DAY = 738_000


def test_where_all_rows_fit_all_are_learned_from() -> None:
    assert shares(10, 90, most=100) is None
    assert shares(10, 91, most=100) is not None


@pytest.mark.parametrize(
    ("happened", "others", "kept"),
    [
        (1_000, 9_000, (1_000, 4_000)),
        (9_000, 1_000, (4_000, 1_000)),
        (4_000, 6_000, (2_500, 2_500)),
        (0, 9_000, (0, 5_000)),
    ],
)
def test_the_rarer_outcome_stays_up_to_half_of_the_room(happened: int, others: int, kept: tuple[int, int]) -> None:
    found = shares(happened, others, most=5_000)
    assert found is not None
    assert (found.happened * happened, found.others * others) == pytest.approx(kept)


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(2, 10_000))
def test_what_is_kept_fits(happened: int, others: int, most: int) -> None:
    found = shares(happened, others, most=most)
    if found is None:
        assert happened + others <= most
        return
    assert 0 <= found.happened <= 1
    assert 0 <= found.others <= 1
    assert found.happened * happened + found.others * others <= most + 1e-6
    assert found.happened * happened + found.others * others >= most - 1 - 1e-6


@given(st.randoms(use_true_random=False), st.floats(0, 1), st.floats(0, 1))
def test_what_is_drawn_counts_for_all_and_does_not_depend_on_the_order_of_rows(
    random: st.DataObject, happened: float, others: float
) -> None:
    customers = [f"C-{number}" for number in range(700)]
    labels = np.array([float(number % 3 == 0) for number in range(700)])
    chosen, counts = drawn(customers, DAY, labels, Shares(happened, others))
    for label, share in ((1.0, happened), (0.0, others)):
        mine = labels == label
        assert (chosen & mine).sum() == max(LEAST, int(np.ceil(share * mine.sum())))
        assert counts[mine].sum() == pytest.approx(mine.sum())
    assert ((counts > 0) == chosen).all()
    order = list(range(700))
    random.shuffle(order)  # type: ignore[attr-defined]
    again, _ = drawn([customers[each] for each in order], DAY, labels[order], Shares(happened, others))
    assert again.tolist() == chosen[order].tolist()


def test_more_room_takes_more_and_leaves_none_out_and_another_day_draws_others() -> None:
    customers, labels = [f"C-{number}" for number in range(2_000)], np.zeros(2_000)
    little, more = (drawn(customers, DAY, labels, Shares(1.0, share))[0] for share in (0.2, 0.4))
    assert (little <= more).all()
    other = drawn(customers, DAY + 7, labels, Shares(1.0, 0.2))[0]
    assert 0.1 < (little & other).sum() / little.sum() < 0.3


def test_few_rows_of_a_snapshot_all_stay() -> None:
    chosen, counts = drawn(["A", "B", "C"], DAY, np.array([1.0, 0.0, 0.0]), Shares(0.1, 0.1))
    assert chosen.all()
    assert counts.tolist() == [1.0, 1.0, 1.0]


def test_there_is_room_for_fewer_rows_of_more_columns_and_for_some_on_any_machine() -> None:
    assert most_rows(8 << 30, columns=47, largest=1_000_000) > most_rows(8 << 30, columns=374, largest=200_000)
    assert most_rows(16 << 30, columns=374, largest=1_000) > 2 * most_rows(8 << 30, columns=374, largest=1_000)
    assert most_rows(64 << 30, columns=47, largest=1_000) == sampling.MOST
    assert most_rows(1 << 20, columns=374, largest=1_000_000) == sampling.FEWEST


def test_rows_that_count_twice_are_as_rows_that_are_there_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "SEEN", 0.0)  # which values are extreme is read from the rows that are there
    rows = train_rows()
    counts = np.random.default_rng(3).integers(1, 4, len(rows))
    twice = rows.only(np.repeat(np.arange(len(rows)), counts))
    weighted = replace(rows, weights=counts.astype(np.float64))
    one, other = fit_linear(weighted), fit_linear(twice)
    for name in ("intercept", "centre", "scale", "weights"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-6, abs=1e-9)
    odds = one.log_odds(rows)
    platt = (
        calibration.fit(odds, rows.outcomes, weighted.weights),
        calibration.fit(np.repeat(odds, counts), twice.outcomes),
    )
    assert (platt[0].intercept, platt[0].slope) == pytest.approx((platt[1].intercept, platt[1].slope), rel=1e-5)
    told = level.fit(weighted, odds), level.fit(twice, np.repeat(odds, counts))
    assert told[0].missed == pytest.approx(told[1].missed)
    assert dict(told[0].weights) == pytest.approx(dict(told[1].weights))
    for name, found in baselines.baselines(weighted, unseen_rows()).items():
        assert found == pytest.approx(baselines.baselines(twice, unseen_rows())[name], abs=1e-4)


def test_probabilities_are_of_the_size_that_they_would_be_with_everybody() -> None:
    rows, asked = train_rows(), unseen_rows()
    flags, counts = np.zeros(len(rows), dtype=np.bool_), np.zeros(len(rows))
    for day in np.unique(rows.snapshots):
        mine = np.flatnonzero(rows.snapshots == day)
        flags[mine], counts[mine] = drawn(rows.customers[mine], int(day), rows.outcomes[mine], Shares(1 / 3, 1.0))
    few = replace(rows, weights=counts).only(flags)
    assert len(few) < 0.7 * len(rows)
    assert few.counts.sum() == pytest.approx(len(rows))
    everybody, some = (training.fit(each, seed=7, threads=1) for each in (rows, few))
    assert np.abs(some.day_probability(asked) - everybody.day_probability(asked)).mean() < 0.03
    unweighted = training.fit(replace(few, weights=None), seed=7, threads=1)
    missed = unweighted.calibrated(asked).mean() - everybody.calibrated(asked).mean()
    assert missed < -0.4
    assert abs(some.calibrated(asked).mean() - everybody.calibrated(asked).mean()) < 0.15
