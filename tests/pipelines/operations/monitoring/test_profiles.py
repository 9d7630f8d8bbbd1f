from __future__ import annotations

import numpy as np

from models import drift
from pipelines.operations.monitoring.profiles import from_frame, to_frame


def test_a_profile_comes_back_from_its_frame_as_it_was() -> None:
    values = np.array([[1.0, np.nan], [2.0, np.nan], [np.nan, np.nan]])
    texts = {"plan": np.array(["a", "", "b"], dtype=object), "country": np.array(["", "", ""], dtype=object)}
    made = drift.profile(values, texts, drift.grid(values))
    back = from_frame(to_frame(made))
    assert (back.n, back.shares, back.gone) == (made.n, made.shares, made.gone)
    np.testing.assert_array_equal(back.below, made.below)
    np.testing.assert_array_equal(back.missing, made.missing)


def test_a_cohort_without_categories_comes_back_too() -> None:
    values = np.ones((2, 1))
    made = drift.profile(values, {}, drift.grid(values))
    assert drift.distances(from_frame(to_frame(made)), made).tolist() == [0.0, 0.0]
