"""The queries of the WooCommerce layout against exports whose facts are known."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from pathlib import Path

import pytest

from tests.layouts import views, woocommerce
from tests.layouts.shop import Expected, Figures

TABLES = ("orders", "order_lines", "customers")
# What a careless hand would write instead, and which table's figures it makes wrong.
MISTAKES = (
    ("orders", "'pending', 'on-hold', 'failed'", "'on-hold', 'failed'"),
    ("orders", "'processing', 'completed', 'refunded'", "'processing', 'completed'"),
    ("orders", "'^wc-', ''", "'^wp-', ''"),
    ("orders", "lower(billing_email)", "customer_id"),
    ("orders", "THEN order_total", "THEN tax_total"),
    ("orders", "concat_ws(' ', order_total, order_currency)", "order_total"),
    ("orders", "list_max(", "list_min("),
    ("orders", "THEN last_refund_at END", 'THEN "date" END'),
    ("orders", "NOT NULL THEN refunded_total", "NOT NULL THEN order_total"),
    ("order_lines", "+ TRY_CAST(coalesce(item_total_tax, '0') AS DECIMAL(18, 4))) * 10000", ") * 10000"),
    ("order_lines", "20000 * paid + pieces", "20000 * paid"),
    ("order_lines", "(2 * pieces)", "20000"),
    ("order_lines", "item_quantity AS quantity", "'1' AS quantity"),
    ("order_lines", "'failed', 'cancelled'", "'failed'"),
    ("customers", "coalesce(billing_email, email)", "billing_email"),
    ("customers", "WHERE date_registered IS NOT NULL", ""),
)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Expected]:
    folder = tmp_path_factory.mktemp("woocommerce")
    return folder, woocommerce.write(folder)


def found(folder: Path, table: str, sql: str) -> Figures:
    zone = UTC if table == "customers" else None
    return views.figures(
        views.run(sql, folder), table, date_format=woocommerce.DATES, guests=woocommerce.GUESTS, written_in=zone
    )


@pytest.mark.parametrize("table", TABLES)
def test_figures_are_those_told_by_hand(export: tuple[Path, Expected], table: str) -> None:
    folder, right = export
    views.compare(found(folder, table, views.query("woocommerce", f"{table}.sql")), right.tables[table])


@pytest.mark.parametrize(("table", "written", "instead"), MISTAKES)
def test_a_mistake_in_a_query_is_noticed(export: tuple[Path, Expected], table: str, written: str, instead: str) -> None:
    folder, right = export
    sql = views.query("woocommerce", f"{table}.sql")
    assert written in sql
    wrong = found(folder, table, sql.replace(written, instead))
    with pytest.raises(AssertionError):
        views.compare(wrong, right.tables[table])


def test_orders_that_are_no_purchases_do_not_come_out(export: tuple[Path, Expected]) -> None:
    folder, right = export
    rows = views.run(views.query("woocommerce", "orders.sql"), folder)
    assert right.left_out.keys() == {f"status {name}" for name in ("cancelled", "pending", "on-hold", "failed")}
    assert {row["order_id"] for row in rows}.isdisjoint(set().union(*right.left_out.values()))


def test_an_amount_that_went_back_on_an_unknown_day_is_not_told(tmp_path: Path) -> None:
    woocommerce.write(tmp_path, customers=60)
    sql = views.query("woocommerce", "orders.sql").replace(
        "SELECT *, regexp", "SELECT * REPLACE ('' AS refunds), regexp"
    )
    rows = views.run(sql, tmp_path)
    assert all(row["refunded_at"] is None and row["refunded_amount"] is None for row in rows)


def test_what_a_line_was_reduced_by_is_with_tax(export: tuple[Path, Expected]) -> None:
    folder, _ = export
    rows = views.run(views.query("woocommerce", "order_lines.sql"), folder)
    assert {str(row["discount"]) for row in rows} >= {"0.0000", "0.5000", "1.0000", "2.5500", "5.5000"}
    assert all(Decimal(str(row["discount"])) >= 0 for row in rows)


def test_a_total_that_is_no_number_is_rejected_and_not_lost(tmp_path: Path) -> None:
    right = woocommerce.write(tmp_path, customers=40).tables["order_lines"]
    export = tmp_path / "orders-export-items.csv"
    export.write_text(export.read_text().replace(",2.80,", ',"2,80",'))
    lines = found(tmp_path, "order_lines", views.query("woocommerce", "order_lines.sql"))
    assert len(lines.rejected) > len(right.rejected)
