"""Walk every ready layout from a made-up export to its report, by the README's commands; a line for each.

python -m tests.layouts --customers 700 --folder walked shopify stripe-api
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb

from pipelines.data.fetching.stripe import KEY
from tests.layouts import (
    hubspot_tickets,
    online_retail,
    prestashop,
    shopify,
    stripe_account,
    stripe_export,
    woocommerce,
    zendesk,
)
from tests.pipelines.data.fetching.stripe_case import CANARY, stripe

Money = dict[str, Decimal]  # by local month, without months in which there was none
MODULES: Mapping[str, ModuleType] = {
    "shopify": shopify,
    "woocommerce": woocommerce,
    "prestashop": prestashop,
    "online-retail": online_retail,
    "stripe-export": stripe_export,
    "zendesk": zendesk,
    "hubspot-tickets": hubspot_tickets,
}
BESIDE_A_SHOP = ("zendesk", "hubspot-tickets")
LAYOUTS = (*MODULES, "stripe-api")
MOST_EDITS = 5
# One currency of several, as the README of the layout says.
ONE_CURRENCY = [(f"{name}.sql", "-- AND upper(", "AND upper(") for name in ("subscriptions", "payments", "invoices")]
EDITS = {"stripe-export": ONE_CURRENCY}


@dataclass
class Walk:
    """What a user did and got. edits: lines changed by hand. scored: customers with a score."""

    layout: str
    commands: list[str] = field(default_factory=list)
    edits: int = 0
    seconds: float = 0.0
    processor_seconds: float = 0.0
    scored: int = 0
    sums: dict[str, bool] = field(default_factory=dict)
    report: bool = False

    @property
    def arrived(self) -> bool:
        return self.report and self.scored > 0 and self.edits <= MOST_EDITS and all(self.sums.values())


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("layouts", nargs="*", help=f"of {', '.join(LAYOUTS)}; all of them by default")
    arguments.add_argument("--customers", type=int, default=700)
    arguments.add_argument("--folder", type=Path, help="where the workspaces stay; else none does")
    wanted = arguments.parse_args()
    found = []
    with tempfile.TemporaryDirectory() as temporary:
        for layout in wanted.layouts or LAYOUTS:
            found.append(walked(layout, (wanted.folder or Path(temporary)) / layout, wanted.customers))
            print(told(found[-1]), flush=True)
    print(f"{sum(each.arrived for each in found)} of {len(found)} layouts arrived")
    return 0 if all(each.arrived for each in found) else 1


def told(walk: Walk) -> str:
    sums = ", ".join(f"{table} {'as by hand' if same else 'NOT as by hand'}" for table, same in walk.sums.items())
    return (
        f"{walk.layout}: {walk.edits} lines edited, {len(walk.commands)} commands, {walk.seconds / 60:.1f} min "
        f"({walk.processor_seconds:.0f} s of processor time), {walk.scored} customers scored, "
        f"{'a report' if walk.report else 'NO REPORT'}; money by month: {sums or 'none in it'}"
    )


def walked(layout: str, folder: Path, customers: int) -> Walk:
    walk, exports, shop = Walk(layout), folder / "exports", folder / "shop"
    exports.mkdir(parents=True)
    with served(customers) if layout == "stripe-api" else nullcontext() as account:
        begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        if account is None:
            right = exported(walk, layout, exports, shop, customers)
        else:
            right = account.money
            attrition(walk, "init", str(shop), "--from", layout)
            # Of the made-up account; a user edits nothing here.
            replace(shop / "attrition.toml", 'kind = "stripe"', f'kind = "stripe"\naddress = "{account.address}"')
        for name, old, new in EDITS.get(layout, ()):
            walk.edits += replace(shop / name, old, new)
        run(walk, shop)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        walk.seconds = time.monotonic() - begun
        walk.processor_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    walk.sums = {table: landed(shop, table) == money for table, money in right.items()}
    walk.report = (shop / "report.html").is_file()
    return walk


def exported(walk: Walk, layout: str, exports: Path, shop: Path, customers: int) -> dict[str, Money]:
    """Settings from the exports of a layout; of tickets, beside those of a shop. The money that is in them."""
    if layout in BESIDE_A_SHOP:
        (exports / "shopify").mkdir()
        right = MODULES["shopify"].write(exports / "shopify", customers=customers)
        attrition(walk, "init", str(shop), "--from", "shopify", str(exports / "shopify" / "orders_export.csv"))
        (exports / layout).mkdir()
        MODULES[layout].write(exports / layout, customers=customers)
        files = [each for each in sorted((exports / layout).iterdir()) if layout != "zendesk" or each.suffix == ".json"]
        attrition(walk, "init", str(shop), "--from", layout, *map(str, files))
    else:
        right = MODULES[layout].write(exports, customers=customers)
        attrition(walk, "init", str(shop), "--from", layout, *map(str, sorted(exports.iterdir())))
    if layout == "stripe-export":
        months = right.months
        return {"subscriptions": months["subscriptions"]["mrr EUR"], "invoices": months["invoices"]["asked EUR"]}
    tables = right.tables
    found = {name: dict(tables[name].money) for name in ("orders", "order_lines") if name in tables}
    for month, back in (tables["refunds"].money if "refunds" in tables else {}).items():
        found["orders"][month] = found["orders"].get(month, Decimal()) + back
    return {name: {month: total for month, total in money.items() if total} for name, money in found.items()}


@dataclass(frozen=True)
class Account:
    """A made-up account of Stripe that is served at an address, and the money that is in it."""

    address: str
    money: dict[str, Money]


@contextmanager
def served(customers: int) -> Iterator[Account]:
    lists, money = stripe_account.account(customers)
    with stripe(**lists) as server:
        os.environ[KEY] = CANARY  # commands are handed it as users do
        yield Account(server.address, money)


def run(walk: Walk, shop: Path) -> None:
    """`run`, and once more with the day that it names where the data are old."""
    found = attrition(walk, "run", "--project", str(shop), check=False)
    if found.returncode == 0:
        return
    day = re.search(r"--as-of (\d{4}-\d{2}-\d{2})", found.stderr + found.stdout)
    if day is None:
        raise SystemExit(
            f"{walk.layout}: run ended with {found.returncode}:\n{found.stdout[-2000:]}{found.stderr[-4000:]}"
        )
    document = attrition(walk, "run", "--project", str(shop), "--as-of", day[1], "--json", check=False)
    if document.returncode not in (0, 1):  # 1: it alerts
        raise SystemExit(f"{walk.layout}: run ended with {document.returncode}:\n{document.stderr[-4000:]}")
    walk.scored = json.loads(document.stdout)["score"]["scored"]


def attrition(walk: Walk, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    walk.commands.append(words[0])
    found = subprocess.run([sys.executable, "-m", "pipelines.cli", *words], capture_output=True, text=True, check=False)
    if check and found.returncode:
        raise SystemExit(f"{walk.layout}: {' '.join(words[:4])} ended with {found.returncode}:\n{found.stderr[-4000:]}")
    return found


def replace(place: Path, old: str, new: str) -> int:
    text = place.read_text(encoding="utf-8")
    place.write_text(text.replace(old, new), encoding="utf-8")
    return text.count(old)


def landed(shop: Path, table: str) -> Money:
    """The money that landed, by local month: of orders and lines what they are worth, of contracts their price."""
    worth, day = {
        "orders": ("amount", "ordered_on"),
        "order_lines": ("quantity * unit_price", "ordered_on"),
        "subscriptions": ("mrr", "started_on"),
        "invoices": ("amount", "issued_on"),
    }[table]
    with duckdb.connect() as connection:
        rows: list[Any] = connection.execute(
            f"SELECT strftime({day}, '%Y-%m'), sum(({worth})::DECIMAL(38, 8)) "
            f"FROM read_parquet('{shop}/landed/{table}/*.parquet') WHERE {worth} IS NOT NULL GROUP BY ALL"
        ).fetchall()
    return {month: total for month, total in rows if total}


if __name__ == "__main__":
    sys.exit(main())
