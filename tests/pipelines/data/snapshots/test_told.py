"""What rests on a column that nobody exports is unknown, and not 0."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from features.asof import as_of
from features.catalog import Evidence, Family
from features.cohort import Cohort
from features.tables import TABLES
from features.training_set import FAMILIES
from pipelines.data.snapshots.definitions import Definition
from pipelines.data.snapshots.told import told, untold
from pipelines.data.snapshots.workspace_snapshots import snapshots_of
from tests.features.histories import random_world
from tests.features.test_no_look_ahead import tables_of
from tests.features.world_case import PARIS, SNAPSHOT, SPANS, Engine, landed, order
from tests.pipelines.foundation.workspace.test_workspace import LINES, ORDERS, SHOP, changed, opened, source

CUSTOMERS = [f"c{number}" for number in range(40)]
# Without these an indicator may be another, not unknown, for the reason beside.
STILL_TOLD = {
    "orders.cancelled_at": "which orders stand; whoever exports none has none that fell",
    "orders.refunded_at": "credit notes and cancellations tell of reversals, too",
    "orders.refunded_amount": "all of the order, as its contract says",
    "invoices.voided_at": "which invoices stand",
    "invoices.written_off_at": "what is given up is not overdue any more",
    "loyalty.expires_at": "points that do not expire",
    "payment_methods.is_default": "all methods may pay, the newest does",
    "payment_methods.removed_at": "methods that are still there",
    "payment_methods.expires_at": "a method that does not expire stands behind another",
    "payments.invoice_id": "attempts are taken as of one invoice",
    "subscriptions.ended_at": "subscriptions that still run",
    "subscriptions.term_started_at": "a first term begins with the subscription",
    "subscriptions.mrr": "changes tell of prices, too",
    "subscriptions.plan": "changes tell of plans, too",
    "subscriptions.seats": "changes tell of seats, too; without any a price is of one",
    "subscription_changes.mrr_after": "subscriptions tell of prices, too",
    "subscription_changes.plan": "subscriptions tell of plans, too",
    "subscription_changes.seats": "subscriptions tell of seats, too",
    "support_contacts.reopened_at": "which contacts are open, among those resolved",
    "surveys.score": "whoever leaves explains without a mark",
    "usage.quantity": "a use without a quantity is one",
    "order_lines.product_id": "plans tell what is used, too, wherever that is asked",
    "incidents.product_id": "an incident may name a plan",
    "incidents.plan": "an incident may name a product",
    "competitor_prices.product_id": "a price may be of a plan",
    "competitor_prices.plan": "a price may be of a product",
    "customers.country": "empty means not recorded, and says so",
    "customers.acquisition_channel": "empty means not recorded, and says so",
    "customers.value_tier": "empty means not recorded, and says so",
    "customers.born_at": "empty means not recorded, and says so",
    "customers.gender": "empty means not recorded, and says so",
}
OPTIONAL = [f"{table.name}.{column.name}" for table in TABLES.values() for column in table.columns if column.null]
# Rows of one kind among the rows of a table, which an export may leave out.
KINDS_OF_ROWS = [
    *(
        f"{name}.{each.name}={value}"
        for name, table in TABLES.items()
        for each in table.columns
        for value in each.choices
    ),
    *(f"{name}.{table.credit}<0" for name, table in TABLES.items() if table.credit),
    "payments.succeeded=false",
]
# And without rows of these kinds 0 is true of all.
STILL_TOLD_OF_KINDS = {
    "payments.failure_kind=hard": "who tells of the other kind tells kinds, and had none of this",
    "payments.failure_kind=soft": "who tells of the other kind tells kinds, and had none of this",
}


class World:
    """One random history of the tables of a family, its indicators, and what they are once a column is empty."""

    def __init__(self, family: Family) -> None:
        names = tables_of(family)
        self.definition = Definition(
            cohort=Cohort(kind="ever_ordered"),
            lookbacks=SPANS,
            time_zone="Europe/Paris",
            tables=tuple(names),
            personal=True,
            pause_pauses_mrr=True,
        )
        unbound = {name: ibis.table(TABLES[name].landed | {"landed_order": "int64"}, name=name) for name in names}
        here = [each for each in self.definition.families if each.name == family.name]
        self._engine = Engine(*names, families=here, customers=True)
        wanted = self.definition.told_by
        known = as_of(unbound, SNAPSHOT, zone=PARIS)
        self._told = ibis.to_sql(told(known, wanted), dialect="duckdb") if wanted else None
        rows = random_world(random.Random(1), names, CUSTOMERS)
        self._tables = {name: landed(name, content) for name, content in rows.items()}
        self.whole, self.untold = self.without(None)

    def without(self, lacking: str | None) -> tuple[pd.DataFrame, list[str]]:
        """The indicators, and what tells nothing, with a column of everybody's empty, or without rows of one kind."""
        tables = dict(self._tables)
        if lacking in KINDS_OF_ROWS:
            named = Evidence.of(lacking)
            rows = tables[named.table]
            column = rows[named.column]
            of_kind = pc.less(column, 0) if named.below_zero else pc.equal(pc.cast(column, "string"), named.value)
            tables[named.table] = rows.filter(pc.fill_null(pc.invert(of_kind), True))
        elif lacking is not None:
            name, _, column = lacking.partition(".")
            for each in next(each for each in TABLES[name].columns if each.name == column).landed:
                place = tables[name].schema.get_field_index(each)
                nothing = pa.nulls(len(tables[name]), tables[name].schema.field(place).type)
                tables[name] = tables[name].set_column(place, each, nothing)
        found = self._engine.run(everybody=pa.table({"customer_id": CUSTOMERS}), **tables).to_pandas()
        empty: list[str] = []
        if self._told is not None:
            empty = untold(self._engine.connection.execute(self._told).to_arrow_table())
        return found.set_index("customer_id").sort_index(), empty


