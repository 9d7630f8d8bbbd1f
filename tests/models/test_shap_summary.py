"""What is kept of SHAP values: averages of groups, none of fewer than ten customers."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import explanation
from models.shap_summary import AT_LEAST, CUSTOMERS, GROUPS, Explained, groups, most_important, summary
from tests.models.model_case import fitted, unseen_rows

VALUES = st.one_of(st.sampled_from([0.0, 1.0, 2.0, np.nan, np.inf]), st.floats(-100, 100))


@given(values=st.lists(VALUES, max_size=60))
def test_no_figure_is_of_fewer_than_ten_customers_and_nobody_is_counted_twice(values: list[float]) -> None:
    found = groups(np.array(values), np.zeros(len(values)))
    assert all(each.customers >= AT_LEAST for each in found)
    assert sum(each.customers for each in found) <= len(values)
    known = [each.value for each in found if each.value is not None]
    assert known == sorted(known)
    assert len(known) <= GROUPS
    there = int(np.isfinite(values).sum())
    assert sum(each.customers for each in found if each.value is not None) == (there if there >= AT_LEAST else 0)


def test_a_group_is_the_mean_of_its_customers() -> None:
    values = np.array([1.0] * 20 + [5.0] * 20 + [np.nan] * 15)
    shap = np.array([-0.5, -0.3] * 10 + [0.2] * 20 + [0.1] * 15)
    low, high, none = groups(values, shap)
    assert (low.customers, low.value, low.shap, low.spread) == pytest.approx((20, 1.0, -0.4, 0.1))
    assert (high.customers, high.value, high.shap) == pytest.approx((20, 5.0, 0.2))
    assert none.value is None
    assert (none.customers, none.shap) == pytest.approx((15, 0.1))


def test_every_column_is_told_most_important_first() -> None:
    rows = unseen_rows()
    found = summary(fitted(), rows)
    shap = explanation.contributions(fitted(), rows, {name: name for name in rows.columns}).columns
    importance = dict(zip(rows.columns, np.abs(shap).mean(axis=0), strict=True))
    assert {each.column: each.importance for each in found} == pytest.approx(importance)
    assert [each.importance for each in found] == pytest.approx(sorted(importance.values(), reverse=True))
    assert [Explained.from_json(asdict(each)) for each in found] == found


def test_of_many_customers_some_are_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(unseen_rows()) < CUSTOMERS
    monkeypatch.setattr("models.shap_summary.CUSTOMERS", 40)
    for each in summary(fitted(), unseen_rows()):
        assert sum(group.customers for group in each.groups) <= 40


def test_of_nine_customers_nothing_is_told() -> None:
    rows = unseen_rows()
    assert summary(fitted(), rows.only(np.arange(len(rows)) < 9)) == []
    assert summary(fitted(), rows.only(np.arange(len(rows)) < 10)) != []
    assert groups(np.array([1.0] * 9), np.zeros(9)) == []


def test_what_says_nothing_is_not_shown() -> None:
    found = [Explained("a", 0.5, ()), Explained("b", 0.1, ()), Explained("c", 0.0, ())]
    assert [each.column for each in most_important(found, count=5)] == ["a", "b"]
    assert [each.column for each in most_important(found, count=1)] == ["a"]
