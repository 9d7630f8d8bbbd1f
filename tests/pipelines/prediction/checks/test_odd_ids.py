"""Ids that are one but for how they are written: told from a threshold on, of customers and of what is theirs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from features.tables import TABLES
from pipelines.foundation.storage.spilling import spilling
from pipelines.prediction.checks.odd_ids import alike_ids
from pipelines.prediction.checks.odd_measures import LandedRows
from tests.pipelines.foundation.workspace.test_workspace import ORDERS, SHOP, changed, opened, source

CONTACTS = source("support_contacts", "contact_id", "customer_id", "opened_at")


def told(folder: Path, customers: Sequence[str], contacts: Sequence[str] = ("nobody",)) -> list[str]:
    """What is said of orders of some customers, and of contacts of others."""
    workspace = opened(
        folder,
        changed(SHOP, sources=(ORDERS, CONTACTS)),
        orders=[f"{number},{name},2024-05-01 12:00,5" for number, name in enumerate(customers)],
        support_contacts=[f"{number},{name},2024-05-01 12:00" for number, name in enumerate(contacts)],
    )
    tables = [
        LandedRows(
            contract=TABLES[each.table], places=[workspace.store.place(each.rows.path)], keyed=True, rows=len(customers)
        )
        for each in workspace.landed
    ]
    with spilling() as connection:
        return [each.text for each in alike_ids(connection, tables, entities={"orders"}, refusals=None)]


@pytest.mark.parametrize(("one", "other"), [("ANN{}", "ann{}"), ("00{}1", "{}1"), ("{}.0", "{}"), ("0{}.00", "{}")])
def test_ids_that_differ_in_how_they_are_written_alone_are_told(one: str, other: str, tmp_path: Path) -> None:
    ids, others = ([text.format(number) for number in (1, 2, 3)] for text in (one, other))
    but_for = "but for capitals, zeros in front or .0 at the end, and"
    remedy = "write them alike (lower_case of the source, or a query)"
    (said,) = told(tmp_path / "a", [*ids, *others])
    assert said == (
        f"orders.customer_id: 3 of 6 ids are another's {but_for} each counts as a customer: if it is one, {remedy}"
    )
    (said,) = told(tmp_path / "b", ids, others)
    assert said == (
        f"support_contacts.customer_id: 3 of 3 ids are those of orders {but_for} what is theirs is nobody's: {remedy}"
    )


def test_a_few_and_those_that_match_as_they_are_are_not_told(tmp_path: Path) -> None:
    assert told(tmp_path / "a", ["1", "2", "3", "01", "02"], ["1", "2", "3", "001"]) == []
    many = [str(number) for number in range(1, 400)]
    assert told(tmp_path / "b", [*many, "01", "02", "03"]) == []  # under a hundredth
    assert told(tmp_path / "c", ["10", "100", "1000", "0"], ["20", "200", "2000"]) == []
