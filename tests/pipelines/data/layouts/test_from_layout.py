from __future__ import annotations

import shutil
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import duckdb
import pytest

from features.errors import DataError, SettingsError
from pipelines.data.landing.ingest import IngestResult, ingest
from pipelines.data.layouts.from_layout import init_from_layout
from pipelines.data.layouts.layout import layout_of, layouts
from pipelines.foundation.settings.settings import load
from pipelines.foundation.storage.store import Store
from tests.layouts import hubspot_tickets, online_retail, prestashop, shopify, stripe_export, woocommerce, zendesk
from tests.layouts.shop import Expected, Figures
from tests.pipelines.data.landing.landing_case import LANDED_ON

SHOPS: Mapping[str, ModuleType] = {
    "shopify": shopify,
    "woocommerce": woocommerce,
    "prestashop": prestashop,
    "online-retail": online_retail,
}


def made(tmp_path: Path, name: str, module: ModuleType, *, customers: int = 60) -> tuple[Path, Expected]:
    """A workspace from the exports of a made-up shop, and what is right of it."""
    (tmp_path / name).mkdir()
    right: Expected = module.write(tmp_path / name, customers=customers)
    init_from_layout(tmp_path / "shop", layout_of(name), [tmp_path / name])
    return tmp_path / "shop", right


def landed(shop: Path) -> dict[str, IngestResult]:
    settings = load(shop / "attrition.toml")
    return {each.path: each for each in ingest(Store(shop), settings, today=LANDED_ON)}


def monthly(shop: Path, table: str) -> dict[str, Decimal]:
    """The money that landed, by local month; without months in which there was none."""
    worth = "quantity * unit_price" if table == "order_lines" else "amount"
    with duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT strftime(ordered_on, '%Y-%m'), sum(({worth})::DECIMAL(38, 8)) "
            f"FROM read_parquet('{shop}/landed/{table}/*.parquet') GROUP BY ALL"
        ).fetchall()
    return {month: total for month, total in found if total}


def right_of(figures: Figures) -> dict[str, Decimal]:
    return {month: total for month, total in figures.money.items() if total}


@pytest.mark.parametrize("name", SHOPS)
def test_what_lands_is_to_the_cent_what_the_shop_sold_each_month(name: str, tmp_path: Path) -> None:
    shop, right = made(tmp_path, name, SHOPS[name])
    results = landed(shop)
    for table, figures in right.tables.items():
        result = results[f"{table}.sql"]
        assert result.landed == figures.rows, table
        refused = figures.guests + len(figures.rejected)  # told by order, of which lines may be many
        assert result.rejected >= refused if table == "order_lines" else result.rejected == refused, table
        if table in ("orders", "order_lines") and "refunds.sql" not in results:  # credit notes land beside the orders
            assert monthly(shop, table) == right_of(figures)


def test_orders_and_credit_slips_of_prestashop_add_up(tmp_path: Path) -> None:
    shop, right = made(tmp_path, "prestashop", prestashop)
    landed(shop)
    orders, slips = right_of(right.tables["orders"]), right_of(right.tables["refunds"])
    both = {month: orders.get(month, Decimal()) + slips.get(month, Decimal()) for month in orders.keys() | slips.keys()}
    assert monthly(shop, "orders") == {month: total for month, total in both.items() if total}
    assert monthly(shop, "order_lines") == right_of(right.tables["order_lines"])


@pytest.mark.parametrize(("name", "module"), [("zendesk", zendesk), ("hubspot-tickets", hubspot_tickets)])
def test_tickets_are_added_to_a_workspace_that_is_there(name: str, module: ModuleType, tmp_path: Path) -> None:
    shop, _ = made(tmp_path, "shopify", shopify)
    before = (shop / "attrition.toml").read_text()
    (tmp_path / name).mkdir()
    right = module.write(tmp_path / name, customers=60)
    exports = sorted((tmp_path / name).iterdir())
    if name == "zendesk":  # the same tickets as CSV would land once more
        exports = [place for place in exports if place.suffix == ".json"]
    init_from_layout(shop, layout_of(name), exports)
    assert (shop / "attrition.toml").read_text().startswith(before.rstrip())
    results = landed(shop)
    (tickets,) = [each for each in results.values() if each.table == "support_contacts"]
    assert tickets.landed == right.rows["support_contacts"]
    assert results["orders.sql"].landed > 100


def test_stripe_in_several_currencies_is_refused_until_one_is_chosen(tmp_path: Path) -> None:
    (tmp_path / "stripe").mkdir()
    right = stripe_export.write(tmp_path / "stripe")
    shop = tmp_path / "shop"
    init_from_layout(shop, layout_of("stripe-export"), [tmp_path / "stripe"])
    with pytest.raises(DataError, match="never adds unequal currencies"):
        landed(shop)
    for name in ("subscriptions", "payments", "invoices"):
        query = shop / f"{name}.sql"
        query.write_text(query.read_text().replace("-- AND upper(", "AND upper("))
    assert landed(shop)["subscriptions.sql"].landed > 0
    with duckdb.connect() as connection:
        found = connection.execute(
            "SELECT strftime(started_on, '%Y-%m'), sum(mrr) "
            f"FROM read_parquet('{shop}/landed/subscriptions/*.parquet') WHERE mrr IS NOT NULL GROUP BY ALL"
        ).fetchall()
    assert dict(found) == right.months["subscriptions"]["mrr EUR"]


