from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from pipelines.data.fetching.fetch import fetch
from pipelines.data.fetching.fetched_files import lines_of
from pipelines.data.fetching.stripe import KEY, VERSION, Stripe
from pipelines.foundation.settings.fetches import StripeFetch
from pipelines.foundation.settings.settings import load
from tests.pipelines.data.fetching.stripe_case import (
    CANARY,
    PERSONAL,
    FakeStripe,
    Fault,
    T,
    card,
    charge,
    company,
    credit_note,
    ingested,
    landed_rows,
    refund,
    stripe,
    subscription,
    updated,
    workspace,
)

TODAY = datetime.now(UTC).date()


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeStripe]:
    monkeypatch.setenv(KEY, CANARY)
    with stripe(**company()) as served:
        yield served


def fetched(fake: FakeStripe, tmp_path: Path, **settings: Any) -> Path:
    shop = workspace(tmp_path / "shop", fake.address, **settings)
    fetch(shop, load(shop / "attrition.toml"), today=TODAY, progress=lambda _: None)
    return shop / "fetched" / "stripe"


def ids(folder: Path, name: str) -> list[str]:
    return [json.loads(line)["id"] for line in lines_of(folder, name)]


def test_a_list_of_hundreds_is_read_page_by_page(fake: FakeStripe, tmp_path: Path) -> None:
    fake.lists["charges"] = [charge(f"ch_{number:03}", created=T - number) for number in range(350)]
    folder = fetched(fake, tmp_path)
    assert ids(folder, "charges") == [f"ch_{number:03}" for number in range(350)]
    asked = [(params["limit"], params.get("starting_after")) for params in fake.asked("charges")]
    assert asked == [(["100"], None), (["100"], ["ch_099"]), (["100"], ["ch_199"]), (["100"], ["ch_299"])]


def test_it_goes_on_behind_a_place(fake: FakeStripe) -> None:
    fake.lists["charges"] = [charge(f"ch_{number:03}", created=T - number) for number in range(150)]
    settings = StripeFetch(kind="stripe", address=fake.address)
    with closing(Stripe(settings, lambda _: None)) as account:
        pages = list(account.pages("charges", "ch_120", Path()))
    assert [each["id"] for page in pages for each in page.objects] == [f"ch_{number}" for number in range(121, 150)]
    assert pages[-1].after == "ch_149"


def test_the_version_of_the_api_is_said_with_each_call(fake: FakeStripe, tmp_path: Path) -> None:
    """The made-up Stripe refuses calls without."""
    assert VERSION == "2026-10-28.endive"
    fetched(fake, tmp_path)


def test_subscriptions_of_every_status_are_fetched_and_their_discounts_told(fake: FakeStripe, tmp_path: Path) -> None:
    fake.lists["subscriptions"].append(subscription("sub_gone", created=T, status="canceled", of="cus_000"))
    assert "sub_gone" in ids(fetched(fake, tmp_path), "subscriptions")
    (asked,) = fake.asked("subscriptions")
    assert asked["expand[]"] == ["data.discounts", "data.items.data.discounts"]


def test_only_events_that_are_read_are_fetched(fake: FakeStripe, tmp_path: Path) -> None:
    other = {"id": "evt_2", "type": "customer.updated", "created": T, "data": {"object": {"id": "cus_000"}}}
    known = updated("evt_1", at=T, after=fake.lists["subscriptions"][0], differed={})
    fake.lists["events"] = [other, known]
    assert ids(fetched(fake, tmp_path), "events") == ["evt_1"]


def test_names_addresses_and_numbers_of_cards_are_not_written(fake: FakeStripe, tmp_path: Path) -> None:
    fake.lists["events"] = [
        updated("evt_1", at=T, after=fake.lists["subscriptions"][0], differed={"description": PERSONAL})
    ]
    fake.lists["credit_notes"] = [credit_note("cn_1", created=T, refunds={"re_1": 300})]
    fake.lists["refunds"] = [refund("re_1", created=T, charge="ch_cus_000_0")]
    folder = fetched(fake, tmp_path)
    written = b"".join(place.read_bytes() for place in folder.iterdir())
    assert PERSONAL.encode() not in written
    assert b"last4" not in written
    assert not re.search(rb"(?<![0-9a-f])4242(?![0-9a-f])", written)  # within a hash it is nobody's
    assert b"cus_000" in written


def test_payment_methods_are_asked_of_everybody_who_ever_subscribed(fake: FakeStripe, tmp_path: Path) -> None:
    """Those who left, too; a customer who was deleted has none."""
    gone = subscription("sub_gone", created=T, status="canceled", of="cus_deleted")
    fake.lists["subscriptions"] += [gone, subscription("sub_more", created=T, of="cus_000")]
    fake.lists["payment_methods"].append(card("pm_second", created=T, of="cus_000"))
    folder = fetched(fake, tmp_path)
    assert sorted(ids(folder, "payment_methods")) == ["pm_cus_000", "pm_cus_001", "pm_cus_002", "pm_second"]
    asked = [path for path, _ in fake.calls if path.endswith("/payment_methods")]
    assert asked == [
        f"/v1/customers/{name}/payment_methods" for name in ("cus_000", "cus_001", "cus_002", "cus_deleted")
    ]


