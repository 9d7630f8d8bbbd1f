"""What `check` says is missing, and what is unknown for want of it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pipelines.data.snapshots.snapshot import snapshots_of
from pipelines.prediction.checks.check import untold_columns
from tests.pipelines.foundation.workspace.test_workspace import CONTACTS, ORDERS, SHOP, changed, opened

REVERSALS = "orders.cancelled_at|orders.refunded_at|orders.amount<0|order_lines.quantity<0"


def test_families_that_lack_columns_are_named_with_these_as_far_as_is_known_that_day(tmp_path: Path) -> None:
    orders = ["1,ann,2024-05-01 12:00,10", "2,ben,2024-05-02 12:00,10", "3,ann,2024-05-20 12:00,-10"]
    contacts = ["1,ann,2024-05-03 12:00"]
    of = snapshots_of(
        opened(tmp_path, changed(SHOP, sources=(ORDERS, CONTACTS)), orders=orders, support_contacts=contacts)
    )
    before, after = (untold_columns(of, day) for day in (date(2024, 5, 10), date(2024, 6, 1)))
    assert before[0] == {"family": "purchases", "indicators": 3, "for_want_of": [REVERSALS]}
    assert [each["family"] for each in before] == ["purchases", "support"]
    assert after == before[1:]
    assert after[0]["indicators"] == 10
    assert "support_contacts.resolved_at" in after[0]["for_want_of"]
