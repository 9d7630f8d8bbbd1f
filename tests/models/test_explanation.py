from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import shap
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models import training
from models.explanation import RHYTHM, Contributions, Floats, contributions, strongest
from models.matrix import Matrix
from models.training import weighed
from tests.models.model_case import REASON_OF, fitted, train_rows, unseen_rows, widened


@cache
def found(*, start: bool = True) -> Contributions:
    return contributions(fitted(start=start), unseen_rows(start=start), REASON_OF)


@pytest.mark.parametrize("start", [True, False], ids=["with a start model", "without"])
def test_contributions_and_the_average_add_up_to_the_log_odds_of_every_row(start: bool) -> None:
    expected = fitted(start=start).log_odds(unseen_rows(start=start))
    assert len(expected) == 500
    assert np.abs(found(start=start).values.sum(axis=1) + found(start=start).average - expected).max() < 1e-5


@pytest.mark.parametrize("start", [True, False], ids=["with a start model", "without"])
def test_each_column_is_that_of_the_tree_explainer_of_shap_and_of_the_linear_model(start: bool) -> None:
    model, rows = fitted(start=start), unseen_rows(start=start)
    assert np.isnan(rows.values).any()
    explainer = shap.TreeExplainer(model.booster)
    trees, (straight, straight_start) = np.asarray(explainer.shap_values(rows.values)), model.linear.contributions(rows)
    base = np.ravel(explainer.expected_value)[-1] + model.average_start
    assert np.abs(found(start=start).columns - weighed((trees, straight), model.shares)).max() < 1e-5
    both_starts = weighed((rows.start - model.average_start, straight_start), model.shares)
    assert found(start=start).start == pytest.approx(both_starts)
    averages = np.array([base]), np.array([model.linear.intercept])
    assert found(start=start).average == pytest.approx(weighed(averages, model.shares)[0], abs=1e-5)


def test_the_part_of_the_trees_is_that_of_lightgbm() -> None:
    rows, model = unseen_rows(), fitted()
    expected = np.asarray(model.booster.predict(rows.values, pred_contrib=True))
    trees = found().columns - model.shares[1] * model.linear.contributions(rows)[0]
    assert np.abs(trees - model.shares[0] * expected[:, :-1]).max() < 1e-5


def test_columns_are_summed_to_their_reason_codes_and_the_start_to_the_buying_rhythm() -> None:
    assert found().codes == ("buying_rhythm", "tenure", "order_count", "order_value")
    columns = dict(zip(unseen_rows().columns, found().columns.T, strict=True))
    assert found().values[:, 1] == pytest.approx(columns["customer_age_days"])
    assert found().values[:, 2] == pytest.approx(columns["repeat_order_days"] + columns["orders_90d"])
    rhythm = (
        columns["days_since_last_order"]
        + columns["days_since_last_order_over_usual"]
        + columns["median_days_between_orders"]
        + columns["alive_probability"]
        + columns["expected_orders"]
    )
    assert np.ptp(found().start) > 1
    assert found().values[:, 0] == pytest.approx(rhythm + found().start)


def test_a_customer_alone_gets_the_reasons_that_he_gets_among_others() -> None:
    rows = unseen_rows()
    alone = contributions(fitted(), rows.only(np.arange(len(rows)) == 123), REASON_OF)
    assert alone.values[0] == pytest.approx(found().values[123], abs=1e-6)
    assert alone.average == pytest.approx(found().average, abs=1e-6)


def test_nothing_is_printed_of_the_progress(capfd: pytest.CaptureFixture[str]) -> None:
    contributions(fitted(), unseen_rows(), REASON_OF)
    assert capfd.readouterr() == ("", "")


def test_where_columns_say_nothing_the_start_is_left_alone() -> None:
    once = train_rows()
    empty = replace(once, values=np.zeros_like(once.values))
    model = training.fit(empty, seed=7, threads=1)
    explained = contributions(model, empty, REASON_OF)
    assert np.abs(explained.columns).max() < 1e-12
    assert np.abs(explained.values.sum(axis=1) + explained.average - model.log_odds(empty)).max() < 1e-9


def test_a_column_without_a_reason_code_is_an_error() -> None:
    with pytest.raises(KeyError, match="orders_90d"):
        contributions(fitted(), unseen_rows(), {k: v for k, v in REASON_OF.items() if k != "orders_90d"})


def test_contributions_add_up_for_values_never_seen_in_training() -> None:
    random, once, count = np.random.default_rng(6), unseen_rows(), 400
    values = random.normal(size=(count, len(once.columns))) * 10.0 ** random.integers(-2, 6, (count, 1))
    values[random.uniform(size=values.shape) < 0.3] = np.nan
    rows = Matrix(
        once.question,
        once.customers[:count],
        once.snapshots[:count],
        once.columns,
        values,
        random.normal(size=count),
        None,
    )
    explained = contributions(fitted(), rows, REASON_OF)
    assert np.abs(explained.values.sum(axis=1) + explained.average - fitted().log_odds(rows)).max() < 1e-5


# The strongest


def table(values: list[list[float]]) -> Contributions:
    rows = np.array(values)
    codes = (RHYTHM, "tenure", "order_count", "order_value")[: rows.shape[1]]
    return Contributions(codes, rows, rows, np.zeros(len(rows)), 0.0)


def test_the_strongest_come_first_and_what_lowers_the_risk_is_no_reason() -> None:
    places = strongest(table([[0.1, 0.9, 0.5, 0.3], [-0.1, 0.2, 0.0, -3.0], [-1, -1, -1, -1]]), count=3)
    assert places.tolist() == [[1, 2, 3], [1, -1, -1], [-1, -1, -1]]


def test_equal_contributions_keep_the_order_of_the_codes() -> None:
    assert strongest(table([[0.2, 0.5, 0.2, 0.5]]), count=4).tolist() == [[1, 3, 0, 2]]


def test_fewer_codes_than_asked_for_are_padded() -> None:
    assert strongest(table([[0.1, 0.2]]), count=3).tolist() == [[1, 0, -1]]


@given(arrays(np.float64, (5, 4), elements=st.floats(-2, 2)), st.integers(1, 6))
def test_the_strongest_are_those_of_a_plain_sort(values: Floats, count: int) -> None:
    places = strongest(table(values.tolist()), count=count)
    for row, found_places in zip(values.tolist(), places.tolist(), strict=True):
        raising = sorted((k for k in range(4) if row[k] > 0), key=lambda k: (-row[k], k))[:count]
        assert found_places == raising + [-1] * (count - len(raising))


def test_a_wide_table_owes_nothing_to_the_start_model_but_its_columns() -> None:
    model = training.fit(widened(train_rows()), seed=7, threads=1)
    rows = widened(unseen_rows())
    told = contributions(model, rows, REASON_OF | {name: "nothing" for name in rows.columns if name not in REASON_OF})
    assert np.ptp(rows.start) > 1
    assert not told.start.any()
    assert told.values.sum(axis=1) + told.average == pytest.approx(model.log_odds(rows), abs=1e-5)
    assert np.array_equal(model.log_odds(rows), model.log_odds(replace(rows, start=rows.start * 2)))
