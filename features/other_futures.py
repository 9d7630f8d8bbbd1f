"""The same past with another future: what a snapshot must not notice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from features.asof import instant
from features.contract import Column, Table, local_day
from features.tables import TABLES

Change = Literal["removed", "altered", "added"]
CHANGES: tuple[Change, ...] = ("removed", "altered", "added")
# What ties rows of different tables together stays: a row that fits nothing would be seen by nothing.
_LINKS = ("customer_id", "order_id", "subscription_id", "invoice_id", "method_id", "product_id", "plan")


def other_future(
    tables: Mapping[str, ir.Table], snapshot_on: date, change: Change, *, zone: ZoneInfo
) -> dict[str, ir.Table]:
    """Landed tables in which only what was not known at the snapshot is changed.

    removed: rows known later are gone, and so are values known later. altered: both have other values. added: every row
    of the past comes once more with other values, known and happened at the snapshot's very instant, known then but
    happened before, and known a day later.
    """
    cut = instant(snapshot_on, zone=zone)
    return {name: _changed(table, TABLES[name], cut, snapshot_on, change) for name, table in tables.items()}


def _changed(table: ir.Table, contract: Table, cut: datetime, today: date, change: Change) -> ir.Table:
    moment = ibis.literal(cut, type="timestamp(6)")
    past = (table.known_at < moment) & (table[contract.happened_at] < moment)
    if change == "removed":
        return _without_later_values(table.filter(past), contract, moment)
    if change == "altered":
        kept = _with_other_later_values(table.filter(past), contract, cut, today)
        return ibis.union(kept, _with_other_values(table.filter(~past), contract))
    again = _with_other_values(table.filter(past), contract)
    # Landed after the copy that is known at the same instant: which of the two is newer must not be left to chance.
    now = again.mutate(
        **{contract.happened_at: moment, local_day(contract.happened_at): ibis.date(today)},
        known_at=moment,
        landed_order=again.landed_order + 1,
    )
    next_day = ibis.literal(cut + timedelta(days=1), type="timestamp(6)")
    return ibis.union(table, again.mutate(known_at=moment), now, again.mutate(known_at=next_day))


def _without_later_values(table: ir.Table, contract: Table, moment: ir.TimestampScalar) -> ir.Table:
    gone: dict[str, ir.Value] = {}
    for column in contract.columns:
        if column.known_at:
            known = table[column.known_at] < moment
            gone |= {name: known.ifelse(table[name], ibis.null(table[name].type())) for name in column.landed}
    return table.mutate(**gone)


def _with_other_later_values(table: ir.Table, contract: Table, cut: datetime, today: date) -> ir.Table:
    """Every value that was not known is known from the snapshot on."""
    moment, others = ibis.literal(cut, type="timestamp(6)"), _other_values(table, contract)
    values: dict[str, ir.Value] = {}
    for column in contract.columns:
        if column.known_at == column.name:
            known = ibis.coalesce(table[column.name] < moment, False)
            values[column.name] = known.ifelse(table[column.name], moment)
            day = local_day(column.name)
            values[day] = known.ifelse(table[day], ibis.date(today))
        elif column.known_at:
            known = ibis.coalesce(table[column.known_at] < moment, False)
            values[column.name] = known.ifelse(table[column.name], others[column.name])
    return _typed(table.mutate(**values), table)


def _with_other_values(table: ir.Table, contract: Table) -> ir.Table:
    return _typed(table.mutate(**_other_values(table, contract)), table)


def _other_values(table: ir.Table, contract: Table) -> dict[str, ir.Value]:
    return {
        column.name: _other(table[column.name], column)
        for column in contract.columns
        if column.kind not in ("timestamp", "currency") and column.name not in (*_LINKS, *contract.key)
    }


def _other(value: ir.Value, column: Column) -> ir.Value:
    """A value of the same kind that is another, also where there was none."""
    if column.kind == "boolean":
        return ~ibis.coalesce(value, False)
    if column.choices:
        following = zip(column.choices, (*column.choices[1:], column.choices[0]), strict=True)
        return ibis.cases(*((value == one, ibis.literal(other)) for one, other in following), else_=column.choices[0])
    if column.kind == "text":
        return ibis.coalesce(value, "") + ibis.literal("~")
    return ibis.coalesce(value, 0) * 2 + 7


def _typed(table: ir.Table, like: ir.Table) -> ir.Table:
    return table.select(**{name: table[name].cast(kind) for name, kind in like.schema().items()})
