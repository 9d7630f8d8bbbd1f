"""The days of a table's rows that tell how far they reach."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.contract import Table, local_day


def arrival_days(rows: ir.Table, contract: Table) -> ir.Table:
    """Column day (local): a row for each row and clock that tells of it. Credit notes tell of what was long before."""
    if contract.credit is not None:
        amount = rows[contract.credit]
        rows = rows.filter(amount.isnull() | (amount >= 0))
    parts = [rows.select(day=rows[local_day(clock)]) for clock in contract.reach_clocks]
    days = ibis.union(*parts) if len(parts) > 1 else parts[0]
    return days.filter(days.day.notnull())
