"""The queries of the layout stripe-export, on the exports of a made-up company, to the cent and per month."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.layouts import billing_views as views
from tests.layouts import stripe_export
from tests.layouts.billing_views import Expected, connected, landed, worth

LAYOUT = Path(__file__).parents[4] / "pipelines" / "data" / "layouts" / "stripe-export"
SETTINGS = tomllib.loads((LAYOUT / "attrition.toml").read_text(encoding="utf-8"))
SOURCES = {source["table"]: source for source in SETTINGS["sources"]}
Rows = list[dict[str, Any]]
Export = tuple[duckdb.DuckDBPyConnection, Expected]


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Export:
    folder = tmp_path_factory.mktemp("stripe")
    right = stripe_export.write(folder)
    return connected(folder), right


def sql_of(table: str) -> str:
    return (LAYOUT / SOURCES[table]["query"]).read_text(encoding="utf-8")


def read(export: Export, table: str, sql: str | None = None) -> tuple[Rows, list[str]]:
    return landed(export[0], sql or sql_of(table), table, dialect=SOURCES[table]["dialect"], zone=SETTINGS["time_zone"])


def per_month(rows: Rows, clock: str, worth: Callable[[dict[str, Any]], Decimal | int | None]) -> dict[str, Decimal]:
    return views.per_month(rows, clock, stripe_export.ZONE, worth)


def test_every_subscription_once_with_its_price(export: Export) -> None:
    rows, refused = read(export, "subscriptions")
    right = export[1].months["subscriptions"]
    assert len(rows) == len({row["subscription_id"] for row in rows}) == export[1].rows["subscriptions"]
    assert per_month(rows, "started_at", lambda row: 1) == right["begun"]
    assert per_month(rows, "started_at", lambda row: 1 if row["mrr"] is None else None) == right["price unknown"]
    for currency in ("EUR", "JPY", "USD"):
        mrr = per_month(rows, "started_at", worth("mrr", currency=currency))
        assert mrr == right[f"mrr {currency}"]
    assert len(refused) == export[1].refused["subscriptions"]


def test_what_is_refused_says_why(export: Export) -> None:
    _, refused = read(export, "subscriptions")
    assert sorted(why.split()[0] for why in refused) == ["ended_at", "ended_at", "known_at", *["mrr"] * 4]


def test_ends_of_their_own_will_and_for_want_of_payment(export: Export) -> None:
    rows, _ = read(export, "subscriptions")
    right = export[1].months["subscriptions"]
    failed = per_month(rows, "ended_at", lambda row: 1 if row["end_reason"] == "payment_failed" else None)
    wanted = per_month(rows, "ended_at", lambda row: 1 if row["end_reason"] == "cancellation_requested" else None)
    assert failed == right["ended, failed"]
    assert wanted == right["ended, given notice"]
    assert all(row["cancel_requested_at"] is None for row in rows if row["end_reason"] == "payment_failed")
    assert all(
        row["cancel_requested_at"] <= row["ended_at"] for row in rows if row["end_reason"] == "cancellation_requested"
    )
    leaving = [row for row in rows if row["auto_renew"] is False]
    assert leaving
    assert all(row["ended_at"] is None and row["cancel_requested_at"] for row in leaving)


def test_what_was_entered_later_was_known_later(export: Export) -> None:
    rows, _ = read(export, "subscriptions")
    assert all(row["known_at"] >= row["started_at"] for row in rows)
    assert any(row["known_at"] > row["started_at"] for row in rows)


def test_who_comes_back_under_another_stripe_customer_is_the_same(export: Export) -> None:
    rows, _ = read(export, "subscriptions")
    customers, _ = read(export, "customers")
    names = {row["customer_id"] for row in rows}
    assert names <= {row["customer_id"] for row in customers}
    assert len(customers) == len({row["customer_id"] for row in customers}) == export[1].rows["customers"]
    assert per_month(customers, "signed_up_at", lambda row: 1) == export[1].months["customers"]["came"]
    assert len(names) < len(rows) - len([row for row in rows if row["subscription_id"] == "sub_usage"])
    assert all("@" in name and name == name.lower() for name in names if not name.startswith("cus_"))
    assert any(name.startswith("cus_") for name in names)


def test_a_listed_coupon_is_taken_off_exactly(export: Export) -> None:
    sql = sql_of("subscriptions").replace("'(an example)'", "'SPRING'")
    rows, _ = read(export, "subscriptions", sql)
    plain = {row["subscription_id"] for row in read(export, "subscriptions")[0] if row["mrr"] is None}
    mrr = per_month(rows, "started_at", lambda row: row["mrr"] if row["subscription_id"] in plain else None)
    assert mrr == export[1].months["subscriptions"]["mrr once SPRING is listed"]


@pytest.mark.parametrize("table", ["subscriptions", "payments", "invoices"])
def test_one_currency_alone(export: Export, table: str) -> None:
    rows, _ = read(export, table)
    only, _ = read(export, table, sql_of(table).replace("-- AND upper", "AND upper"))
    assert {row["currency"] for row in rows} == {"EUR", "JPY", "USD"}
    assert {row["currency"] for row in only} == {"EUR"}
    assert len(only) == len([row for row in rows if row["currency"] == "EUR"])


def test_payments_that_came_and_that_failed(export: Export) -> None:
    rows, refused = read(export, "payments")
    right = export[1].months["payments"]
    assert len(rows) == export[1].rows["payments"]
    assert per_month(rows, "attempted_at", lambda row: None if row["succeeded"] else 1) == right["failed"]
    for kind in ("hard", "soft"):
        failed = per_month(rows, "attempted_at", worth(1, failure_kind=kind))
        assert failed == right[f"failed {kind}"]
    for currency in ("EUR", "JPY", "USD"):
        came = per_month(
            rows,
            "attempted_at",
            worth("amount", succeeded=True, currency=currency),
        )
        assert came == right[f"came {currency}"]
    assert len(refused) == export[1].refused["payments"]
    assert refused.count("customer_id is empty") == 1  # the guest
    assert all(row["failure_code"] is None for row in rows if row["succeeded"])


def test_payments_are_of_the_customers_of_the_subscriptions(export: Export) -> None:
    subscriptions = {row["customer_id"] for row in read(export, "subscriptions")[0]}
    assert {row["customer_id"] for row in read(export, "payments")[0]} <= subscriptions
    assert {row["customer_id"] for row in read(export, "invoices")[0]} <= subscriptions


def test_invoices_with_what_befell_them(export: Export) -> None:
    rows, refused = read(export, "invoices")
    right = export[1].months["invoices"]
    assert len(rows) == export[1].rows["invoices"]
    for clock, figure in (("voided_at", "voided"), ("written_off_at", "written off")):
        assert per_month(rows, clock, lambda row: 1) == right[figure]
    for currency in ("EUR", "JPY", "USD"):
        for clock, figure in (("issued_at", "asked"), ("paid_at", "paid")):
            sums = per_month(rows, clock, worth("amount", currency=currency))
            assert sums == right[f"{figure} {currency}"]
    assert len(refused) == export[1].refused["invoices"]


def test_headings_that_an_export_may_lack(tmp_path: Path) -> None:
    right = stripe_export.write(tmp_path, customers=40)
    lacking = ("Currency", "Coupon", "Start Date (UTC)", "Cancel At Period End", "Cancellation Reason")
    connection = connected(tmp_path)
    connection.execute('ALTER VIEW "subscriptions.csv" RENAME TO "all columns"')
    left = ", ".join(f'"{name}"' for name in lacking)
    connection.execute(f'CREATE VIEW "subscriptions.csv" AS SELECT * EXCLUDE ({left}) FROM "all columns"')
    rows, _ = read((connection, right), "subscriptions")
    assert len(rows) == right.rows["subscriptions"]
    assert {row["currency"] for row in rows} == {None}
    assert all(row["started_at"] == row["known_at"] for row in rows)


@pytest.mark.parametrize(
    ("table", "name", "older"),
    [
        ("subscriptions", "subscriptions.csv", "'trialing' AS \"Status\", '1.00' AS \"Amount\""),
        ("payments", "unified_payments.csv", "'Failed' AS \"Status\""),
        ("invoices", "invoices.csv", "'' AS \"Paid At (UTC)\", '1.00' AS \"Total\""),
    ],
)
def test_of_exports_that_overlap_the_last_holds(tmp_path: Path, table: str, name: str, older: str) -> None:
    stripe_export.write(tmp_path, customers=30)
    connection = connected(tmp_path)
    once, _ = landed(connection, sql_of(table), table, dialect=SOURCES[table]["dialect"], zone=stripe_export.ZONE)
    connection.execute(f'ALTER VIEW "{name}" RENAME TO "last"')
    replaced = f"""SELECT * REPLACE ({older}, 'a' AS source_file) FROM "last" WHERE id LIKE '%_0%'"""
    connection.execute(f'CREATE VIEW "{name}" AS FROM "last" UNION ALL {replaced}')
    twice, _ = landed(connection, sql_of(table), table, dialect=SOURCES[table]["dialect"], zone=stripe_export.ZONE)

    def facts(rows: Rows) -> list[str]:
        return sorted(map(str, rows))

    assert facts(twice) == facts(once)
