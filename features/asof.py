"""The world as it was known at a snapshot: the only place where time is cut.

What is computed beforehand for many snapshots at once (`AsOf.computed`) is cut where that is done; tests hold it equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from features.contract import Column, Table
from features.tables import TABLES

# Merging selects takes a fifth of the time that translation into SQL takes, and engines merge them by themselves.
ibis.options.sql.fuse_selects = False


@dataclass(frozen=True)
class AsOf:
    """Every table as it was known just before the local midnight that starts the snapshot's day, `today`.

    Feature code sees nothing else, so that it cannot look ahead. Spans are counted in local calendar days: they need no
    clock arithmetic, so daylight saving cannot bend them. `today` is an expression, not a Python date: whatever feature
    code makes of it, the engine computes, and one query serves every snapshot.

    pause_pauses_mrr: how the company reads a pause, as `features.subscriptions.terms` says. computed: by event table, a
    row per customer of the cohort, sorted, with measures that were computed beforehand, as `features.windows.measured`
    would.
    """

    today: ir.DateScalar
    tables: Mapping[str, ir.Table]
    pause_pauses_mrr: bool = True
    computed: Mapping[str, ir.Table] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.tables

    def __getitem__(self, name: str) -> ir.Table:
        return self.tables[name]

    def days_before(self, days: int) -> ir.DateScalar:
        """The calendar day `days` before the snapshot; a lookback of 7 days starts on `days_before(7)`."""
        return self.today - ibis.interval(days=days)

    def days_since(self, day: ir.DateColumn) -> ir.IntegerColumn:
        """Whole calendar days from `day` to the snapshot; a fact of the day before is 1 day old."""
        return self.today.delta(day, unit="day")


def instant(day: date, *, zone: ZoneInfo) -> datetime:
    """The UTC moment at which a calendar day starts in a time zone, without zone mark as landed timestamps are.

    >>> instant(date(2024, 7, 1), zone=ZoneInfo("Europe/Paris"))
    datetime.datetime(2024, 6, 30, 22, 0)
    """
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC).replace(tzinfo=None)


def as_of(tables: Mapping[str, ir.Table], snapshot_on: date, *, zone: ZoneInfo, pause_pauses_mrr: bool = True) -> AsOf:
    """Landed tables, cut to what was known before `snapshot_on` began.

    Rows that happened or became known at or after that instant are gone; of several versions of a row the last one
    known by then holds, unless it had ended; in the rows that remain, every value that became known later is null.
    """
    return known_at(tables, snapshot_on, instant(snapshot_on, zone=zone), pause_pauses_mrr=pause_pauses_mrr)


def known_at(
    tables: Mapping[str, ir.Table], snapshot_on: date, moment: datetime, *, pause_pauses_mrr: bool = True
) -> AsOf:
    """The same, where the moment at which the day begins is at hand."""
    cut = ibis.literal(moment, type="timestamp(6)")
    known = {name: _known(table, TABLES[name], cut) for name, table in tables.items()}
    return AsOf(ibis.literal(snapshot_on), known, pause_pauses_mrr=pause_pauses_mrr)


def _known(table: ir.Table, contract: Table, cut: ir.TimestampScalar) -> ir.Table:
    ends = "known_until" in table.columns
    table = table.filter(table.known_at < cut, table[contract.happened_at] < cut)
    if contract.key:
        newest = ibis.row_number().over(
            group_by=contract.key,
            order_by=[table.known_at.desc(), table.landed_order.desc(), table.source_row.desc()],
        )
        table = table.mutate(version=newest)
        table = table.filter(table.version == 0).drop("version")
    if ends:
        table = table.filter(table.known_until.isnull() | (table.known_until >= cut)).drop("known_until")
    later: dict[str, ir.Value] = {}
    for column in contract.columns:
        if column.known_at:
            later |= _masked(table, column, table[column.known_at] < cut)
        elif column.state and "state_from" in table.columns:
            later |= _masked(table, column, table.state_from.isnull() | (table.state_from < cut))
    table = table.mutate(**later)
    return table.drop("state_from") if "state_from" in table.columns else table


def _masked(table: ir.Table, column: Column, known: ir.BooleanValue) -> dict[str, ir.Value]:
    return {name: known.ifelse(table[name], ibis.null(table[name].type())) for name in column.landed}
