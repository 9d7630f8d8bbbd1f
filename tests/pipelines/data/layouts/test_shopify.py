"""The queries of the Shopify layout against an export whose facts are known."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.layouts import shopify, views
from tests.layouts.shop import Expected, Figures

TABLES = ("orders", "order_lines", "customers")
# What a careless hand would write instead, and which table's figures it makes wrong.
MISTAKES = (
    ("orders", "'pending', 'authorized', 'voided', 'expired'", "'authorized', 'voided', 'expired'"),
    ("orders", "'paid', 'partially_paid', 'partially_refunded', 'refunded'", "'paid'"),
    ("orders", "NOT ILIKE '%bogus%'", "NOT ILIKE '%nothing%'"),
    ("orders", 'lower("Email")', '"Email"'),
    ("orders", 'THEN "Total"', 'THEN "Subtotal"'),
    ("orders", 'ELSE concat_ws(\' \', "Total", "Currency")', 'ELSE "Total"'),
    ("orders", '"Cancelled at" AS cancelled_at', '"Created at" AS cancelled_at'),
    ("orders", "ORDER BY source_row\n    ) = 1", "ORDER BY source_row\n    ) >= 1"),
    ("order_lines", 'first_value("Created at") OVER same', '"Created at"'),
    ("order_lines", 'first_value("Currency") OVER same', '"Currency"'),
    ("order_lines", 'first_value("Email") OVER same', 'lag("Email") OVER (ORDER BY source_row)'),
    ("order_lines", "price * pieces - discount)", "price * pieces)"),
    ("order_lines", "+ pieces) //", ") //"),
    ("order_lines", '"Lineitem quantity" AS quantity', "'1' AS quantity"),
    ("customers", 'ORDER BY "Created at", source_file', "ORDER BY source_file"),
)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Expected]:
    folder = tmp_path_factory.mktemp("shopify")
    return folder, shopify.write(folder)


def found(folder: Path, table: str, sql: str) -> Figures:
    return views.figures(views.run(sql, folder), table, date_format=shopify.DATES)


@pytest.mark.parametrize("table", TABLES)
def test_figures_are_those_told_by_hand(export: tuple[Path, Expected], table: str) -> None:
    folder, right = export
    views.compare(found(folder, table, views.query("shopify", f"{table}.sql")), right.tables[table])


@pytest.mark.parametrize(("table", "written", "instead"), MISTAKES)
def test_a_mistake_in_a_query_is_noticed(export: tuple[Path, Expected], table: str, written: str, instead: str) -> None:
    folder, right = export
    sql = views.query("shopify", f"{table}.sql")
    assert written in sql
    wrong = found(folder, table, sql.replace(written, instead))
    with pytest.raises(AssertionError):
        views.compare(wrong, right.tables[table])


def test_orders_that_are_no_purchases_do_not_come_out(export: tuple[Path, Expected]) -> None:
    folder, right = export
    rows = views.run(views.query("shopify", "orders.sql"), folder)
    assert right.left_out.keys() == {"not paid", "test"}
    assert {row["order_id"] for row in rows}.isdisjoint(set().union(*right.left_out.values()))


def test_nothing_is_told_of_refunds_whose_day_is_unknown(export: tuple[Path, Expected]) -> None:
    folder, _ = export
    rows = views.run(views.query("shopify", "orders.sql"), folder)
    assert all(not {"refunded_at", "refunded_amount"} & row.keys() for row in rows)


def test_an_order_without_a_number_is_rejected_and_not_lost(tmp_path: Path) -> None:
    shopify.write(tmp_path, customers=40)
    sql, export = views.query("shopify", "orders.sql"), tmp_path / "orders_export.csv"
    before = views.run(sql, tmp_path)
    for row in before[:2]:
        export.write_text(export.read_text().replace(f"{row['order_id']},", ","))
    assert len(views.run(sql, tmp_path)) >= len(before)
    assert "None" in found(tmp_path, "orders", sql).rejected


@pytest.mark.parametrize(("written", "instead"), [(",3.33,", ',"3,33",'), (",0.50,", ',"0,50",')])
def test_a_price_that_is_no_number_is_rejected_and_not_lost(tmp_path: Path, written: str, instead: str) -> None:
    right = shopify.write(tmp_path, customers=40).tables["order_lines"]
    export = tmp_path / "orders_export.csv"
    export.write_text(export.read_text().replace(written, instead))
    lines = found(tmp_path, "order_lines", views.query("shopify", "order_lines.sql"))
    assert len(lines.rejected) > len(right.rejected)


def test_an_article_without_a_number_is_known_by_its_name(export: tuple[Path, Expected]) -> None:
    folder, _ = export
    products = {row["product_id"] for row in views.run(views.query("shopify", "order_lines.sql"), folder)}
    assert products == {"00007", "00012", "00123", "Becher", "10400", "20500"}
