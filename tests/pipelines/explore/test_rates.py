from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from features.errors import DataError
from pipelines.explore import open_workspace, outcome_rates


def snapshot(values: list[object], outcomes: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"x": values, "inactivity": outcomes})


def test_numbers_are_parted_into_ranges_and_the_unknown_stand_by_themselves() -> None:
    found = outcome_rates(snapshot([1.0, 2.0, 3.0, 4.0, None], [0, 1, 1, 1, 0]), "x", bins=2)
    assert found.index.tolist() == ["to 2.5", "to 4", "unknown"]
    assert found["customers"].tolist() == [2, 2, 1]
    assert found["happened"].tolist() == [1, 2, 0]
    expected = [binomtest(k, n).proportion_ci(method="wilson") for k, n in ((1, 2), (2, 2), (0, 1))]
    assert found["low"].tolist() == pytest.approx([each.low for each in expected])
    assert found["high"].tolist() == pytest.approx([each.high for each in expected])


def test_texts_are_taken_as_they_are_and_whose_outcome_is_unknown_is_left_out() -> None:
    found = outcome_rates(snapshot(["FR", "DE", "FR", None, "FR"], [1, 0, 0, 1, np.nan]), "x")
    assert found["customers"].to_dict() == {"DE": 1, "FR": 2, "unknown": 1}
    assert found["rate"].to_dict() == {"DE": 0.0, "FR": 0.5, "unknown": 1.0}


def test_a_value_that_all_have_makes_one_range() -> None:
    found = outcome_rates(snapshot([0.0] * 5, [0, 0, 0, 1, 1]), "x")
    assert found["customers"].tolist() == [5]


def test_every_indicator_of_a_workspace_can_be_looked_at(finished_workspace: object) -> None:
    ws = open_workspace(finished_workspace)  # type: ignore[arg-type]
    found = ws.snapshot("2025-01-10")
    for column in ws.indicators().index:
        assert outcome_rates(found, column)["customers"].sum() == found["inactivity"].notna().sum()


def test_what_is_no_indicator_is_told() -> None:
    with pytest.raises(DataError, match=r"no indicator 'y' with an outcome"):
        outcome_rates(snapshot([1.0], [1]), "y")
    with pytest.raises(DataError, match="no indicator 'inactivity'"):
        outcome_rates(snapshot([1.0], [1]), "inactivity")
