from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import DataError, TrainingError
from models import buy_till_you_die
from models.buy_till_you_die import BuyingHistory
from models.matrix import ALIVE, EXPECTED, Matrix, matrix, stack
from tests.models.model_case import FIRST, HORIZON_DAYS, INDICATORS, QUESTION, snapshot_frame, snapshot_matrix

DAY = date(2024, 7, 1)

ROWS = pd.DataFrame(
    {
        "customer_id": ["B-2", "A-10", "A-9"],
        "orders_30d": [2, 0, 1],
        "average_order_value_30d": [12.5, None, 8.0],
        "repeat_order_days": [3, 0, 1],
        "days_first_to_last_order": [60, 0, 14],
        "customer_age_days": [90, 30, 40],
        "happened": [0.0, 1.0, 1.0],
    }
)


def numbers(frame: pd.DataFrame = ROWS, **changes: Any) -> Matrix:
    given: dict[str, Any] = {
        "columns": ["orders_30d", "average_order_value_30d"],
        "question": QUESTION,
        "start_model": False,
    } | changes
    return matrix(frame, DAY, **given)


def test_rows_are_sorted_by_customer_and_nulls_are_nan() -> None:
    found = numbers()
    assert found.customers.tolist() == ["A-10", "A-9", "B-2"]
    assert found.values.dtype == np.float64
    assert np.array_equal(found.values, [[0, np.nan], [1, 8.0], [2, 12.5]], equal_nan=True)
    assert found.outcomes.tolist() == [1.0, 1.0, 0.0]
    assert found.snapshots.tolist() == [DAY.toordinal()] * 3
    assert found.start.tolist() == [0.0, 0.0, 0.0]


def test_columns_stand_in_the_order_asked_for_whatever_the_order_of_the_frame() -> None:
    turned = ROWS[ROWS.columns[::-1]]
    found = numbers(turned, columns=["average_order_value_30d", "orders_30d"])
    assert found.columns == ("average_order_value_30d", "orders_30d")
    assert found.values[2].tolist() == [12.5, 2.0]


def test_a_missing_column_is_refused_by_name_and_day() -> None:
    with pytest.raises(
        DataError, match=r"^the snapshot of 2024-07-01 lacks column 'orders_30d'; rebuild it or retrain the model$"
    ):
        numbers(ROWS.drop(columns="orders_30d"))


@pytest.mark.parametrize("values", [["2", "0", "1"], [date(2024, 1, 1)] * 3, pd.Categorical([2, 0, 1])])
def test_a_column_that_holds_no_numbers_is_refused_by_name(values: Any) -> None:
    with pytest.raises(DataError, match=r"^column 'orders_30d' of the snapshot of 2024-07-01 is .*, not a number$"):
        numbers(ROWS.assign(orders_30d=values))


@pytest.mark.parametrize("kind", ["Int64", "Float64", "int32", "float32", "int64[pyarrow]"])
def test_every_kind_of_number_becomes_the_same_float(kind: Any) -> None:
    found = numbers(ROWS.assign(orders_30d=ROWS["orders_30d"].astype(kind)), columns=["orders_30d"])
    assert found.values.dtype == np.float64
    assert found.values[:, 0].tolist() == [0.0, 1.0, 2.0]


def test_a_null_of_a_whole_number_is_nan() -> None:
    found = numbers(ROWS.assign(orders_30d=pd.array([2, None, 1], dtype="Int64")), columns=["orders_30d"])
    assert np.array_equal(found.values[:, 0], [np.nan, 1, 2], equal_nan=True)


def test_without_outcomes_there_are_none_to_read() -> None:
    found = numbers(ROWS.drop(columns="happened"))
    assert found.labels is None
    with pytest.raises(ValueError, match="built without outcomes"):
        _ = found.outcomes


def test_only_keeps_each_row_whole() -> None:
    found = numbers().only(np.array([True, False, True]))
    assert (len(found), found.customers.tolist(), found.outcomes.tolist()) == (2, ["A-10", "B-2"], [1.0, 0.0])
    assert found.values[:, 0].tolist() == [0.0, 2.0]


def test_the_start_is_the_log_odds_of_no_order_by_a_model_of_this_snapshot() -> None:
    frame = snapshot_frame(300)
    found = snapshot_matrix(300, frame)
    history = BuyingHistory.from_days(
        *(
            frame[name].to_numpy(dtype=np.float64)
            for name in ("repeat_order_days", "days_first_to_last_order", "customer_age_days")
        )
    )
    model = buy_till_you_die.fit(history)
    silent = model.no_order(history, horizon_days=HORIZON_DAYS)
    assert found.columns == (*INDICATORS, ALIVE, EXPECTED)
    assert found.start == pytest.approx(np.log(silent / (1 - silent)))
    assert found.values[:, -2] == pytest.approx(model.alive(history))
    assert found.values[:, -1] == pytest.approx(model.expected_orders(history, horizon_days=HORIZON_DAYS))


