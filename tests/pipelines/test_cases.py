"""Inputs that went wrong, each with what is right: exports as they really come, told or refused, never miscounted."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from features.errors import DataError, SettingsError
from pipelines.foundation.workspace.console import Console
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.foundation.workspace.workspace import Workspace, open_workspace
from pipelines.prediction.checks.check import check
from pipelines.run import ingest
from tests.conftest import ROOT

CASES = ROOT / "tests" / "cases"
NOW = datetime(2024, 7, 1, 12, tzinfo=UTC)


@pytest.fixture
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A workspace of the case that the test is given."""
    return shutil.copytree(CASES / str(request.param), tmp_path / "case")


def given(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", [name], indirect=True, ids=[name])


def opened(folder: Path, now: datetime = NOW) -> RunContext:
    return RunContext(open_workspace(folder, now=now), Console(quiet=True), now)


def landed(folder: Path, now: datetime = NOW) -> tuple[Workspace, list[dict[str, Any]]]:
    job = opened(folder, now)
    files: list[dict[str, Any]] = ingest(job)["files"]
    return open_workspace(folder, now=now), files


def rows(workspace: Workspace, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = workspace.engine.to_pyarrow(workspace.tables[name]).to_pylist()
    return found


# Rows that stand in several files


@given("20a-overlapping-line-exports")
def test_monthly_exports_that_overlap_count_every_order_once(case: Path) -> None:
    workspace, files = landed(case)
    lines = rows(workspace, "order_lines")
    assert len(lines) == 16
    assert {line["quantity"] * line["unit_price"] for line in lines} == {Decimal(10)}
    assert files[1]["remarks"] == ("8 rows met before in this source: counted once",)


@given("21-same-order-number-in-two-shops")
def test_one_order_number_of_two_customers_is_refused_and_a_prefix_parts_them(case: Path) -> None:
    with pytest.raises(
        DataError, match=r"be\.csv: 2 of its rows have the order_id of another customer's row in fr\.csv"
    ):
        landed(case)
    text = (case / "attrition.toml").read_text()
    before, block, after = text.partition('path = "be.csv"')
    (case / "attrition.toml").write_text(f'{before}{block}\nkey_prefix = "be-"{after}')
    workspace, _ = landed(case)
    assert {row["customer_id"] for row in rows(workspace, "orders")} == {"anne", "bea", "carl", "dora"}


# Days that are typed wrongly


@given("23e-export-stopped-one-typo-2042")
@pytest.mark.parametrize("now", [date(2024, 1, 15), date(2024, 7, 1), date(2026, 11, 28)])
def test_an_export_that_stopped_reaches_no_further_for_one_order_of_2042(case: Path, now: date) -> None:
    workspace, files = landed(case, datetime(now.year, now.month, now.day, 12, tzinfo=UTC))
    assert workspace.data_days[1] <= date(2023, 12, 31)
    assert workspace.calendar.covered_until == workspace.data_days[1]
    (said,) = files[0]["remarks"]
    assert said.startswith(f"1 row with ordered_at after the day of this run, {now} (first: row ")
    document = check(opened(case, datetime(now.year, now.month, now.day, 12, tzinfo=UTC)))
    assert any("dated on the day of this run or later (first 2042-" in note for note in document["notes"])


@given("23f-live-shop-one-future-order")
def test_a_living_shop_with_one_order_of_a_day_to_come_learns_from_no_day_to_come(case: Path) -> None:
    last = max(
        row.split(",")[2]
        for row in (case / "orders.csv").read_text().splitlines()[1:]
        if row.split(",")[2] < "2024-01-05"
    )
    today = date.fromisoformat(last[:10])
    workspace, _ = landed(case, datetime(today.year, today.month, today.day, 12, tzinfo=UTC))
    calendar = workspace.calendar
    assert calendar.covered_until <= today
    for fold in calendar.fold_days():
        assert calendar.known_on(fold.test) <= calendar.covered_until


# Values as they are written


@given("09b-iso-forms")
def test_moments_are_read_as_programs_and_shops_print_them(case: Path) -> None:
    workspace, files = landed(case)
    assert [(file["path"], file["landed"]) for file in files] == [("iso.csv", 3), ("shopify.csv", 1), ("ampm.csv", 2)]
    moments = {row["order_id"]: str(row["ordered_at"]) for row in rows(workspace, "orders")}
    assert moments == {
        "2": "2024-01-05 10:11:12",
        "3": "2024-01-05 10:11:12.123000",
        "4": "2024-01-05 08:11:12",
        "6": "2025-10-07 07:50:26",
        "7": "2024-01-04 23:30:00",  # half past midnight in Paris
        "8": "2024-01-05 11:30:00",
    }


# What stands for a customer, and for an order


@given("15-guest-id-zero")
def test_guests_of_one_id_are_told_and_can_be_left_out(case: Path) -> None:
    _, (file,) = landed(case)
    (said,) = file["remarks"]
    assert said.startswith("1,500 of 5,116 rows (29%) are of one customer_id (first: row ")
    assert 'guests = ["..."]' in said
    text = (case / "attrition.toml").read_text()
    (case / "attrition.toml").write_text(text.replace('path = "orders.csv"', 'path = "orders.csv"\nguests = ["0"]'))
    workspace, (again,) = landed(case)
    assert (again["landed"], again["rejected"]) == (3616, 1500)
    assert again["remarks"] == (
        "of the rejected, 1,500 rows are no fault: of guests, of who was erased, or met before in it",
    )
    assert "0" not in {row["customer_id"] for row in rows(workspace, "orders")}


@given("13a-shopify-as-orders")
def test_lines_of_orders_mapped_as_orders_are_refused(case: Path) -> None:
    with pytest.raises(
        SettingsError, match="'refunded_amount' counts from 'refunded_at' on, so map that, too, or leave"
    ):
        landed(case)
    text = (case / "attrition.toml").read_text()
    (case / "attrition.toml").write_text(text.replace('refunded_amount = "Refunded Amount"\n', ""))
    with pytest.raises(DataError, match=r"7 of 13 rows \(53\.8%\) are rejected.*6 like row 2: amount is empty"):
        landed(case)


# What is mapped


@given("20a-overlapping-line-exports")
def test_check_opens_the_headings(case: Path) -> None:
    text = (case / "attrition.toml").read_text()
    (case / "attrition.toml").write_text(text.replace('"sku"', '"SKU code"'))
    with pytest.raises(DataError, match=r"column 'SKU code' \(for product_id\) is not in lines-2024-03\.csv"):
        check(opened(case))
