"""The queries of the Online Retail layout against invoices whose facts are known, in each form that they come in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.layouts import online_retail, views
from tests.layouts.online_retail import AMERICAN, FIRST, ISO, LONDON, SECOND
from tests.layouts.shop import Expected, Figures

TABLES = ("order_lines", "customers")
FORMS = [
    (form, heads, date_format)
    for form, date_format in (("csv", ISO), ("american", AMERICAN), ("gaps", ISO), ("parquet", ISO))
    for heads in (FIRST, SECOND)
]
# What a careless hand would write instead, and which table's figures it makes wrong.
MISTAKES = (
    ("order_lines", "'B', 'ADJUST'", "'ADJUST'"),
    ("order_lines", "'BANK CHARGES', ", ""),
    ("order_lines", "NOT LIKE 'TEST%'", "NOT LIKE 'T3ST%'"),
    ("order_lines", "LIKE '-%' AND", "LIKE '-%' OR"),
    ("order_lines", "AND NOT (coalesce(pieces, '') LIKE '-%'", "AND NOT (false"),
    ("order_lines", "pieces AS quantity", "'1' AS quantity"),
    ("order_lines", "'\\.0+$'", "'0+$'"),
    ("order_lines", "upper(trim(coalesce", "(trim(coalesce"),
    ("customers", "AND invoice NOT LIKE 'C%'", ""),
    ("customers", "ORDER BY invoice, written_at", "ORDER BY invoice DESC, written_at"),
)


def found(folder: Path, table: str, sql: str, *, date_format: str = ISO) -> Figures:
    (file,) = folder.iterdir()
    rows = views.run(sql.replace("online_retail.csv", file.name), folder)
    return views.figures(rows, table, date_format=date_format, zone=LONDON)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Expected]:
    folder = tmp_path_factory.mktemp("online_retail")
    return folder, online_retail.write(folder)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(("form", "heads", "date_format"), FORMS)
def test_figures_are_those_told_by_hand(
    tmp_path: Path, table: str, form: str, heads: tuple[str, str, str], date_format: str
) -> None:
    right = online_retail.write(tmp_path, customers=150, form=form, heads=heads)
    sql = views.query("online-retail", f"{table}.sql")
    views.compare(found(tmp_path, table, sql, date_format=date_format), right.tables[table])


@pytest.mark.parametrize(("table", "written", "instead"), MISTAKES)
def test_a_mistake_in_a_query_is_noticed(export: tuple[Path, Expected], table: str, written: str, instead: str) -> None:
    folder, right = export
    sql = views.query("online-retail", f"{table}.sql")
    assert written in sql
    wrong = found(folder, table, sql.replace(written, instead))
    with pytest.raises(AssertionError):
        views.compare(wrong, right.tables[table])


def test_bookkeeping_does_not_come_out(export: tuple[Path, Expected]) -> None:
    folder, right = export
    invoices = {row["order_id"] for row in views.run(views.query("online-retail", "order_lines.sql"), folder)}
    assert right.left_out.keys() == {"books", "lost", "debt"}
    assert invoices.isdisjoint(right.left_out["lost"] | right.left_out["debt"])


def test_postage_and_the_like_are_no_products(export: tuple[Path, Expected]) -> None:
    folder, _ = export
    rows = views.run(views.query("online-retail", "order_lines.sql"), folder)
    assert {row["product_id"] for row in rows} == {"00007", "00012", "00123", "01001", "10400", "20500", None}


def test_the_country_is_that_of_the_first_invoice_where_one_is_said(export: tuple[Path, Expected]) -> None:
    folder, _ = export
    rows = views.run(views.query("online-retail", "customers.sql"), folder)
    assert {row["country"] for row in rows} == {"Germany", "Austria", None}
