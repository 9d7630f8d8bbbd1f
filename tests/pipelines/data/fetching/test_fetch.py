from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from features.errors import DataError, SettingsError
from pipelines import run as stages
from pipelines.data.fetching.fetch import discard
from pipelines.data.fetching.stripe import KEY
from pipelines.data.privacy.erase import erase
from pipelines.data.privacy.expire import expire
from pipelines.data.snapshots.workspace_snapshots import snapshots_of
from pipelines.prediction.checks.check import check
from tests.pipelines.data.fetching.stripe_case import (
    CANARY,
    DAY,
    ROOT,
    FakeStripe,
    Fault,
    T,
    attrition,
    charge,
    company,
    credit_note,
    ingested,
    item,
    job_on,
    landed_rows,
    refund,
    stripe,
    updated,
    workspace,
)

FIRST, SECOND, LATER = date(2025, 11, 25), date(2025, 11, 27), date(2025, 11, 28)
# A process of its own, on a given day: what one day's run fetched is not gone on with on the next, and the clock of the
# machine may pass midnight between the two.
INGESTED = """
import sys
from datetime import date
from pathlib import Path
from tests.pipelines.data.fetching.stripe_case import ingested
ingested(Path(sys.argv[1]), date.fromisoformat(sys.argv[2]))
"""
TABLES = ("subscriptions", "subscription_changes", "payments", "invoices", "payment_methods", "customers")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeStripe]:
    monkeypatch.setenv(KEY, CANARY)
    with stripe(**company()) as served:
        yield served


def holding(folder: Path, text: str) -> list[str]:
    """The files of a workspace in which a text stands."""
    return [place.name for place in folder.rglob("*") if place.is_file() and text.encode() in place.read_bytes()]


def test_two_full_syncs_give_the_same_rows(fake: FakeStripe, tmp_path: Path) -> None:
    shop = workspace(tmp_path / "shop", fake.address)
    first = {each["table"]: each for each in stages.ingest(job_on(shop, FIRST))["files"]}
    assert {name: each["status"] for name, each in first.items()} == dict.fromkeys(TABLES, "landed")
    assert first["customers"]["remarks"] == ("reads 3 rows of fetched/stripe/customers.jsonl, and gives 3 rows",)
    rows = landed_rows(shop)
    assert {name: len(found) for name, found in rows.items()} == {
        "customers": 3, "invoices": 6, "payment_methods": 3, "payments": 6, "subscription_changes": 0,
        "subscriptions": 3,
    }  # fmt: skip
    assert ingested(shop, FIRST) == dict.fromkeys(TABLES, "unchanged")
    assert ingested(shop, SECOND) == dict.fromkeys(TABLES, "unchanged")
    assert landed_rows(shop) == rows


def test_nothing_is_kept_twice(fake: FakeStripe, tmp_path: Path) -> None:
    shop = workspace(tmp_path / "shop", fake.address)
    ingested(shop, FIRST)
    assert not (shop / "fetched").exists()
    assert holding(shop, "cus_000@example.com") == []


def test_what_was_fetched_and_could_not_land_is_taken_again_on_that_day(fake: FakeStripe, tmp_path: Path) -> None:
    shop = workspace(tmp_path / "shop", fake.address)
    settings = (shop / "attrition.toml").read_text()
    (shop / "attrition.toml").write_text(settings.replace('currency = "EUR"', 'currency = "USD"'))
    with pytest.raises(DataError):
        ingested(shop, FIRST)
    called = len(fake.calls)
    assert (shop / "fetched" / "stripe" / "charges.jsonl").exists()
    (shop / "attrition.toml").write_text(settings)
    assert ingested(shop, FIRST)["payments"] == "landed"
    assert len(fake.calls) == called


def test_on_another_day_it_is_fetched_anew(fake: FakeStripe, tmp_path: Path) -> None:
    shop = workspace(tmp_path / "shop", fake.address)
    fake.faults["charges"] = Fault(400, times=1)
    with pytest.raises(DataError):
        ingested(shop, FIRST)
    assert len(fake.asked("customers")) == 1
    ingested(shop, SECOND)
    assert len(fake.asked("customers")) == 2


def test_lists_that_came_are_not_asked_for_again_on_that_day(fake: FakeStripe, tmp_path: Path) -> None:
    shop = workspace(tmp_path / "shop", fake.address)
    fake.faults["charges"] = Fault(400, times=1)
    with pytest.raises(DataError):
        ingested(shop, FIRST)
    ingested(shop, FIRST)
    assert len(fake.asked("customers")) == 1


