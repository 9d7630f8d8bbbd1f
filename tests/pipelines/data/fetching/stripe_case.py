"""A made-up Stripe on this machine, in the shape of the public reference, and a workspace that reads it.

Beside what is read its objects hold what is not to be written: names, addresses, numbers of cards.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pipelines import run as stages
from pipelines.data.fetching.stripe import KEY, VERSION
from pipelines.data.layouts.from_layout import init_from_layout
from pipelines.data.layouts.layout import layout_of
from pipelines.foundation.settings.settings import load
from pipelines.foundation.storage.store import Store
from pipelines.foundation.workspace.console import Console
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.foundation.workspace.workspace import open_workspace
from tests.pipelines.data.landing.landing_case import table

CANARY = "rk_test_canary51Hq0dontshowme"
PERSONAL = "Ada Lovelace"  # stands in every object, in a field that nothing reads
DAY = 86_400
T = 1_764_000_000  # 2025-11-24 16:00 UTC
ROOT = Path(__file__).parents[4]


@dataclass
class Fault:
    """What becomes of the next calls of a list. status: 0 cuts the connection in the middle of the answer."""

    status: int
    times: int = 1
    headers: Mapping[str, str] = field(default_factory=dict)
    after_pages: int = 0


@dataclass
class FakeStripe:
    """lists: objects by list, newest first. calls: each path with its parameters. delay: seconds before each answer."""

    lists: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)
    delay: float = 0.0
    address: str = ""

    def asked(self, name: str) -> list[dict[str, list[str]]]:
        return [params for path, params in self.calls if path == f"/v1/{name}"]

    def answer(self, path: str, params: dict[str, list[str]], headers: Mapping[str, str]) -> tuple[int, Any, Any]:
        """Status, body and headers; a body of None is one that breaks off."""
        name = path.removeprefix("/v1/")
        if headers.get("Authorization") != f"Bearer {CANARY}" or headers.get("Stripe-Version") != VERSION:
            return 401, refusal(f"Invalid API Key provided: {headers.get('Authorization')}"), {}
        fault = self.faults.get(name)
        if fault is not None and fault.times and fault.after_pages == 0:
            fault.times -= 1
            return fault.status, refusal(f"no: {headers.get('Authorization')}"), dict(fault.headers)
        if fault is not None and fault.after_pages:
            fault.after_pages -= 1
        found = self._found(name, params)
        limit = int(params.get("limit", ["10"])[0])
        if found is None or limit > 100:
            return 404 if found is None else 400, refusal("no such thing"), {}
        after = params.get("starting_after", [None])[0]
        ids = [each["id"] for each in found]
        if after is not None and after not in ids:
            return 400, refusal(f"No such object: '{after}'"), {}
        start = 0 if after is None else ids.index(after) + 1
        page = found[start : start + limit]
        return 200, {"object": "list", "url": path, "has_more": start + limit < len(found), "data": page}, {}

    def _found(self, name: str, params: dict[str, list[str]]) -> list[dict[str, Any]] | None:
        first, _, rest = name.partition("/")
        if rest:
            customer, _, what = rest.partition("/")
            known = any(each["id"] == customer for each in self.lists.get("customers", []))
            methods = self.lists.get("payment_methods", [])
            return [each for each in methods if each["customer"] == customer] if known and what else None
        found = self.lists.get(first, [])
        if first == "subscriptions" and params.get("status") != ["all"]:
            return [each for each in found if each["status"] != "canceled"]
        if first == "events":
            return [each for each in found if each["type"] in params.get("types[]", [each["type"]])]
        return found


def refusal(said: str) -> dict[str, Any]:
    return {"error": {"type": "invalid_request_error", "message": said}}


@contextmanager
def stripe(**lists: list[dict[str, Any]]) -> Iterator[FakeStripe]:
    fake = FakeStripe(lists)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            params = parse_qs(parts.query)
            fake.calls.append((parts.path, params))
            time.sleep(fake.delay)
            status, body, headers = fake.answer(parts.path, params, dict(self.headers))
            content = json.dumps(body).encode()
            if status == 0:  # promised, and broken off
                self.send_response(200)
                self.send_header("Content-Length", str(len(content) + 100))
                self.end_headers()
                self.wfile.write(content)
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    fake.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def customer(name: str, *, created: int, **more: Any) -> dict[str, Any]:
    return {
        "id": name, "object": "customer", "created": created, "email": f"{name}@example.com", "name": PERSONAL,
        "phone": "0", "address": {"country": "FR", "line1": PERSONAL}, "discount": None, "metadata": {"n": PERSONAL},
        "invoice_settings": {"default_payment_method": None}, **more,
    }  # fmt: skip


def price(unit: str | None = "1000", *, name: str = "price_basic", every: str = "month", **more: Any) -> dict[str, Any]:
    """unit: in the smallest unit of the currency, perhaps with decimals."""
    recurring = {"interval": every, "interval_count": more.pop("count", 1), "usage_type": more.pop("usage", "licensed")}
    whole = int(unit) if unit is not None and "." not in unit else None
    return {
        "id": name, "object": "price", "nickname": None, "product": f"prod_{name}", "currency": "eur",
        "billing_scheme": "per_unit", "unit_amount": whole, "unit_amount_decimal": unit, "recurring": recurring,
        "transform_quantity": None, **more,
    }  # fmt: skip


def item(of: dict[str, Any] | None = None, *, quantity: int | None = 1, **more: Any) -> dict[str, Any]:
    of = of or price()
    return {
        "id": f"si_{of['id']}", "object": "subscription_item", "quantity": quantity, "price": of, "discounts": [],
        "current_period_start": 1_764_000_000, "current_period_end": 1_766_600_000, "metadata": {"n": PERSONAL}, **more,
    }  # fmt: skip


def subscription(name: str, *, created: int, of: str = "cus_1", **more: Any) -> dict[str, Any]:
    items = more.pop("items", None) or [item()]
    return {
        "id": name, "object": "subscription", "customer": of, "created": created, "start_date": created,
        "currency": "eur", "status": "active", "items": {"object": "list", "data": items}, "discounts": [],
        "cancel_at": None, "cancel_at_period_end": False, "canceled_at": None, "ended_at": None, "trial_end": None,
        "cancellation_details": {"comment": PERSONAL, "feedback": None, "reason": None}, "pause_collection": None,
        "default_payment_method": None, "description": PERSONAL, **more,
    }  # fmt: skip


def discount(name: str, *, coupon: str, **more: Any) -> dict[str, Any]:
    return {
        "id": name, "object": "discount", "source": {"type": "coupon", "coupon": coupon}, "start": 1_700_000_000,
        "end": None, **more,
    }  # fmt: skip


def coupon(name: str, **more: Any) -> dict[str, Any]:
    return {
        "id": name, "object": "coupon", "percent_off": None, "amount_off": None, "currency": None,
        "duration": "forever", "name": PERSONAL, **more,
    }  # fmt: skip


def charge(name: str, *, created: int, of: str | None = "cus_1", **more: Any) -> dict[str, Any]:
    return {
        "id": name, "object": "charge", "customer": of, "created": created, "amount": 1000, "currency": "eur",
        "status": "succeeded", "captured": True, "paid": True, "payment_intent": f"pi_{name}", "failure_code": None,
        "payment_method": "pm_1", "outcome": {"type": "authorized", "reason": None},
        "billing_details": {"name": PERSONAL}, **more,
    }  # fmt: skip


def invoice(name: str, *, created: int, of: str = "cus_1", **more: Any) -> dict[str, Any]:
    moments = {"finalized_at": created, "paid_at": None, "voided_at": None, "marked_uncollectible_at": None}
    moments |= more.pop("moments", {})
    return {
        "id": name, "object": "invoice", "customer": of, "created": created, "currency": "eur", "total": 1000,
        "status": "paid", "due_date": None, "status_transitions": moments, "customer_name": PERSONAL,
        "parent": {"type": "subscription_details", "subscription_details": {"subscription": "sub_1"}},
        "payments": {"object": "list", "data": []}, **more,
    }  # fmt: skip


def credit_note(
    name: str, *, created: int, of: str = "cus_1", refunds: Mapping[str, int] | None = None, **more: Any
) -> dict[str, Any]:
    """refunds: what went back by each of them."""
    given = [{"refund": each, "amount_refunded": amount, "type": "refund"} for each, amount in (refunds or {}).items()]
    return {
        "id": name, "object": "credit_note", "customer": of, "created": created, "currency": "eur", "total": 1000,
        "invoice": "in_1", "status": "issued", "voided_at": None, "refunds": given, "memo": PERSONAL, **more,
    }  # fmt: skip


def refund(name: str, *, created: int, charge: str | None, **more: Any) -> dict[str, Any]:
    return {
        "id": name, "object": "refund", "created": created, "amount": 1000, "currency": "eur", "status": "succeeded",
        "charge": charge, "payment_intent": None, "reason": None, "destination_details": {"name": PERSONAL}, **more,
    }  # fmt: skip


def card(name: str, *, created: int, of: str = "cus_1", year: int = 2027, month: int = 2) -> dict[str, Any]:
    return {
        "id": name, "object": "payment_method", "customer": of, "created": created, "type": "card",
        "card": {"exp_year": year, "exp_month": month, "last4": "4242", "fingerprint": PERSONAL},
    }  # fmt: skip


def updated(name: str, *, at: int, after: dict[str, Any], differed: dict[str, Any]) -> dict[str, Any]:
    """The event of a change. differed: what the subscription had before, of what changed."""
    return {
        "id": name, "object": "event", "type": "customer.subscription.updated", "created": at,
        "api_version": VERSION, "data": {"object": after, "previous_attributes": differed},
    }  # fmt: skip


def company(customers: int = 3, charges: int = 2) -> dict[str, list[dict[str, Any]]]:
    """Lists of a company until T: each customer with a subscription, a card, and some invoices and charges a month."""
    names = [f"cus_{number:03}" for number in range(customers)]
    found: dict[str, list[dict[str, Any]]] = {
        "customers": [customer(name, created=T - 90 * DAY - number) for number, name in enumerate(names)],
        "subscriptions": [
            subscription(
                f"sub_{number:03}", created=T - 80 * DAY - number, of=name, items=[item(quantity=1 + number % 3)]
            )
            for number, name in enumerate(names)
        ],
        "payment_methods": [card(f"pm_{name}", created=T - 80 * DAY, of=name) for name in names],
        "coupons": [],
        "credit_notes": [],
        "refunds": [],
        "events": [],
    }
    pairs = [(name, number) for number in range(charges) for name in names]
    found["charges"] = [
        charge(f"ch_{name}_{number}", created=T - (30 * number + 1) * DAY, of=name) for name, number in pairs
    ]
    found["invoices"] = [
        invoice(f"in_{name}_{number}", created=T - (30 * number + 1) * DAY, of=name) for name, number in pairs
    ]
    return found


def workspace(folder: Path, address: str, **settings: Any) -> Path:
    """A workspace of the layout stripe-api that reads an address, with the shortest pauses."""
    init_from_layout(folder, layout_of("stripe-api"), [])
    file = folder / "attrition.toml"
    added = {"address": address, "pause_seconds": 0.01} | settings
    lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in added.items())
    file.write_text(file.read_text().replace('kind = "stripe"', f'{lines}kind = "stripe"'))
    return folder


def job_on(folder: Path, day: date) -> RunContext:
    """What a command is handed at noon of a day."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return RunContext(open_workspace(folder, now=noon), Console(quiet=True), noon)


def ingested(folder: Path, day: date) -> dict[str, str]:
    """`attrition ingest` on a day, in this process: what became of each source."""
    return {each["table"]: each["status"] for each in stages.ingest(job_on(folder, day))["files"]}


def landed_rows(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows of each table that hold, without what names the file that they came from."""
    found = {}
    settings = load(folder / "attrition.toml")
    for name in sorted({source.table for source in settings.sources}):
        rows = table(Store(folder), name, settings)
        for row in rows:
            row.pop("landed_order")
        found[name] = sorted(rows, key=str)
    return found


def attrition(folder: Path, *words: str, key: str | None = CANARY, **more: Any) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, as people run it."""
    environment = {name: value for name, value in os.environ.items() if name != KEY}
    environment |= {"PYTHONPATH": str(ROOT)} | ({} if key is None else {KEY: key})
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *words, "--project", str(folder)],
        env=environment, capture_output=True, text=True, timeout=300, check=False, **more,
    )  # fmt: skip
