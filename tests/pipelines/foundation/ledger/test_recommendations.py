from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from pipelines.foundation.ledger.recommendations import COLUMNS, Recommended
from pipelines.foundation.storage.store import Store
from tests.pipelines.operations.plays.recommend_case import note


@pytest.fixture
def store(tmp_path: Path) -> Store:
    found = Store(tmp_path)
    note(found, "2025-06-02", ("B", "call", "treatment"), ("A", "call", "holdout"))
    note(found, "2025-06-09", ("A", "message", "holdout"), ("É", "call", "treatment"))
    return found


def rows(store: Store) -> list[tuple[str, str]]:
    found = Recommended(store).read()
    assert list(found.columns) == list(COLUMNS)
    return list(zip(found["customer_id"], found["recommended_on"], strict=True))


def test_rows_come_back_by_day_and_customer(store: Store) -> None:
    assert rows(store) == [("A", "2025-06-02"), ("B", "2025-06-02"), ("A", "2025-06-09"), ("É", "2025-06-09")]
    assert Recommended(store).read()["value"].isna().all()


def test_a_day_is_replaced_whole(store: Store) -> None:
    note(store, "2025-06-02", ("C", "call", "treatment"))
    assert rows(store) == [("C", "2025-06-02"), ("A", "2025-06-09"), ("É", "2025-06-09")]
    note(store, "2025-06-02")
    assert rows(store) == [("A", "2025-06-09"), ("É", "2025-06-09")]


def test_who_is_struck_is_in_no_row_of_any_day(store: Store) -> None:
    def gone(names: list[str]) -> np.ndarray:
        return np.array([name == "A" for name in names])

    assert Recommended(store).delete_customers(gone) == 2
    assert rows(store) == [("B", "2025-06-02"), ("É", "2025-06-09")]
    assert Recommended(store).delete_customers(gone) == 0


def test_nobody_is_asked_for_where_there_is_nobody(tmp_path: Path) -> None:
    assert Recommended(Store(tmp_path)).delete_customers(lambda names: pytest.fail(f"asked for {names}")) == 0


def test_what_is_older_than_a_day_expires(store: Store) -> None:
    assert Recommended(store).expire(date(2025, 6, 9)) == 2
    assert rows(store) == [("A", "2025-06-09"), ("É", "2025-06-09")]
    assert Recommended(store).expire(date(2025, 6, 9)) == 0


def test_the_table_has_these_columns_in_this_order(store: Store) -> None:
    with store.transaction() as ledger:
        assert tuple(row["name"] for row in ledger.execute("PRAGMA table_info(recommended)")) == COLUMNS