def test_a_list_whose_last_object_is_gone_since_begins_anew(fake: FakeStripe, tmp_path: Path) -> None:
    fake.lists["charges"] = company(customers=50, charges=5)["charges"]
    shop = workspace(tmp_path / "shop", fake.address, attempts=1)
    fake.faults["charges"] = Fault(503, times=1, after_pages=2)
    with pytest.raises(DataError):
        ingested(shop, FIRST)
    last = fake.asked("charges")[-1]["starting_after"][0]
    fake.lists["charges"] = [each for each in fake.lists["charges"] if each["id"] != last]
    ingested(shop, FIRST)
    assert [params.get("starting_after") for params in fake.asked("charges")][3:5] == [[last], None]
    assert len(landed_rows(shop)["payments"]) == 249


@pytest.mark.parametrize("at", [2, 6])
def test_killed_anywhere_a_rerun_goes_on_and_lands_the_same(
    at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """at: during which call the process is killed."""
    monkeypatch.setenv(KEY, CANARY)
    with stripe(**company(customers=120, charges=3)) as fake:
        whole = workspace(tmp_path / "whole", fake.address, payment_methods=False)
        ingested(whole, FIRST)
        every = len(fake.calls)
        fake.calls.clear()
        shop = workspace(tmp_path / "shop", fake.address, payment_methods=False)
        fake.delay = 0.3
        process = subprocess.Popen(
            [sys.executable, "-c", INGESTED, str(shop), FIRST.isoformat()],
            env=os.environ | {KEY: CANARY, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.DEVNULL,
        )
        while len(fake.calls) < at and process.poll() is None:
            time.sleep(0.01)
        assert CANARY.encode() not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
        process.send_signal(signal.SIGKILL)
        process.wait()
        before = len(fake.calls)
        assert before == at
        assert not (shop / "fetched" / "stripe").exists()
        assert (shop / "fetched" / "stripe.unfinished").exists()
        time.sleep(fake.delay)  # the call under way when it was killed
        fake.delay, fake.calls[:] = 0.0, []
        ingested(shop, FIRST)
        assert len(fake.calls) <= every - at + 1, "pages that came were asked for again"
    assert landed_rows(shop) == landed_rows(whole)
    assert list(shop.rglob("*.unfinished*")) == []


def features_of(shop: Path, day: date, on: date) -> list[dict[str, Any]]:
    """The product's own indicators of a day, computed on another, customer by customer."""
    of = job_on(shop, on).workspace
    rows: list[dict[str, Any]] = pq.read_table(of.store.verified(snapshots_of(of).at(day).file)).to_pylist()
    return sorted(rows, key=lambda row: str(row["customer_id"]))


def test_a_failed_payment_that_comes_late_changes_only_the_snapshots_after_it(fake: FakeStripe, tmp_path: Path) -> None:
    """A bank debit of the 23rd is on its way on the 25th, and has failed on the 27th."""
    late = charge("ch_late", created=T - DAY, of="cus_000", status="pending", payment_method="pm_sepa")
    fake.lists["charges"].insert(0, late)
    once = workspace(tmp_path / "once", fake.address)
    twice = workspace(tmp_path / "twice", fake.address)
    for shop in (once, twice):
        ingested(shop, FIRST)
    late |= {"status": "failed", "failure_code": "insufficient_funds", "outcome": {"reason": "insufficient_funds"}}
    # Whose money a refund gives back is told by charges, so that invoices are read again, too.
    assert ingested(twice, SECOND) == dict.fromkeys(TABLES, "unchanged") | dict.fromkeys(
        ("payments", "invoices"), "landed"
    )
    for day in (date(2025, 11, 24), FIRST, date(2025, 11, 26)):
        assert features_of(twice, day, LATER) == features_of(once, day, LATER), day
    for day in (SECOND, LATER):
        streaks = [row["payment_failure_streak"] for row in features_of(twice, day, LATER)]
        assert streaks == [1, 0, 0], day
        # Where no payment ever failed, whether such attempts are told at all is not known.
        assert [row["payment_failure_streak"] for row in features_of(once, day, LATER)] == [None, None, None]


def test_a_refund_counts_from_the_fetch_that_told_that_it_arrived(fake: FakeStripe, tmp_path: Path) -> None:
    """Of the 24th, on its way on the 25th, arrived on the 27th; a credit note for it changes nothing."""
    fake.lists["refunds"] = [
        refund("re_old", created=T - 20 * DAY, charge="ch_cus_001_0"),
        refund("re_1", created=T - 3600, charge="ch_cus_000_0", status="pending"),
    ]
    shop = workspace(tmp_path / "shop", fake.address)
    ingested(shop, FIRST)
    before = features_of(shop, FIRST, LATER)
    fake.lists["refunds"][1] |= {"status": "succeeded"}
    ingested(shop, SECOND)
    assert features_of(shop, FIRST, LATER) == before
    assert [row["credit_notes_30d"] for row in before] == [0, 1, 0]
    assert [row["credit_notes_30d"] for row in features_of(shop, SECOND, LATER)] == [1, 1, 0]
    fake.lists["credit_notes"] = [credit_note("cn_1", created=T + DAY, of="cus_000", refunds={"re_1": 1000})]
    ingested(shop, LATER)
    assert [row["credit_notes_30d"] for row in features_of(shop, LATER, LATER)] == [1, 1, 0]


def test_a_change_of_seats_is_known_from_its_own_moment_on(fake: FakeStripe, tmp_path: Path) -> None:
    """Made on the 26th at 16:00 UTC, fetched on the 27th."""
    shop = workspace(tmp_path / "shop", fake.address)
    ingested(shop, FIRST)
    now = fake.lists["subscriptions"][0] | {"items": {"data": [item(quantity=7)]}}
    fake.lists["events"] = [updated("evt_1", at=T + 2 * DAY, after=now, differed={"items": {"data": [item()]}})]
    fake.lists["subscriptions"][0] = now
    ingested(shop, SECOND)
    assert [
        {row["customer_id"]: row["seats_paid"] for row in features_of(shop, day, LATER)}["cus_000"]
        for day in (date(2025, 11, 26), SECOND, LATER)
    ] == [1, 7, 7]
    fake.lists["events"] = []  # after thirty days
    ingested(shop, LATER)
    assert len(landed_rows(shop)["subscription_changes"]) == 1


def test_a_payment_method_that_is_gone_ends_with_the_fetch(fake: FakeStripe, tmp_path: Path) -> None:
    shop = workspace(tmp_path / "shop", fake.address)
    ingested(shop, FIRST)
    del fake.lists["payment_methods"][0]
    ingested(shop, SECOND)
    taken_away = {row["method_id"]: row["removed_on"] for row in landed_rows(shop)["payment_methods"]}
    assert taken_away == {"pm_cus_000": date(2025, 11, 26), "pm_cus_001": None, "pm_cus_002": None}
    backup = {row["customer_id"]: row["card_expired"] for row in features_of(shop, LATER, LATER)}
    assert (backup["cus_000"], backup["cus_001"]) == (None, 0)


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (None, 0, ("ingest", "--json")),
        (401, 2, ("ingest",)),
        (400, 2, ("ingest", "--json")),
        (500, 1, ("ingest", "--debug")),
    ],
)
def test_the_key_appears_nowhere(
    status: int | None, code: int, words: tuple[str, ...], fake: FakeStripe, tmp_path: Path
) -> None:
    """Also where the server quotes it, as this one does in every error."""
    shop = workspace(tmp_path / "shop", fake.address, attempts=2)
    if status is not None:
        fake.faults["charges"] = Fault(status, times=99)
    done = attrition(shop, *words)
    assert done.returncode == code, done.stderr
    assert CANARY not in done.stdout + done.stderr
    assert holding(shop, CANARY) == []
    assert fake.asked("charges") != []


