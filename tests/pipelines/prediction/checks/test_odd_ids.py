"""Ids that are likely to be one customer's: told from a threshold on, of customers and of what is theirs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest

from features.tables import TABLES
from pipelines.data.landing.ingest import ingest
from pipelines.foundation.identity.objections import Refusals
from pipelines.foundation.storage.spilling import spilling
from pipelines.foundation.workspace.workspace import open_workspace
from pipelines.prediction.checks.odd import Odd
from pipelines.prediction.checks.odd_ids import alike_ids, changed_ids
from pipelines.prediction.checks.odd_measures import LandedRows
from pipelines.prediction.checks.odd_sources import landed_sources
from tests.pipelines.foundation.workspace.test_workspace import NOON, ORDERS, SHOP, changed, made, opened, source

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


# Two sources of one table

ENDS = date(2023, 12, 31)


def told_of_two(
    folder: Path,
    old: Sequence[str],
    new: Sequence[str],
    *,
    gap: int = 1,
    entities: Sequence[str] = ("orders",),
    refusals: Refusals | None = None,
) -> list[Odd]:
    """What is said of orders of some customers until 2023, and of others from `gap` days after its last day on.

    Both sources map the same columns: nothing but their paths tells them apart.
    """
    sources = tuple(ORDERS.model_copy(update={"path": f"{name}.csv"}) for name in ("old", "new"))
    root = made(folder, changed(SHOP, sources=sources))
    begins = ENDS + timedelta(days=gap)
    texts = {
        "old": [f"o{n},{name},{ENDS - timedelta(days=n)} 12:00,5" for n, name in enumerate(old)],
        "new": [f"n{n},{name},{begins + timedelta(days=n)} 12:00,5" for n, name in enumerate(new)],
    }
    for name, lines in texts.items():
        (root / f"{name}.csv").write_text("\n".join(["order_id,customer_id,ordered_at,amount", *lines]) + "\n")
    workspace = open_workspace(root, now=NOON)
    ingest(workspace.store, workspace.settings, today=workspace.today)
    workspace = open_workspace(root, now=NOON)
    files = workspace.landed
    table = LandedRows(
        contract=TABLES["orders"],
        places=[workspace.store.place(each.rows.path) for each in files],
        keyed=True,
        rows=len(old) + len(new),
        sources=landed_sources(workspace.store, files, workspace.landed_sources),
    )
    with spilling() as connection:
        return list(changed_ids(connection, [table], entities=entities, refusals=refusals))


OLD, NEW = ([f"{letter}{number}" for number in range(101, 141)] for letter in "an")


def test_sources_of_which_one_goes_on_for_the_other_with_other_customers_are_told(tmp_path: Path) -> None:
    (said,) = told_of_two(tmp_path, OLD, NEW)
    assert (said.kind, said.table, said.column, said.rows) == ("changed_ids", "orders", "customer_id", 40)
    assert said.text == (
        "orders.customer_id: old.csv ends on 2023-12-31 with 40 customers, new.csv begins on 2024-01-01 with 40, and 0 "
        "are in both: if ids changed with the system, each customer counts twice, the old one as gone; give the old "
        "rows the new ids, in a query that joins a list of both. If these are different shops, nothing is to be done"
    )


@pytest.mark.parametrize(("gap", "times"), [(-15, 0), (-14, 1), (14, 1), (15, 0)])
def test_sources_far_apart_or_beside_each_other_are_not(tmp_path: Path, gap: int, times: int) -> None:
    assert len(told_of_two(tmp_path, OLD, NEW, gap=gap)) == times


def test_a_hundredth_of_the_customers_in_both_and_few_customers_are_no_sign(tmp_path: Path) -> None:
    many = [f"n{number}" for number in range(200, 301)]
    assert told_of_two(tmp_path / "a", OLD, [OLD[0], *NEW[1:]]) == []
    assert len(told_of_two(tmp_path / "b", many, [many[0], *(f"x{number}" for number in range(100))])) == 1
    assert len(told_of_two(tmp_path / "c", OLD[:30], NEW)) == 1
    assert told_of_two(tmp_path / "d", OLD[:29], NEW) == []
    assert told_of_two(tmp_path / "e", OLD, NEW, entities=["subscriptions"]) == []


def test_ids_that_are_one_but_for_how_they_are_written_are_left_to_the_other_line(tmp_path: Path) -> None:
    assert told_of_two(tmp_path, OLD, [f"0{name.upper()}.0" for name in OLD]) == []


def test_who_may_not_be_processed_is_not_counted(tmp_path: Path) -> None:
    refusals = Refusals(objected=frozenset(OLD[:11]), consented=None)
    assert told_of_two(tmp_path, OLD, NEW, refusals=refusals) == []
