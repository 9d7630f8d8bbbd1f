"""What was known of each customer first: values that nothing later may have touched."""

from __future__ import annotations

from datetime import datetime

import ibis
import ibis.expr.types as ir

from features.contract import Table

LAST = "last_"


def first_known(table: ir.Table, contract: Table, end: datetime) -> ir.Table:
    """One row per customer: the row of a landed table that was known first, as it was known then and at the end.

    Columns: customer_id, first_known_at (timestamp), and of each declared column that is neither the customer, nor a
    key, nor its own clock: its value then, and as `last_...` that of the newest version of the same row. A value whose
    clock is later than the row is null. end: rows that were not known by then are not there; UTC, without zone mark.
    """
    cut = ibis.literal(end, type="timestamp(6)")
    rows = table.filter(table.known_at < cut, table[contract.happened_at] < cut)
    rows = rows.mutate(first_known_at=ibis.greatest(rows.known_at, rows[contract.happened_at]))
    later = [rows.landed_order.desc(), rows.source_row.desc()]
    first = rows.mutate(place=ibis.row_number().over(group_by="customer_id", order_by=[rows.first_known_at, *later]))
    first = first.filter(first.place == 0)
    names = examined_columns(contract)
    values: dict[str, ir.Value] = {}
    for name in names:
        clock = contract.column(name).known_at
        value = first[name]
        values[name] = (
            value if clock is None else (first[clock] <= first.first_known_at).ifelse(value, ibis.null(value.type()))
        )
    if not contract.key:  # a row of these has no versions
        return first.select(
            "customer_id", "first_known_at", **values, **{f"{LAST}{name}": first[name] for name in names}
        )
    newest = rows.mutate(
        place=ibis.row_number().over(group_by=contract.key, order_by=[rows.first_known_at.desc(), *later])
    )
    newest = newest.filter(newest.place == 0)
    keys = {f"key_{number}": newest[name] for number, name in enumerate(contract.key)}
    newest = newest.select(**keys, **{f"{LAST}{name}": newest[name] for name in names})
    first = first.select(
        "customer_id",
        "first_known_at",
        **values,
        **{f"of_{number}": first[name] for number, name in enumerate(contract.key)},
    )
    both = first.left_join(newest, [first[f"of_{number}"] == newest[f"key_{number}"] for number in range(len(keys))])
    return both.drop(*keys, *(f"of_{number}" for number in range(len(keys))))


def examined_columns(contract: Table) -> list[str]:
    """Columns that may hold what was learned later: not ids, keys and clocks of their own."""
    return [
        column.name
        for column in contract.columns
        if column.name not in (*contract.key, contract.happened_at)
        and not column.name.endswith("_id")
        and column.known_at != column.name
    ]
