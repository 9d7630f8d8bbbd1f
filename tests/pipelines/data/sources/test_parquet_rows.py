from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.pipelines.data.landing.landing_case import land, refusal


def parquet(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def orders(count: int = 2, **columns: pa.Array) -> pa.Table:
    good = {
        "order_id": pa.array([f"A-{n}" for n in range(count)]),
        "customer_id": pa.array(["C-1"] * count),
        "ordered_at": pa.array([datetime(2024, 1, 2)] * count, pa.timestamp("us")),
        "amount": pa.array([11.77] * count),
    }
    return pa.table(good | columns)


def land_parquet(root: Path, table: pa.Table, **changes: Any) -> Any:
    return land(root, parquet(table), path="orders.parquet", **changes)


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.99])
def test_a_parquet_file_cut_short_is_refused(tmp_path: Path, keep: float) -> None:
    whole = parquet(orders(1000))
    words = refusal(tmp_path, whole[: int(len(whole) * keep)], path="orders.parquet")
    assert "orders.parquet is not a whole Parquet file" in words


def test_a_parquet_file_damaged_in_the_middle_is_refused(tmp_path: Path) -> None:
    whole = bytearray(parquet(orders(1000)))
    whole[4:200] = b"\xff" * 196
    assert "orders.parquet is not a whole Parquet file" in refusal(tmp_path, bytes(whole), path="orders.parquet")


def test_float_noise_is_rounded_to_four_decimals(tmp_path: Path) -> None:
    amounts = pa.array([11.77, 0.1 + 0.2, -1e-9, 1e13])
    landed = land_parquet(tmp_path, orders(4, amount=amounts))
    assert [str(value) for value in landed.values("amount")] == ["11.7700", "0.3000", "0.0000", "10000000000000.0000"]


def test_floats_of_32_bits_are_rounded_likewise(tmp_path: Path) -> None:
    assert land_parquet(tmp_path, orders(1, amount=pa.array([11.77], pa.float32()))).values("amount") == [
        Decimal("11.77")
    ]


def test_floats_that_are_no_amounts_are_rejected(tmp_path: Path) -> None:
    landed = land_parquet(tmp_path, orders(4, amount=pa.array([float("nan"), float("-inf"), 1e15, None])))
    assert landed.reasons == {
        1: "amount 'nan' is not a number",
        2: "amount '-inf' is not a number",
        3: "amount '1000000000000000.0' has more than 14 digits before the decimal mark",
        4: "amount is empty",
    }


def test_exact_decimals_are_not_rounded(tmp_path: Path) -> None:
    amounts = pa.array([Decimal("1.23450000"), Decimal("1.23451000"), None], pa.decimal128(38, 8))
    landed = land_parquet(tmp_path, orders(3, amount=amounts))
    assert landed.values("amount") == [Decimal("1.2345")]
    assert landed.reasons == {2: "amount '1.23451000' has more than 4 decimals", 3: "amount is empty"}


def test_whole_numbers_become_ids_and_others_do_not(tmp_path: Path) -> None:
    ids = pa.array([17850.0, 1.5, 2.0**53, float("nan"), None, -0.0])
    landed = land_parquet(tmp_path, orders(6, customer_id=ids))
    assert landed.values("customer_id") == ["17850", "0"]
    assert landed.reasons == {
        2: "customer_id '1.5' is not a whole number",
        3: "customer_id '9007199254740992.0' is too large for a float to be exact; export whole numbers or text",
        4: "customer_id 'nan' is not a whole number",
        5: "customer_id is empty",
    }


@pytest.mark.parametrize(
    "ids",
    [
        pa.array([7], pa.uint64()),
        pa.array([7], pa.int8()),
        pa.array([Decimal(7)], pa.decimal128(38, 0)),
        pa.array([" 7 "], pa.large_string()),
        pa.array(["7"]).dictionary_encode(),
    ],
)
def test_ids_of_other_types_become_their_text(tmp_path: Path, ids: pa.Array) -> None:
    assert land_parquet(tmp_path, orders(1, customer_id=ids)).values("customer_id") == ["7"]


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_a_moment_beyond_what_can_be_counted_is_damage(zone: str | None, tmp_path: Path) -> None:
    at = pa.array([2**60, 0]).cast(
        pa.timestamp("ms", tz=zone)
    )  # as a changed byte makes it; DuckDB does not read past it
    pq.write_table(orders(2, ordered_at=at), tmp_path / "orders.parquet")
    assert "is not a whole Parquet file" in refusal(
        tmp_path, (tmp_path / "orders.parquet").read_bytes(), path="orders.parquet"
    )


def test_counted_seconds_are_moments_where_the_settings_say_so(tmp_path: Path) -> None:
    for at in (pa.array([1_700_000_000]), pa.array([1.7e9]), pa.array([Decimal(1_700_000_000)])):
        landed = land_parquet(tmp_path, orders(1, ordered_at=at), date_format="epoch_s", source_zone="Europe/Paris")
        assert landed.values("ordered_at") == [datetime(2023, 11, 14, 22, 13, 20)]


def test_text_is_read_as_the_dialect_says(tmp_path: Path) -> None:
    landed = land_parquet(tmp_path, orders(3, amount=pa.array(["1.234,50", "1.2", ""])), decimal=",", thousands=".")
    assert landed.values("amount") == [Decimal("1234.5000")]
    assert sorted(landed.reasons.values()) == [
        "amount '1.2' is not a number (decimal mark ',', thousands mark '.')",
        "amount is empty",
    ]


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("amount", pa.array([[1]]), "column 'amount' of orders.parquet is list<element: int64>; money needs a number"),
        ("amount", pa.array([True]), "is bool; money needs a number"),
        ("customer_id", pa.array([b"x"]), "is binary; text needs text or whole numbers"),
        ("customer_id", pa.array([date(2024, 1, 1)]), "text needs text or whole numbers"),
        ("ordered_at", pa.array([40513]), "is int64; timestamp needs a timestamp, a date, or text"),
    ],
)
def test_columns_of_a_type_that_does_not_fit_are_refused(
    tmp_path: Path, column: str, values: pa.Array, words: str
) -> None:
    assert words in refusal(tmp_path, parquet(orders(1, **{column: values})), path="orders.parquet")


