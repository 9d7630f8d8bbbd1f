from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest

from features.errors import DataError
from pipelines.data.sources.database.columns import CLOCK, DAY, FLOAT, MOMENT, TEXT, WHOLE, typed

AT = datetime(2024, 1, 2, 3, 4, 5, 678900)


def column(*values: Any, before: pa.DataType | None = None) -> pa.Array:
    return typed(values, before or pa.null(), name="x", where="the query")


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        ((1, None, -(2**63)), WHOLE),
        ((2**63, None), pa.decimal128(19, 0)),
        ((Decimal("1.50"), Decimal("-1234567890123456789012345678.1234"), None), pa.decimal128(32, 4)),
        ((1.1, None), FLOAT),
        (("é\0", None), TEXT),
        ((True, False, None), pa.bool_()),
        ((date(1, 1, 1), date(9999, 12, 31)), DAY),
        ((AT, None), CLOCK),
        ((AT.replace(tzinfo=UTC), None), MOMENT),
        ((None, None), pa.null()),
        ((), pa.null()),
    ],
)
def test_values_of_one_kind_come_back_as_they_are(values: tuple[Any, ...], type_: pa.DataType) -> None:
    found = column(*values)
    assert found.type == type_
    assert found.to_pylist() == list(values)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((1, 2.5), [1.0, 2.5]),
        ((2**63, 1), [Decimal(2**63), Decimal(1)]),
        ((1, Decimal("0.001")), [Decimal("1.000"), Decimal("0.001")]),
        ((date(2024, 1, 2), AT), [datetime(2024, 1, 2), AT]),
        ((1, "x", 2.5, date(2024, 1, 2)), ["1", "x", "2.5", "2024-01-02"]),
        ((AT, "x"), ["2024-01-02 03:04:05.678900", "x"]),
        ((UUID(int=1), None), ["00000000-0000-0000-0000-000000000001", None]),
        (({"a": "é"}, [1]), ['{"a": "é"}', "[1]"]),
    ],
)
def test_values_of_several_kinds_take_the_narrowest_type_that_holds_all(values: Any, expected: list[Any]) -> None:
    assert column(*values).to_pylist() == expected


@pytest.mark.parametrize(
    ("before", "value", "type_"),
    [
        (WHOLE, None, WHOLE),
        (WHOLE, 1.5, FLOAT),
        (FLOAT, 1, FLOAT),
        (WHOLE, Decimal("0.12"), pa.decimal128(21, 2)),
        (pa.decimal128(10, 2), Decimal("0.1234"), pa.decimal128(12, 4)),
        (DAY, AT, CLOCK),
        (CLOCK, date(2024, 1, 2), CLOCK),
        (TEXT, 1, TEXT),
        (pa.bool_(), "x", TEXT),
    ],
)
def test_a_column_only_widens(before: pa.DataType, value: Any, type_: pa.DataType) -> None:
    assert column(value, before=before).type == type_


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (b"ab", "the query: column 'x' holds bytes, which no table has; decode it to text in the query"),
        (timedelta(1), "column 'x' holds neither text, number nor date, which no table has; cast it to text"),
        (Decimal("NaN"), "column 'x' holds a number that is none (NaN, Infinity)"),
        (Decimal("1" * 39), "column 'x' needs 39 digits, and a number has 38 at most; round it in the query"),
    ],
)
def test_what_no_column_holds_is_refused_without_its_value(value: Any, words: str) -> None:
    with pytest.raises(DataError) as found:
        column(value)
    assert words in str(found.value)
