from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.by_reason import split

CHANCES = st.floats(0.0, 1.0)


def test_leaving_is_split_as_the_two_models_have_it() -> None:
    by_choice, unpaid = split(np.array([0.2, 0.6]), np.array([0.09, 0.1]), np.array([0.03, 0.3]))
    assert by_choice == pytest.approx([0.15, 0.15])
    assert unpaid == pytest.approx([0.05, 0.45])


def test_it_is_half_and_half_where_neither_model_gives_a_chance() -> None:
    assert np.array(split(np.array([0.2]), np.zeros(1), np.zeros(1))).ravel().tolist() == [0.1, 0.1]


@given(st.lists(st.tuples(CHANCES, CHANCES, CHANCES), min_size=1, max_size=20))
def test_both_are_probabilities_and_add_up_to_leaving(told: list[tuple[float, float, float]]) -> None:
    churn, voluntary, involuntary = np.array(told).T
    by_choice, unpaid = split(churn, voluntary, involuntary)
    assert ((by_choice >= 0) & (unpaid >= 0)).all()
    assert by_choice + unpaid == pytest.approx(churn, rel=1e-15, abs=1e-300)
