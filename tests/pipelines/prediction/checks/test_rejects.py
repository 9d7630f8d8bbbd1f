"""Why rows were rejected, without a value of a row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from features.tables import TABLES
from pipelines.foundation.storage.landed_parquet import REJECTED_SCHEMA, write_parquet
from pipelines.foundation.storage.spilling import spilling
from pipelines.prediction.checks.rejects import reject_reasons


def told(folder: Path, reasons: Sequence[str]) -> dict[str, int]:
    place = folder / "rejected.parquet"
    rows = [{"source_row": n, "reason": each, "source": "x", "raw_row": None} for n, each in enumerate(reasons)]
    write_parquet(place, pa.Table.from_pylist(rows, REJECTED_SCHEMA).to_batches(), REJECTED_SCHEMA)
    with spilling() as connection:
        return reject_reasons(connection, [place], TABLES["orders"])


@pytest.mark.parametrize(
    ("reason", "fault"),
    [
        ("customer_id is empty", "customer_id is empty"),
        ("amount 'abc' is not a number (decimal mark '.', no thousands mark)", "amount is not a number"),
        ("amount 'abc' is not a number (decimal mark ',', thousands mark ' ')", "amount is not a number"),
        ("amount is not a number (decimal mark '.', no thousands mark)", "amount is not a number"),  # pseudonymised
        ("ordered_at '1/2/3' is not a date written as %d '%m %Y", "ordered_at is not a date"),
        (
            "ordered_at '1822-01-01' lies outside the years 1900 to 2200",
            "ordered_at lies outside the years 1900 to 2200",
        ),
        ("repeats row 17", "repeats an earlier row"),
        ("has 3 values where the header names 4 columns", "has too few or too many values"),
        ("a guest", "of guests"),
        ("erased", "of erased customers"),
        ("customer_id is empty; amount 'x' is not a number", "amount is not a number"),
        ("ordered_at 'x' is not a date; amount 'y' is not a number", "amount is not a number"),
        ("'", "another fault"),
    ],
)
def test_a_reason_is_told_by_column_and_words(tmp_path: Path, reason: str, fault: str) -> None:
    assert told(tmp_path, [reason]) == {fault: 1}


def test_the_most_frequent_comes_first_whatever_the_values(tmp_path: Path) -> None:
    reasons = ["amount 'b' is not a number", "customer_id is empty", "amount 'a' is not a number"]
    assert list(told(tmp_path, reasons).items()) == [("amount is not a number", 2), ("customer_id is empty", 1)]


@pytest.mark.parametrize(
    "value",
    [
        "SECRET",
        "SECRET' is SECRET",
        "' is SECRET",
        "SECRET; amount 'x' is SECRET",
        "SECRET; amount is empty; SECRET",
        "x'; order_id 'SECRET' is none of SECRET; amount '",
        "\n' is SECRET\n; SECRET 'SECRET",
        "(SECRET' has SECRET (",
    ],
)
def test_nothing_of_a_value_is_told_whatever_it_pretends_to_be(tmp_path: Path, value: str) -> None:
    for before in ("", "customer_id is empty; ", f"ordered_at '{value}' is not a date written as %Y; "):
        found = told(tmp_path, [f"{before}amount '{value}' is not a number (decimal mark '.', no mark)"])
        assert "SECRET" not in str(found)
        assert next(iter(found)).endswith(" is not a number")