def test_without_a_key_nothing_is_called(fake: FakeStripe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY)
    shop = workspace(tmp_path / "shop", fake.address)
    with pytest.raises(SettingsError, match=f"{KEY} is not set"):
        ingested(shop, FIRST)
    assert fake.calls == []


def test_without_dlt_it_is_said_how_to_install_it(
    fake: FakeStripe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "dlt", None)
    shop = workspace(tmp_path / "shop", fake.address)
    with pytest.raises(SettingsError, match=r'pip install "attrition\[apis\]"'):
        ingested(shop, FIRST)


def half_fetched(fake: FakeStripe, tmp_path: Path) -> Path:
    shop = workspace(tmp_path / "shop", fake.address)
    ingested(shop, FIRST)
    fake.faults["charges"] = Fault(400, times=1)
    with pytest.raises(DataError):
        ingested(shop, SECOND)
    assert holding(shop, "cus_000@example.com") != []
    return shop


def test_erase_removes_what_was_fetched(fake: FakeStripe, tmp_path: Path) -> None:
    shop = half_fetched(fake, tmp_path)
    erase(job_on(shop, SECOND), ["cus_000"])
    assert not (shop / "fetched").exists()
    ingested(shop, LATER)
    assert {row["customer_id"] for row in landed_rows(shop)["payments"]} == {"cus_001", "cus_002"}


def test_expire_removes_what_was_fetched(fake: FakeStripe, tmp_path: Path) -> None:
    shop = half_fetched(fake, tmp_path)
    expire(job_on(shop, SECOND))
    assert not (shop / "fetched").exists()


def test_to_discard_what_is_not_there_is_nothing(tmp_path: Path) -> None:
    discard(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_check_looks_at_a_workspace_before_and_after_the_first_fetch(fake: FakeStripe, tmp_path: Path) -> None:
    shop = workspace(tmp_path / "shop", fake.address)
    assert check(job_on(shop, FIRST))["notes"] == ["nothing has landed yet: run `attrition ingest`"]
    ingested(shop, FIRST)
    assert check(job_on(shop, FIRST))["tables"]["payments"] == 6
    assert len(fake.asked("customers")) == 1