def test_without_payment_methods_nobody_is_asked_for_them(fake: FakeStripe, tmp_path: Path) -> None:
    folder = fetched(fake, tmp_path, payment_methods=False)
    assert ids(folder, "payment_methods") == []
    assert [path for path, _ in fake.calls if path.endswith("/payment_methods")] == []


def test_payment_methods_go_on_behind_the_last_customer(fake: FakeStripe, tmp_path: Path) -> None:
    shop = workspace(tmp_path / "shop", fake.address, attempts=1)
    settings = load(shop / "attrition.toml")
    fake.faults["customers/cus_001/payment_methods"] = Fault(500, times=1)
    with pytest.raises(Exception, match="gave no payment methods"):
        fetch(shop, settings, today=TODAY, progress=lambda _: None)
    fake.calls.clear()
    fetch(shop, settings, today=TODAY, progress=lambda _: None)
    assert [path.split("/")[3] for path, _ in fake.calls] == ["cus_001", "cus_002"]
    assert ids(shop / "fetched" / "stripe", "payment_methods") == ["pm_cus_000", "pm_cus_001", "pm_cus_002"]


def test_an_account_with_nothing_but_subscriptions_lands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, CANARY)
    with stripe(subscriptions=[subscription("sub_1", created=T)]) as bare:
        shop = workspace(tmp_path / "shop", bare.address)
        ingested(shop, TODAY)
    rows = landed_rows(shop)
    assert {name: len(found) for name, found in rows.items() if found} == {"subscriptions": 1}


LOCALSTRIPE = """
import logging, sys
from aiohttp import web
from localstripe import resources, server
resources.store.dump_to_disk = lambda: None  # it would write to a place of its own
web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
"""


@dataclass
class Behind(FakeStripe):
    """localstripe behind what it lacks: versions, expanded objects, kinds of events, methods below their customer."""

    server: str = ""

    def answer(self, path: str, params: dict[str, list[str]], headers: Mapping[str, str]) -> tuple[int, Any, Any]:
        known = {name: values[0] for name, values in params.items() if name in ("limit", "starting_after", "status")}
        if path.endswith("/payment_methods") and path.startswith("/v1/customers/"):
            known |= {"customer": path.split("/")[3], "type": "card"}
            path = "/v1/payment_methods"
        if path == "/v1/credit_notes":
            return 200, {"object": "list", "url": path, "has_more": False, "data": []}, {}
        return 200, called(self.server, f"{path}?{urlencode(known)}"), {}


def called(server: str, path: str, **data: Any) -> Any:
    body = urlencode(data).encode() if data else None
    request = urllib.request.Request(server + path, data=body, headers={"Authorization": f"Bearer sk_{CANARY}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


@pytest.fixture
def local() -> Iterator[str]:
    """A localstripe on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([sys.executable, "-c", LOCALSTRIPE, str(port)])
    try:
        for _ in range(600):
            try:
                called(server, "/v1/customers")
            except (OSError, urllib.error.URLError):
                time.sleep(0.1)
            else:
                break
        yield server
    finally:
        process.terminate()
        process.wait()


def test_what_another_makes_of_stripe_lands_too(local: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """localstripe, which was written by others: plans of older versions, invoices and charges as it bills them."""
    monkeypatch.setenv(KEY, CANARY)
    called(local, "/v1/plans", id="pro", currency="eur", interval="month", amount=1000, **{"product[name]": "Pro"})
    people = [called(local, "/v1/customers", email="someone@example.com")["id"] for _ in range(130)]
    good = {"type": "card", "card[number]": "4242424242424242", "card[exp_month]": 2, "card[exp_year]": 2040,
            "card[cvc]": 123}  # fmt: skip
    bought = []
    for name in people[:3]:
        method = called(local, "/v1/payment_methods", **good)["id"]
        called(local, f"/v1/payment_methods/{method}/attach", customer=name)
        called(local, f"/v1/customers/{name}", **{"invoice_settings[default_payment_method]": method})
        bought.append(
            called(local, "/v1/subscriptions", customer=name, **{"items[0][plan]": "pro", "items[0][quantity]": 3})[
                "id"
            ]
        )
    called(local, f"/v1/subscriptions/{bought[0]}", cancel_at_period_end="true")
    paid = called(local, f"/v1/charges?customer={people[2]}")["data"][0]["id"]
    called(local, "/v1/refunds", charge=paid, amount=400)
    with stripe() as front:
        behind = Behind(server=local)
        monkeypatch.setattr(front, "answer", behind.answer)
        shop = workspace(tmp_path / "shop", front.address)
        ingested(shop, TODAY)
        rows = landed_rows(shop)
        assert ingested(shop, TODAY)["customers"] == "unchanged"
    assert len(rows["customers"]) == 130
    assert [(row["mrr"], row["seats"], row["plan"]) for row in rows["subscriptions"]] == [(30, 3, "pro")] * 3
    assert sorted(row["auto_renew"] for row in rows["subscriptions"]) == [False, True, True]
    assert [(row["amount"], row["succeeded"]) for row in rows["payments"]] == [(30, True)] * 3
    assert [row["amount"] for row in rows["invoices"] if row["amount"] > 0] == [30] * 3
    assert [(row["amount"], row["customer_id"]) for row in rows["invoices"] if row["amount"] < 0] == [(-4, people[2])]
    assert {(str(row["expires_at"])[:7], row["is_default"]) for row in rows["payment_methods"]} == {("2040-03", True)}
