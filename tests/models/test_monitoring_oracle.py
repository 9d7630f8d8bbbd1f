"""Drift, what is unusual, and what came of probabilities equal their definitions in plain Python, on random cohorts."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import drift, evaluation, realised, unusual
from models.realised import Tolerance
from tests.models.oracles import drift as oracle
from tests.models.oracles import quality
from tests.models.oracles.quality import Scored

number = st.one_of(st.none(), st.sampled_from([0.0, 1.0, 1.0, 2.5]), st.floats(-1e6, 1e6))
numbers = st.lists(number, min_size=1, max_size=40)
texts = st.lists(st.sampled_from([None, "a", "b", "c", "ü"]), min_size=1, max_size=40)
probability = st.one_of(st.sampled_from([0.0, 0.1, 0.1, 0.5, 1.0]), st.floats(0.0, 1.0))
weight = st.sampled_from([0.0, 1.0, 1.0, 1.0, 2.5, 9.0])
scored = st.lists(
    st.builds(Scored, probability=probability, left=st.booleans(), weight=weight), min_size=1, max_size=40
)


def array(values: list[float | None]) -> Any:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)[:, None]


def profile(values: list[float | None], words: list[str | None], points: Any) -> drift.Profile:
    return drift.profile(array(values), {"word": np.array([word or "" for word in words], dtype=object)}, points)


@given(newest=numbers, before=numbers, today=numbers, old=texts, new=texts)
@settings(max_examples=60)
def test_distances_nulls_and_the_stability_index_are_what_their_definition_says(
    newest: list[float | None],
    before: list[float | None],
    today: list[float | None],
    old: list[str | None],
    new: list[str | None],
) -> None:
    points = drift.grid(array(newest))
    grid = [float(point) for point in points[0] if not math.isnan(point)]
    assert len(grid) == (101 if oracle.known(newest) else 0)
    assert oracle.at_even_ranks(grid, newest)
    one, other = profile(before, old, points), profile(today, new, points)
    right = [
        oracle.distance(before, today, grid),
        oracle.variation(old, new),
        abs(oracle.nulls(before) - oracle.nulls(today)),
        abs(oracle.nulls(old) - oracle.nulls(new)),
    ]
    if grid:  # where the newest cohort has no value, all lie beyond a grid that has no point
        assert drift.distances(one, other) == pytest.approx(right, abs=1e-9)
        index = [oracle.psi_of_numbers(before, today, grid[10:100:10]), oracle.psi_of_texts(old, new)]
        assert drift.psi(one, other) == pytest.approx(index, abs=1e-9)
    seen = {"a"}
    counted = {text: share * len(new) for text, share in drift.unseen(other, {"word": seen})["word"].items()}
    unseen = oracle.unseen(new, seen)
    assert counted == pytest.approx({text: unseen.count(text) for text in set(unseen)})


@given(newest=numbers, other=numbers)
@settings(max_examples=60)
def test_a_distance_to_the_cohort_of_the_grid_falls_short_of_the_exact_one_by_a_hundredth_and_a_customer_at_most(
    newest: list[float | None], other: list[float | None]
) -> None:
    points = drift.grid(array(newest))
    found = drift.distances(*(profile(each, [None], points) for each in (newest, other)))[0]
    exact = oracle.distance(newest, other)
    assert exact - 0.01 - 1 / max(1, len(oracle.known(newest))) - 1e-9 <= found <= exact + 1e-9


@given(
    today=st.floats(0, 50),
    earlier=st.lists(st.one_of(st.just(0.0), st.floats(0, 50)), max_size=12),
    overlap=st.sampled_from([1.0, 2.0, 3.5]),
    level=st.sampled_from([0.05, 0.01, 0.007]),
)
@settings(max_examples=60)
def test_what_is_unusual_is_told_by_students_t(
    today: float, earlier: list[float], overlap: float, level: float
) -> None:
    values = np.array(earlier)
    large, right = (
        unusual.unusual(today, values, overlap=overlap, level=level),
        oracle.larger(today, earlier, overlap=overlap, level=level),
    )
    same(large, right)
    apart = unusual.swing(today, values, least=1.0, overlap=overlap, level=level)
    same(apart, oracle.further(today, earlier, least=1.0, overlap=overlap, level=level))


def same(found: unusual.Unusual, right: oracle.Judged) -> None:
    assert found.statistic == pytest.approx(right.statistic)
    for mine, other in ((found.threshold, right.threshold), (found.p_value, right.p_value)):
        assert mine == (None if other is None else pytest.approx(other, rel=1e-6, abs=1e-9))


@given(
    seed=st.integers(0, 10_000), pairs=st.integers(0, 9), columns=st.integers(1, 4), overlap=st.sampled_from([1, 2, 3])
)
@settings(max_examples=40)
def test_distances_of_a_family_are_judged_as_one(seed: int, pairs: int, columns: int, overlap: int) -> None:
    draw = random.Random(seed)
    rows = [[draw.choice([0.0, draw.random()]) for _ in range(columns)] for _ in range(pairs + 1)]
    found = unusual.together(
        np.array(rows[-1]), np.array(rows[:-1]).reshape(pairs, columns), least=0.05, overlap=overlap, level=0.05
    )
    whole, usual, scaled = oracle.family(rows[-1], rows[:-1], least=0.05, overlap=overlap, level=0.05)
    same(found.whole, whole)
    assert found.usual == pytest.approx(usual)
    assert found.scaled == pytest.approx(scaled)
    limit = math.inf if whole.threshold is None else whole.threshold
    assert found.found.tolist() == [each > limit for each in scaled]


def test_a_distance_is_stretched_and_held_against_chance() -> None:
    apart = [0.0, 0.01, 0.5, 0.995, 1.0]
    assert drift.stretched(np.array(apart)) == pytest.approx([oracle.stretched(each) for each in apart])
    assert drift.unstretched(np.array(apart)) == pytest.approx([oracle.unstretched(each) for each in apart])
    assert drift.noise(37, 250) == pytest.approx(oracle.noise(37, 250))


@given(rows=scored)
@settings(max_examples=80)
def test_figures_of_probabilities_are_the_usual_ones_counted_by_hand(rows: list[Scored]) -> None:
    labels, probabilities, weights = (
        np.array([float(getattr(row, name)) for row in rows]) for name in ("left", "probability", "weight")
    )
    customers = np.array([str(place) for place in range(len(rows))], dtype=object)
    found = realised.realised(labels, probabilities, customers, samples=3, seed=1, weights=weights)
    right = quality.figures(rows)
    assert {name: found[name] for name in right} == pytest.approx(right, rel=1e-9, abs=1e-9, nan_ok=True)
    if not math.isnan(found["calibration_slope"]):
        rest = quality.unexplained(rows, found["calibration_slope"], found["calibration_intercept"])
        assert rest == pytest.approx((0, 0), abs=1e-5)


def test_an_interval_of_outcomes_over_expected_is_that_of_customers_drawn_anew() -> None:
    draw = random.Random(6)
    rows = []
    for place in range(240):
        chance = draw.random()
        rows.append(Scored(chance, draw.random() < chance * 0.8, customer=f"C{place % 80}"))
    labels, probabilities = (np.array([float(getattr(row, name)) for row in rows]) for name in ("left", "probability"))
    customers = np.array([row.customer for row in rows], dtype=object)
    found = realised.observed_over_expected(labels, probabilities, customers, samples=4_000, seed=2)
    low, high = quality.ratio_interval(rows, samples=4_000, seed=3)
    assert found[1:] == pytest.approx((low, high), abs=0.015)
    intervals = evaluation.intervals(labels, probabilities, customers, samples=40, seed=2)
    assert set(intervals) == {
        "roc_auc", "pr_auc", "log_loss", "brier", "calibration_slope", "calibration_intercept", "top_decile_lift",
        "top_decile_recall",
    }  # fmt: skip


def test_draws_in_which_nothing_is_expected_are_left_out_of_the_interval() -> None:
    """One of two customers was not expected to leave: a draw of that one twice has no ratio."""
    names = np.array(["A", "B"], dtype=object)
    found = realised.observed_over_expected(np.array([0.0, 1.0]), np.array([0.0, 0.5]), names, samples=50, seed=1)
    assert found == (2.0, 2.0, 2.0)


def test_rows_that_stand_for_less_or_more_than_one_count_as_such_in_slope_and_precision() -> None:
    draw = random.Random(8)
    rows = [Scored(draw.uniform(0.1, 0.9), draw.random() < 0.5, draw.choice([0.25, 0.5, 4.0])) for _ in range(40)]
    rows.append(Scored(0.95, left=True, weight=0.25))
    columns = (np.array([float(getattr(row, name)) for row in rows]) for name in ("left", "probability", "weight"))
    found = evaluation.metrics(*columns)
    assert found.pr_auc == pytest.approx(quality.figures(rows)["pr_auc"])
    assert quality.unexplained(rows, found.calibration_slope, found.calibration_intercept) == pytest.approx(
        (0, 0), abs=1e-6
    )


@pytest.mark.parametrize(("loss", "area", "worse"), [(0.309, 0.691, ()), (0.311, 0.679, ("log_loss", "roc_auc"))])
def test_what_is_tolerable_is_not_worse(loss: float, area: float, worse: tuple[str, ...]) -> None:
    figures = {"intervals": {"log_loss": [loss, 0.4], "roc_auc": [0.6, area]}}
    tolerance = Tolerance(log_loss=0.01, roc_auc=0.02, calibration=0.2)
    assert realised.clearly_worse(figures, {"log_loss": 0.3, "roc_auc": 0.7}, tolerance) == worse


@given(
    ends=st.lists(st.one_of(st.none(), st.tuples(st.floats(0, 2), st.floats(0, 2))), min_size=4, max_size=4),
    losses=st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=3),
    areas=st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=3),
)
def test_clearly_worse_is_what_lies_wholly_beyond_the_worst_fold_and_what_is_tolerable(
    ends: list[tuple[float, float] | None], losses: list[float | None], areas: list[float | None]
) -> None:
    folds = [{"model": {"log_loss": loss}} for loss in losses] + [{"model": {"roc_auc": area}} for area in areas]
    promise = realised.promised(folds, "model")
    told = ([each for each in of if each is not None] for of in (losses, areas))
    assert promise == dict(zip(("log_loss", "roc_auc"), _worst(*told), strict=True))
    names = ("log_loss", "roc_auc", "calibration_slope", "observed_over_expected")
    intervals = {name: [None, None] if each is None else sorted(each) for name, each in zip(names, ends, strict=True)}
    found = realised.clearly_worse(
        {"intervals": intervals}, promise, Tolerance(log_loss=0.01, roc_auc=0.02, calibration=0.2)
    )
    assert set(found) == quality.worse(intervals, promise, log_loss=0.01, roc_auc=0.02, calibration=0.2)


def _worst(losses: list[float], areas: list[float]) -> tuple[float | None, float | None]:
    return (max(losses) if losses else None), (min(areas) if areas else None)
