"""The queries of the PrestaShop layout against exports whose facts are known."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.layouts import prestashop, views
from tests.layouts.shop import Expected, Figures

TABLES = ("orders", "order_lines", "refunds")
# What a careless hand would write instead, and which table's figures it makes wrong.
MISTAKES = (
    ("orders", "paid = '1' OR logable = '1'", "logable = '1'"),
    ("orders", "ago = 1 AND bought", "ago = 1"),
    ("orders", "ago = 1 AND bought", "bought"),
    ("orders", "ORDER BY state_date DESC", "ORDER BY state_date"),
    ("orders", "TRY_CAST(id_order_history AS BIGINT) DESC", "id_order_history DESC"),
    ("orders", "CASE WHEN coalesce(is_guest, '0') <> '1' THEN id_customer END", "id_customer"),
    ("orders", "// (2 * rate)", "// 2000000"),
    ("orders", "20000 * total + rate", "20000 * total"),
    ("orders", "id_order_state IN ('6')", "id_order_state IN ('6', '7')"),
    ("orders", "THEN state_date END", "THEN date_add END"),
    ("order_lines", " OR coalesce(invoice_number, '0') <> '0'", ""),
    ("order_lines", "coalesce(valid, '0') = '1' OR coalesce(invoice_number, '0') <> '0'", "true"),
    ("order_lines", "TRY_CAST(unit_price_tax_incl", "TRY_CAST(total_price_tax_incl"),
    ("order_lines", "20000 * price + rate", "20000 * price"),
    ("order_lines", "product_quantity AS quantity", "'1' AS quantity"),
    ("refunds", "'-' || CAST", "CAST"),
    ("refunds", "+ TRY_CAST(coalesce(total_shipping_tax_incl, '0')", "+ TRY_CAST(coalesce('0', '0')"),
    ("refunds", "coalesce(total_shipping_tax_incl, '0')", "total_shipping_tax_incl"),
    ("refunds", "IS DISTINCT FROM 0", "IS DISTINCT FROM 1"),
)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Expected]:
    folder = tmp_path_factory.mktemp("prestashop")
    return folder, prestashop.write(folder)


def found(folder: Path, name: str, sql: str) -> Figures:
    table = "orders" if name == "refunds" else name
    return views.figures(views.run(sql, folder, delimiter=";"), table, date_format=prestashop.DATES)


@pytest.mark.parametrize("name", TABLES)
def test_figures_are_those_told_by_hand(export: tuple[Path, Expected], name: str) -> None:
    folder, right = export
    views.compare(found(folder, name, views.query("prestashop", f"{name}.sql")), right.tables[name])


@pytest.mark.parametrize(("name", "written", "instead"), MISTAKES)
def test_a_mistake_in_a_query_is_noticed(export: tuple[Path, Expected], name: str, written: str, instead: str) -> None:
    folder, right = export
    sql = views.query("prestashop", f"{name}.sql")
    assert written in sql
    wrong = found(folder, name, sql.replace(written, instead))
    with pytest.raises(AssertionError):
        views.compare(wrong, right.tables[name])


def test_orders_that_were_never_paid_do_not_come_out(export: tuple[Path, Expected]) -> None:
    folder, right = export
    rows = views.run(views.query("prestashop", "orders.sql"), folder, delimiter=";")
    assert right.left_out.keys() == {"never paid"}
    assert {row["order_id"] for row in rows}.isdisjoint(right.left_out["never paid"])


@pytest.mark.parametrize("name", TABLES)
def test_the_currency_is_the_one_that_others_are_converted_to(export: tuple[Path, Expected], name: str) -> None:
    folder, _ = export
    rows = views.run(views.query("prestashop", f"{name}.sql"), folder, delimiter=";")
    assert {row["currency"] for row in rows} == {"EUR"}


@pytest.mark.parametrize(("name", "file"), [("orders", 1), ("order_lines", 2), ("refunds", 3)])
def test_a_rate_that_is_no_number_is_rejected_and_not_lost(tmp_path: Path, name: str, file: int) -> None:
    prestashop.write(tmp_path, customers=80)
    export = tmp_path / f"request_sql_{file}.csv"
    export.write_text(export.read_text().replace(";0.945300;", ";0,945300;"))
    assert found(tmp_path, name, views.query("prestashop", f"{name}.sql")).rejected


def test_each_select_to_be_saved_gives_what_the_export_has() -> None:
    for name, columns in zip(TABLES, (prestashop.ORDERS, prestashop.LINES, prestashop.SLIPS), strict=True):
        comment = [line[2:] for line in views.query("prestashop", f"{name}.sql").splitlines() if line[:4] == "--  "]
        asked = " ".join(comment).partition("SELECT ")[2].partition(" FROM ")[0].split(",")
        assert tuple(each.strip().split(" AS ")[-1].split(".")[-1] for each in asked) == columns