def test_exports_that_were_not_given_are_left_out_and_told(tmp_path: Path) -> None:
    (tmp_path / "woo").mkdir()
    woocommerce.write(tmp_path / "woo", customers=20)
    made = init_from_layout(tmp_path / "shop", layout_of("woocommerce"), [tmp_path / "woo" / "orders-export.csv"])
    assert made.written == ("attrition.toml", "orders.sql", "README-woocommerce.md")
    assert "not given, and left out: the customers export (customers-export.csv)" in made.told
    assert [source.table for source in load(tmp_path / "shop/attrition.toml").sources] == ["orders"]
    # What comes later is added.
    init_from_layout(tmp_path / "shop", layout_of("woocommerce"), [tmp_path / "woo" / "customers-export.csv"])
    assert [source.table for source in load(tmp_path / "shop/attrition.toml").sources] == ["orders", "customers"]


def test_several_files_of_one_kind_are_one_table(tmp_path: Path) -> None:
    shopify.write(tmp_path, customers=30)
    lines = (tmp_path / "orders_export.csv").read_text().splitlines(keepends=True)
    whole = made_of(tmp_path / "a", [tmp_path / "orders_export.csv"])
    (tmp_path / "orders_export_1.csv").write_text("".join(lines))
    both = made_of(tmp_path / "b", [tmp_path / "orders_export.csv", tmp_path / "orders_export_1.csv"])
    assert both["orders.sql"].landed == whole["orders.sql"].landed
    assert (tmp_path / "b" / "orders_export" / "orders_export_1.csv").exists()


def made_of(shop: Path, files: list[Path]) -> dict[str, IngestResult]:
    init_from_layout(shop, layout_of("shopify"), files)
    return landed(shop)


def test_a_file_with_a_quote_in_its_name_is_named_so_in_the_query(tmp_path: Path) -> None:
    shopify.write(tmp_path, customers=20)
    (tmp_path / "orders_export.csv").rename(tmp_path / "May's orders.csv")
    assert made_of(tmp_path / "shop", [tmp_path / "May's orders.csv"])["orders.sql"].landed > 0


def test_files_that_lie_in_the_workspace_are_read_where_they_are(tmp_path: Path) -> None:
    shop, _ = made(tmp_path, "shopify", shopify)
    woocommerce.write(shop / "..", customers=20)
    (shop / "exports").mkdir()
    shutil.move(tmp_path / "customers-export.csv", shop / "exports" / "people.csv")
    (shop / "customers.sql").rename(shop / "shopify-customers.sql")
    settings = (shop / "attrition.toml").read_text().replace('"customers.sql"', '"shopify-customers.sql"')
    (shop / "attrition.toml").write_text(settings)
    init_from_layout(shop, layout_of("woocommerce"), [shop / "exports" / "people.csv"])
    assert "FROM 'exports/people.csv'" in (shop / "customers.sql").read_text()


@pytest.mark.parametrize(
    ("layout", "files", "error", "said"),
    [
        ("shopify", [], SettingsError, r"name the exports, too: the orders export \(with "),
        ("shopify", ["none.csv"], DataError, "is not there; name a file or a folder"),
        ("shopify", ["other.csv"], DataError, "is none of the exports of shopify, by its headings"),
        ("shopify", ["notes.pdf"], DataError, "is no file of"),
        ("zendesk", ["tickets.json"], SettingsError, "adds to a workspace that has orders or subscriptions"),
        ("stripe-export", ["customers.csv"], SettingsError, "nothing provides subscriptions"),
    ],
)
def test_what_is_missing_or_foreign_is_told_and_nothing_is_written(
    layout: str, files: list[str], error: type[Exception], said: str, tmp_path: Path
) -> None:
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    (tmp_path / "notes.pdf").write_text("x")
    (tmp_path / "customers.csv").write_text("id,Email,Created (UTC),Delinquent\n")
    (tmp_path / "tickets.json").write_text('{"id": 1}\n')
    with pytest.raises(error, match=said):
        init_from_layout(tmp_path / "shop", layout_of(layout), [tmp_path / name for name in files])
    assert not (tmp_path / "shop").exists()


def test_nothing_that_is_there_is_overwritten(tmp_path: Path) -> None:
    shop, _ = made(tmp_path, "shopify", shopify)
    (shop / "orders.sql").write_text("SELECT 1 FROM 'orders_export.csv'")
    with pytest.raises(SettingsError, match=r"orders\.sql is there already and differs"):
        init_from_layout(shop, layout_of("shopify"), [tmp_path / "shopify"])
    assert (shop / "orders.sql").read_text().startswith("SELECT 1")


def test_a_layout_that_is_unknown_is_told_with_the_nearest() -> None:
    with pytest.raises(SettingsError, match="Did you mean 'shopify'"):
        layout_of("shopfy")
    assert set(SHOPS) | {"stripe-export", "stripe-api", "zendesk", "hubspot-tickets"} == set(layouts())


def test_a_layout_that_reads_an_api_needs_no_exports(tmp_path: Path) -> None:
    made = init_from_layout(tmp_path / "shop", layout_of("stripe-api"), [])
    settings = load(tmp_path / "shop" / "attrition.toml")
    assert [fetch.kind for fetch in settings.fetches] == ["stripe"]
    assert {source.table for source in settings.sources} >= {"subscriptions", "subscription_changes", "payments"}
    assert made.told[-1] == f"then: attrition ingest --project {tmp_path / 'shop'}"
    assert "FROM 'fetched/stripe/charges.jsonl'" in (tmp_path / "shop" / "payments.sql").read_text()


def test_a_layout_that_reads_an_api_takes_no_exports(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("a,b")
    with pytest.raises(SettingsError, match="reads no exports, but what an API gives; leave the files out"):
        init_from_layout(tmp_path / "shop", layout_of("stripe-api"), [tmp_path / "orders.csv"])
    assert not (tmp_path / "shop").exists()
