"""Which tables had not begun by a day, or had stopped: judged by what was known then, whatever lands later."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from features.asof import AsOf
from features.tables import TABLES
from pipelines.foundation.workspace.arrival_days import arrival_days
from pipelines.foundation.workspace.coverage import Coverage, coverage

SHOP = ("orders", "order_lines")
# Those that outcomes are read from, which no day of the calendar outlives; and who customers are stays known.
LASTING = frozenset({*SHOP, "subscriptions", "subscription_changes", "customers"})


def may_stop(tables: Collection[str]) -> list[str]:
    """Those of which it is judged whether they stopped."""
    return sorted(set(tables) - LASTING)


def arrivals(view: AsOf) -> ir.Table:
    """How many rows of each table tell of each local day: columns name, day, rows."""
    parts = [
        arrival_days(table, TABLES[name]).mutate(name=ibis.literal(name)) for name, table in sorted(view.tables.items())
    ]
    days = ibis.union(*parts) if len(parts) > 1 else parts[0]
    return days.group_by("name", "day").agg(rows=days.count())


def silent(found: pa.Table, day: date, tables: Collection[str], *, by_contract: bool) -> tuple[str, ...]:
    """Those that say nothing of a day: no row of them had come yet, or none of those that should have.

    found: their `arrivals` as of the day. Others went on by then: where no table tells of a day, none is silent.
    """
    counts: dict[str, dict[date, int]] = {}
    for row in found.to_pylist():
        counts.setdefault(row["name"], {})[row["day"]] = row["rows"]
    covered = {name: coverage(days, today=day) for name, days in counts.items()}
    here: dict[str, Coverage] = {name: each for name, each in covered.items() if each is not None}
    telling = [each.last for name, each in here.items() if by_contract or name in SHOP]
    if not telling:
        return ()
    return tuple(name for name in may_stop(tables) if name not in here or here[name].stopped(max(telling)))
