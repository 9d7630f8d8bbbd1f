"""Figures of the page that are told in several places, from one source."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.report.summary import expected_by_band, expected_departures

BANDS = ("high", "medium", "low")


def report(*scored: tuple[str, float]) -> Any:
    """A report of some customers: band and probability."""
    frame = pd.DataFrame(scored, columns=["risk_band", "churn_probability"]).astype({"churn_probability": "float64"})
    return SimpleNamespace(scores=frame)


@pytest.mark.parametrize(
    ("sums", "whole"),
    [
        ({"high": 0.4, "medium": 1.3, "low": 1.1}, {"high": 1, "medium": 1, "low": 1}),
        ({"high": 2.0, "medium": 0.0, "low": 0.0}, {"high": 2, "medium": 0, "low": 0}),
        ({"high": 0.2, "medium": 0.2, "low": 0.2}, {"high": 1, "medium": 0, "low": 0}),
        ({"high": 0.1, "medium": 0.1, "low": 0.1}, {"high": 0, "medium": 0, "low": 0}),
    ],
)
def test_departures_of_bands_are_whole_and_add_up(sums: dict[str, float], whole: dict[str, int]) -> None:
    found = report(*[(band, part / 4) for band, part in sums.items() for _ in range(4)])
    assert expected_by_band(found) == whole
    assert sum(whole.values()) == expected_departures(found)


@given(st.lists(st.tuples(st.sampled_from(BANDS), st.floats(0, 1)), max_size=60))
def test_they_add_up_whoever_was_scored(scored: list[tuple[str, float]]) -> None:
    found = report(*scored)
    whole = expected_by_band(found)
    assert sum(whole.values()) == expected_departures(found)
    for band in BANDS:
        assert abs(whole[band] - sum(share for name, share in scored if name == band)) < 1 + 1e-9