def test_the_start_model_needs_no_outcome() -> None:
    labelled, unlabelled = (snapshot_matrix(300, snapshot_frame(300, labelled=each)) for each in (True, False))
    assert np.array_equal(labelled.start, unlabelled.start)
    assert np.array_equal(labelled.values, unlabelled.values, equal_nan=True)


def test_changing_the_rows_of_another_snapshot_changes_no_bit_of_this_one() -> None:
    earlier, later = snapshot_frame(240), snapshot_frame(300)
    altered = later.assign(
        repeat_order_days=later["repeat_order_days"] * 3 + 1, days_first_to_last_order=later["customer_age_days"]
    )
    before, after = (stack([snapshot_matrix(240, earlier), snapshot_matrix(300, frame)]) for frame in (later, altered))
    mine = before.snapshots == (FIRST + timedelta(days=240)).toordinal()
    assert np.array_equal(before.start[mine], after.start[mine])
    assert np.array_equal(before.values[mine], after.values[mine], equal_nan=True)
    assert not np.isclose(before.start[~mine], after.start[~mine]).any()


def test_each_snapshot_has_a_start_model_of_its_own() -> None:
    """The same customer with the same history, among others: another start."""
    frame = snapshot_frame(300)
    everybody, busy = (snapshot_matrix(300, rows) for rows in (frame, frame[frame["repeat_order_days"] > 0]))
    shared = np.isin(everybody.customers, busy.customers)
    assert not np.isclose(everybody.start[shared], busy.start).any()


def test_a_snapshot_where_nobody_came_back_has_no_start_model() -> None:
    frame = snapshot_frame(300)
    with pytest.raises(TrainingError, match="set start_model = false"):
        snapshot_matrix(300, frame[frame["repeat_order_days"] == 0])


def test_stacked_rows_are_sorted_by_snapshot_then_customer() -> None:
    parts = [
        matrix(ROWS, day, columns=["orders_30d"], question=QUESTION, start_model=False)
        for day in (DAY, date(2024, 6, 1))
    ]
    found = stack(parts)
    assert found.snapshots.tolist() == [date(2024, 6, 1).toordinal()] * 3 + [DAY.toordinal()] * 3
    assert found.customers.tolist() == ["A-10", "A-9", "B-2"] * 2
    assert found.values[:, 0].tolist() == [0, 1, 2] * 2
    assert found.outcomes.tolist() == [1, 1, 0] * 2


@pytest.mark.parametrize("more", [0, 2])
def test_parts_that_come_one_by_one_are_the_stack_that_they_would_be_together(more: int) -> None:
    """Also where fewer rows come than were said to."""
    parts = [snapshot_matrix(day, snapshot_frame(day, customers=60), start=False) for day in (240, 210)]
    together, one_by_one = stack(parts), stack(iter(parts), rows=sum(map(len, parts)) + more)
    assert one_by_one.customers.tolist() == together.customers.tolist()
    assert one_by_one.values.tobytes() == together.values.tobytes()
    assert one_by_one.outcomes.tobytes() == together.outcomes.tobytes()


def test_one_part_without_outcomes_leaves_the_stack_without() -> None:
    parts = [numbers(), numbers(ROWS.drop(columns="happened"))]
    assert stack(parts).labels is None


@pytest.mark.parametrize(
    "columns", [["orders_30d"], ["average_order_value_30d", "orders_30d"]], ids=["fewer", "in another order"]
)
def test_snapshots_of_other_columns_are_refused_by_name(columns: list[str]) -> None:
    with pytest.raises(DataError, match=r"^snapshots differ in columns \(first: 'average_order_value_30d'\)"):
        stack([numbers(), numbers(columns=columns)])


@given(st.randoms(use_true_random=False), st.lists(st.sampled_from([210, 240, 270]), min_size=1, unique=True))
def test_neither_the_order_of_rows_nor_that_of_snapshots_changes_a_bit(random: Random, days: list[int]) -> None:
    parts = []
    for day in random.sample(days, len(days)):
        frame = snapshot_frame(day, customers=60)
        parts.append(snapshot_matrix(day, frame.iloc[random.sample(range(len(frame)), len(frame))], start=False))
    found = stack(parts)
    expected = stack([snapshot_matrix(day, snapshot_frame(day, customers=60), start=False) for day in sorted(days)])
    assert found.customers.tolist() == expected.customers.tolist()
    assert found.snapshots.tolist() == expected.snapshots.tolist()
    assert found.values.tobytes() == expected.values.tobytes()
    assert found.outcomes.tobytes() == expected.outcomes.tobytes()
