"""The forecast's figures equal their definitions in plain Python, which draws nothing, on random customers."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import forecast
from models.forecast import Chances, Sizes, Stray
from tests.models.oracles import forecast as oracle
from tests.models.oracles.forecast import AtRisk

FIGURES = ("customers_lost", "grr", "nrr")
STEADY = dict.fromkeys(("lost", "less", "more"), Stray.certain(0.0))
OFTEN = dict.fromkeys(("lost", "less", "more"), Stray.certain(0.4))

chance = st.one_of(st.just(0.0), st.just(0.5), st.just(1.0), st.floats(0.001, 0.999))
price = st.one_of(st.just(0.0), st.sampled_from([9.99, 30.0, 166.67]), st.floats(0.01, 5_000))
changes = st.lists(st.floats(0.01, 0.99), max_size=4)


@st.composite
def customers(draw: st.DrawFn) -> list[AtRisk]:
    """Models of different outcomes know nothing of each other: their chances may sum to more than 1."""
    return draw(st.lists(st.builds(AtRisk, lost=chance, less=chance, more=chance, mrr=price), min_size=1, max_size=12))


def made(people: list[AtRisk], falls: list[float], rises: list[float], **more: object) -> dict[str, forecast.Range]:
    columns = {name: np.array([getattr(each, name) for each in people]) for name in ("lost", "less", "more", "mrr")}
    chances = Chances(**columns)
    strays = more.get("strays", STEADY)
    assert isinstance(strays, dict)
    return forecast.forecast(chances, Sizes(less=np.array(falls), more=np.array(rises)), strays, seed=5)


@given(people=customers(), falls=changes, rises=changes, strays=st.sampled_from([STEADY, OFTEN]))
def test_what_is_expected_is_the_mean_of_all_that_may_come_whatever_is_drawn(
    people: list[AtRisk], falls: list[float], rises: list[float], strays: dict[str, Stray]
) -> None:
    found, right = made(people, falls, rises, strays=strays), oracle.expected(people, falls, rises)
    for name in FIGURES:
        assert found[name].expected == pytest.approx(right[name], rel=1e-9, abs=1e-9, nan_ok=True), name
        assert math.isnan(right[name]) or found[name].low <= found[name].expected <= found[name].high


@given(seed=st.integers(0, 10_000))
@settings(max_examples=8)
def test_nine_of_ten_courses_lie_within_the_interval_and_as_many_on_either_side(seed: int) -> None:
    """Every course is told with its chance; 1,000 draws put an end of the interval within 2.8 points of its level."""
    draw = random.Random(seed)
    falls, rises = [0.25, 0.5], [0.1, 0.75]
    people = [
        AtRisk(
            draw.uniform(0.05, 0.4), draw.uniform(0.05, 0.3), draw.uniform(0.05, 0.3), draw.choice([10.0, 35.0, 90.0])
        )
        for _ in range(6)
    ]
    found = made(people, falls, rises)
    for name, courses in oracle.distribution(people, falls, rises).items():
        mean = math.fsum(figure * chance for figure, chance in courses)
        assert oracle.expected(people, falls, rises)[name] == pytest.approx(mean), "the oracle agrees with itself"
        low, high = found[name].low, found[name].high
        # Between two values that are possible, an end may lie anywhere.
        assert oracle.below(courses, low) <= 0.05 + 0.028, (name, low)
        assert oracle.at_most(courses, low) >= 0.05 - 0.028, (name, low)
        assert oracle.below(courses, high) <= 0.95 + 0.028, (name, high)
        assert oracle.at_most(courses, high) >= 0.95 - 0.028, (name, high)


def test_as_many_pay_less_and_more_as_their_models_say() -> None:
    """Drawn apart from each other, whoever came out twice would be left out of those who pay more."""
    people = [AtRisk(lost=0.1, less=0.4, more=0.4, mrr=10.0)] * 3_000
    found = made(people, [0.5], [0.5])
    for name, right in oracle.expected(people, [0.5], [0.5]).items():
        assert (found[name].low + found[name].high) / 2 == pytest.approx(right, rel=0.005), name


@given(
    rows=st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.floats(0.001, 0.999)), min_size=2, max_size=60).filter(
        lambda rows: 0 < sum(label for label, _ in rows) < len(rows)
    )
)
def test_the_shift_is_where_probabilities_sum_to_what_happened(rows: list[tuple[float, float]]) -> None:
    labels, probabilities = ([row[place] for row in rows] for place in (0, 1))
    found = forecast.shift(np.array(labels), np.array(probabilities))
    assert found == pytest.approx(oracle.shift(labels, probabilities), rel=1e-6, abs=1e-6)


@given(past=st.lists(st.tuples(st.floats(-1.0, 1.0), st.floats(0.001, 0.5)), max_size=12))
@settings(max_examples=8)
def test_strays_to_come_are_as_large_as_bayes_has_them(past: list[tuple[float, float]]) -> None:
    assert forecast.stray(past).usual == pytest.approx(oracle.usual_stray(past), rel=0.02)  # theirs is of 200 scales