@cache
def world(name: str) -> World:
    return World(next(each for each in FAMILIES if each.name == name))


@pytest.mark.parametrize("column", OPTIONAL)
def test_an_indicator_that_a_missing_column_alters_is_unknown(column: str) -> None:
    """Not 0, and not "never", for each column that an export may lack; or it stands in the list why not."""
    table = column.partition(".")[0]
    for family in (each for each in FAMILIES if table in tables_of(each)):
        here = world(family.name)
        assert not here.untold
        found, empty = here.without(column)
        same = (found == here.whole) | (found.isna() & here.whole.isna())
        altered = set(found.columns[~same.all()])
        unknown = here.definition.unknown_columns((), empty)
        if column not in STILL_TOLD or (family.name == "purchases" and column == "order_lines.product_id"):
            assert altered <= unknown


@pytest.mark.parametrize("kind", KINDS_OF_ROWS)
def test_an_indicator_that_says_nothing_of_anybody_for_want_of_rows_of_a_kind_is_unknown(kind: str) -> None:
    table = Evidence.of(kind).table
    for family in (each for each in FAMILIES if table in tables_of(each)):
        here = world(family.name)
        found, empty = here.without(kind)
        claims = [each for each in family.indicators if each.zero_where_nothing or each.null_is_risk]
        columns = {each.name: list(each.columns(SPANS.lookback_days)) for each in claims}
        silent = {name for name, own in columns.items() if not_there(found[own]) and not not_there(here.whole[own])}
        unknown = here.definition.unknown_columns((), empty)
        assert {column for name in silent for column in columns[name]} <= unknown or kind in STILL_TOLD_OF_KINDS


def not_there(values: pd.DataFrame) -> bool:
    return bool((values.isna() | (values == 0)).all(axis=None))


def test_what_tells_is_a_column_of_a_table_that_the_indicator_needs() -> None:
    for family in FAMILIES:
        for group in family.groups:
            needed = {name for need in group.needs for name in need.split("|")}
            for indicator in group.indicators:
                for column in (part for each in indicator.told_by for part in each.split("|")):
                    named = Evidence.of(column)
                    assert named.table in needed
                    (contract,) = [each for each in TABLES[named.table].columns if each.name == named.column]
                    if named.value is not None:
                        values = contract.choices or {"boolean": ("true", "false")}[contract.kind]
                        assert named.value in values


