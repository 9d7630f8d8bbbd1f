"""What plays changed equals its definition in plain Python, on random groups and on those that leave little to tell."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import impact
from models.impact import Enrolled, Impact, Kept
from tests.models.oracles import impact as oracle
from tests.models.oracles.impact import Interval, Person, Play

HAPPENS = ["some", "nobody", "everybody", "none of the held out", "all of the treated"]


@st.composite
def plays(draw: st.DrawFn) -> list[list[Person]]:
    return [
        one(
            random.Random(draw(st.integers(0, 10_000))),
            treated=draw(st.integers(1, 25)),
            held_out=draw(st.integers(1, 12)),
            happens=draw(st.sampled_from(HAPPENS)),
            alike=draw(st.booleans()),
        )
        for _ in range(draw(st.integers(1, 3)))
    ]


def one(
    draw: random.Random, *, treated: int, held_out: int, happens: str = "some", alike: bool = False
) -> list[Person]:
    found = []
    for number in range(treated + held_out):
        group = number < treated
        probability = 0.3 if alike else draw.choice([0.0, 0.02, 0.2, 0.2, 0.5, 0.9, draw.random()])
        left = {
            "some": draw.random() < probability * (0.6 if group else 1.0),
            "nobody": False,
            "everybody": True,
            "none of the held out": group and draw.random() < 0.5,
            "all of the treated": group or draw.random() < 0.5,
        }[happens]
        value = 100.0 if alike else draw.choice([None, 0.0, 12.34, 99.99, round(draw.lognormvariate(4, 1.5), 2)])
        found.append(Person(group, left, probability, value))
    return found


def enrolled(play: Play) -> Enrolled:
    return Enrolled(
        treated=np.array([each.treated for each in play]),
        left=np.array([float(each.left) for each in play]),
        probability=np.array([each.probability for each in play]),
        value=np.array([np.nan if each.value is None else each.value for each in play]),
    )


def near(found: Kept | None, right: Interval | None, *, to: float) -> None:
    assert (found is None) == (right is None)
    if found is not None and right is not None:
        assert found.estimate == pytest.approx(right[0], abs=to)
        assert found.low == pytest.approx(right[1], abs=to)
        assert found.high == pytest.approx(right[2], abs=to)


def beyond_any_doubt(found: Impact, parts: Sequence[Play]) -> None:
    """The p-value is twice the tail at which the interval's end touches 0, between 1 and 2 in a thousand million."""
    estimate, p_value = found.customers.estimate, found.p_value
    end = oracle.ends(parts, p_value / 2)[0 if estimate > 0 else 1] * (1 if estimate > 0 else -1)
    if p_value == 1:
        assert abs(estimate) < 1e-6 or end <= 1e-6
    elif p_value <= 2e-9:
        assert end >= 0
    else:
        assert end == pytest.approx(0, abs=1e-6)


def compare(parts: Sequence[Play]) -> None:
    found = impact.impact([enrolled(play) for play in parts])
    everybody = [each for play in parts for each in play]
    treated = [each for each in everybody if each.treated]
    assert (found.treated, found.held_out) == (len(treated), len(everybody) - len(treated))
    assert found.left_treated == sum(each.left for each in treated)
    assert found.left_held_out == sum(each.left for each in everybody if not each.treated)
    assert found.without_value == sum(each.value is None for each in everybody)
    assert found.without == pytest.approx(oracle.without(parts), abs=1e-6)
    near(found.customers, oracle.customers(parts), to=1e-6)
    near(found.money, oracle.money(parts), to=0.005)
    beyond_any_doubt(found, parts)
    smallest = oracle.detectable(parts)
    assert found.detectable == (smallest if smallest is None else pytest.approx(smallest, rel=1e-6))


@given(parts=plays())
@settings(max_examples=40)
def test_customers_and_money_kept_with_their_intervals_are_what_their_definition_says(
    parts: list[list[Person]],
) -> None:
    compare(parts)


def test_a_thousand_customers_are_told_to_the_cent() -> None:
    compare([one(random.Random(3), treated=400, held_out=60), one(random.Random(4), treated=80, held_out=40)])


@given(p_values=st.lists(st.floats(1e-6, 1.0), max_size=8))
def test_many_plays_count_as_holm_has_it(p_values: list[float]) -> None:
    assert impact.holm(p_values) == pytest.approx(oracle.holm(p_values))
