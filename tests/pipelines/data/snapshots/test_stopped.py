"""A table that stopped while others went on: what rests on it is unknown from then on."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from features.training_set import families
from pipelines.data.snapshots.snapshot import Snapshots
from pipelines.data.snapshots.workspace_snapshots import snapshots_of
from pipelines.prediction.scoring.reasons import Wording
from tests.pipelines.foundation.workspace.test_workspace import ORDERS, SHOP, changed, daily, opened, source


def contacts_until(
    folder: Path, last: date, *, first: date = date(2023, 6, 1), silent_from: date = date.max
) -> Snapshots:
    """A shop with an order a day, and a contact a day until its export stopped, but for 60 days of silence."""
    contacts = source("support_contacts", "contact_id", "customer_id", "opened_at")
    orders = daily(date(2023, 6, 1), date(2024, 6, 30))
    rows = [",".join(row.split(",")[:3]) for row in daily(first, last)]
    silent = {str(silent_from + timedelta(days=number)) for number in range(60)} if silent_from < date.max else set()
    rows = [row for row in rows if row.split(",")[2][:10] not in silent]
    wanted = changed(SHOP, sources=(ORDERS, contacts))
    return snapshots_of(opened(folder, wanted, orders=orders, support_contacts=rows))


def test_what_rests_on_a_table_that_stopped_is_unknown_and_not_nothing(tmp_path: Path) -> None:
    of = contacts_until(tmp_path, date(2024, 2, 29))
    before, after = (of.at(day).frame() for day in (date(2024, 2, 1), date(2024, 6, 1)))
    mine = sorted(of.at(date(2024, 6, 1)).unknown_columns - of.at(date(2024, 2, 1)).unknown_columns)
    assert "support_contacts_90d" in mine
    assert (before["support_contacts_90d"] > 0).all()
    assert after[mine].isna().all(axis=None)
    assert (after["orders_90d"] > 0).all()
    assert "support_contacts_90d" not in of.at(date(2024, 2, 1)).unknown_columns


def test_what_rests_on_a_table_that_had_not_begun_is_unknown_and_not_nothing(tmp_path: Path) -> None:
    of = contacts_until(tmp_path, date(2024, 6, 29), first=date(2024, 2, 10))
    before, after = (of.at(day) for day in (date(2024, 2, 10), date(2024, 2, 11)))
    assert "support_contacts_90d" in before.unknown_columns
    assert before.frame()[sorted(before.unknown_columns)].isna().all(axis=None)
    assert "support_contacts_90d" not in after.unknown_columns
    assert (after.frame()["support_contacts_90d"] > 0).any()


def test_what_rests_on_a_table_that_goes_on_is_known(tmp_path: Path) -> None:
    of = contacts_until(tmp_path, date(2024, 6, 29))
    assert "support_contacts_90d" not in of.at(date(2024, 6, 1)).unknown_columns
    assert (of.at(date(2024, 6, 1)).frame()["support_contacts_90d"] > 0).all()


def test_no_reason_is_made_of_what_is_unknown() -> None:
    frame = pd.DataFrame({"days_since_last_contact": [np.nan, 3.0], "days_since_last_order": [np.nan, 3.0]})
    here = families(["orders", "support_contacts"])
    for unknown in ((), ("days_since_last_order",)):
        words = Wording(here, lookback_days=(30,), language="en", currency="EUR", unknown=unknown)
        told = words.agree("days_since_last_order", frame, np.ones(2), {"days_since_last_order": 1.0})
        assert list(told) == ([False, False] if unknown else [True, True])


def test_a_later_landing_changes_no_judgement_of_before(tmp_path: Path) -> None:
    """The same contacts, landed when they had stopped for months, and once they went on."""
    still = contacts_until(tmp_path / "still", date(2024, 2, 29))
    again = contacts_until(tmp_path / "again", date(2024, 6, 30), silent_from=date(2024, 3, 1))
    day = date(2024, 4, 15)
    assert still.at(day).file.sha256 == again.at(day).file.sha256
    assert "support_contacts_90d" in again.at(day).unknown_columns
