"""The days of a table's rows that tell how far they reach."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.contract import Table, local_day


def arrival_days(rows: ir.Table, contract: Table, *, versions: bool = False) -> ir.Table:
    """Columns day (local) and end: a row for each row and clock that tells of it, and whether it is an end's.

    versions: whether rows may be versions of one, of which those that tell of one day are one. Credit notes tell of
    what was long before.
    """
    if contract.credit is not None:
        amount = rows[contract.credit]
        rows = rows.filter(amount.isnull() | (amount >= 0))
    key = contract.key if versions else ()
    parts = []
    for clock in contract.reach_clocks:
        told = rows.select(*key, day=rows[local_day(clock)], end=ibis.literal(clock != contract.happened_at))
        parts.append(told.distinct().select("day", "end") if key else told)
    days = ibis.union(*parts) if len(parts) > 1 else parts[0]
    return days.filter(days.day.notnull())