@pytest.mark.parametrize(
    ("moments", "utc"),
    [
        (pa.array([datetime(2024, 7, 1)], pa.timestamp("us")), datetime(2024, 6, 30, 22)),
        (pa.array([datetime(2024, 7, 1)], pa.timestamp("ns")), datetime(2024, 6, 30, 22)),
        (pa.array([datetime(2024, 10, 27, 2, 30)], pa.timestamp("ms")), datetime(2024, 10, 27, 0, 30)),
        (pa.array([datetime(2024, 7, 1, tzinfo=UTC)], pa.timestamp("us", "UTC")), datetime(2024, 7, 1)),
        (pa.array([datetime(2024, 7, 1, tzinfo=UTC)], pa.timestamp("ns", "America/New_York")), datetime(2024, 7, 1)),
        (pa.array([date(2024, 7, 1)]), datetime(2024, 6, 30, 22)),
        (pa.array(["2024-07-01"]), datetime(2024, 6, 30, 22)),
    ],
)
def test_moments_of_every_type(tmp_path: Path, moments: pa.Array, utc: datetime) -> None:
    landed = land_parquet(tmp_path, orders(1, ordered_at=moments), time_zone="Europe/Paris")
    assert landed.values("ordered_at") == [utc]


def test_timestamps_that_do_not_say_their_zone_need_one_declared(tmp_path: Path) -> None:
    content = parquet(orders(1), use_deprecated_int96_timestamps=True)
    assert "column 'ordered_at' of orders.parquet is INT96" in refusal(tmp_path, content, path="orders.parquet")
    landed = land(tmp_path, content, path="orders.parquet", time_zone="Europe/Paris", source_zone="UTC")
    assert landed.values("ordered_at") == [datetime(2024, 1, 2)]


def test_years_beyond_belief_are_rejected_in_parquet_too(tmp_path: Path) -> None:
    moments = pa.array([datetime(1, 1, 1), datetime(9999, 12, 31)], pa.timestamp("us"))
    landed = land_parquet(tmp_path, orders(2, ordered_at=moments))
    assert landed.reasons[2] == "ordered_at '9999-12-31 00:00:00' lies outside the years 1900 to 2200"
    assert list(landed.reasons) == [1, 2]


def test_parquet_names_that_differ_only_in_case_are_told_apart(tmp_path: Path) -> None:
    table = orders(1).append_column("AMOUNT", pa.array([99])).append_column("Amount", pa.array([98]))
    assert land_parquet(tmp_path, table).values("amount") == [Decimal("11.77")]


def test_parquet_text_with_nul_is_rejected(tmp_path: Path) -> None:
    landed = land_parquet(tmp_path, orders(2, customer_id=pa.array(["C\0", "C-1"])))
    assert landed.reasons == {1: "customer_id 'C?' holds a NUL character"}


@pytest.mark.parametrize("type_", [pa.float64(), pa.decimal128(38, 20)], ids=str)
def test_recurring_prices_are_rounded_and_never_below_zero(tmp_path: Path, type_: pa.DataType) -> None:
    prices = pa.array([Decimal("166.66666666666666"), Decimal(0), Decimal(-5), None], pa.decimal128(38, 20))
    rows = {
        "subscription_id": pa.array(["s1", "s2", "s3", "s4"]),
        "customer_id": pa.array(["a", "b", "c", "d"]),
        "started_at": pa.array([datetime(2024, 1, 2)] * 4, pa.timestamp("us")),
        "mrr": prices.cast(type_),
    }
    columns = {name: name for name in rows}
    landed = land(tmp_path, parquet(pa.table(rows)), path="subs.parquet", table="subscriptions", columns=columns)
    assert landed.values("customer_id", "mrr") == [("a", Decimal("166.6667")), ("b", 0), ("d", None)]
    assert [why.endswith("is below 0") for why in landed.reasons.values()] == [True]


def test_text_that_is_not_utf8_is_told_by_column_and_row_and_not_by_its_value(tmp_path: Path) -> None:
    raw = pa.array([b"C-1", b"C-canary-\xff"], pa.binary())
    words = refusal(
        tmp_path,
        parquet(orders(customer_id=pa.Array.from_buffers(pa.string(), 2, raw.buffers()))),
        path="orders.parquet",
    )
    assert "canary" not in words
    assert "column 'customer_id' of orders.parquet holds text that is not UTF-8" in words
    assert "(first: row 2)" in words


def test_a_currency_that_is_a_number_is_refused_with_what_it_has_to_be(tmp_path: Path) -> None:
    columns = {name: name for name in ("order_id", "customer_id", "ordered_at", "amount", "currency")}
    table = orders(currency=pa.array([978, 978]))
    words = refusal(tmp_path, parquet(table), path="orders.parquet", columns=columns)
    assert "column 'currency' of orders.parquet is int64; currency needs text" in words


def test_names_within_a_nested_column_are_not_repeated(tmp_path: Path) -> None:
    table = orders(amount=pa.array([{"C-canary": 1}, {"C-canary": 2}]))
    words = refusal(tmp_path, parquet(table), path="orders.parquet")
    assert "column 'amount' of orders.parquet is nested (records)" in words
    assert "canary" not in words