# In a workspace

DAYS = [f"2024-0{month}-{day:02} 12:00" for month in (1, 2, 3, 4, 5, 6) for day in (3, 14)]
REVERSALS = [f"{name}_{days}d" for name in ("reversals", "reversed_value", "reversed_share") for days in (30, 90)]


def snapshot_frames(folder: Path, orders: Sequence[str], *columns: str, days: Sequence[date]) -> list[pd.DataFrame]:
    mapped = source("orders", "order_id", "customer_id", "ordered_at", "amount", *columns)
    of = snapshots_of(opened(folder, changed(SHOP, sources=(mapped,)), orders=orders))
    return [of.at(day).frame().set_index("customer_id")[REVERSALS] for day in days]


def test_where_no_reversal_is_exported_none_is_claimed(tmp_path: Path) -> None:
    rows = [f"{number},c{number % 3},{moment},10" for number, moment in enumerate(DAYS)]
    (found,) = snapshot_frames(tmp_path, rows, days=[date(2024, 6, 20)])
    assert found.isna().all(axis=None)


@pytest.mark.parametrize("reversed_order", ["90,c0,2024-05-05 12:00,-4,", "90,c0,2024-05-05 12:00,4,2024-05-05 13:00"])
def test_once_one_reversal_is_known_the_others_have_none(tmp_path: Path, reversed_order: str) -> None:
    """From that day on: what was said of the days before stays as it was."""
    rows = [f"{number},c{number % 3},{moment},10," for number, moment in enumerate(DAYS)]
    days = [date(2024, 5, 5), date(2024, 5, 6)]
    before, after = snapshot_frames(tmp_path, [*rows, reversed_order], "cancelled_at", days=days)
    assert before.isna().all(axis=None)
    assert list(after["reversals_30d"]) == [1, 0, 0]
    assert list(after["reversed_value_30d"]) == [4, 0, 0]


def test_lines_tell_of_reversals_only_where_there_are_no_orders(tmp_path: Path) -> None:
    lines = [f"{number},c{number % 3},{moment},1,10" for number, moment in enumerate(DAYS)]
    back = "90,c0,2024-05-05 12:00,-1,10"
    orders = [",".join(row.split(",")[:3]) + ",10" for row in lines]
    alone = snapshots_of(opened(tmp_path / "alone", changed(SHOP, sources=(LINES,)), order_lines=[*lines, back]))
    beside = changed(SHOP, sources=(ORDERS, LINES))
    both = snapshots_of(opened(tmp_path / "both", beside, orders=orders, order_lines=[*lines, back]))
    day = date(2024, 6, 20)
    assert list(alone.at(day).frame()["reversals_90d"]) == [1, 0, 0]
    assert both.at(day).frame()["reversals_90d"].isna().all()
    assert "reversals_90d" in both.at(day).unknown_columns
    assert "reversals_90d" not in alone.at(day).unknown_columns


def test_columns_are_told_by_any_row_that_was_known() -> None:
    rows = [order("ann", "2024-05-01 12:00"), order("ben", "2024-05-02 12:00", cancelled_at=None)]
    late = order("ann", "2024-05-03 12:00", cancelled_at=pd.Timestamp("2024-08-01").to_pydatetime())
    columns = ["orders.cancelled_at", "orders.amount<0", "orders.cancelled_at|orders.amount<0"]
    for more, expected in (
        ([], [False, False, False]),
        ([late], [False, False, False]),
        ([order("ben", "2024-05-04 12:00", -3)], [False, True, True]),
    ):
        view = as_of({"orders": ibis.memtable(landed("orders", [*rows, *more]))}, SNAPSHOT, zone=PARIS)
        assert list(told(view, columns)[columns].to_pandas().iloc[0]) == expected
