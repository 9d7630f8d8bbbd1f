"""Exports of 4 to 40 columns: those that tell nothing are left out, or further ones that tell nothing are added.

Everything here is simulated.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.exports import Company, columns_of, moments
from features.contract import Column
from features.tables import TABLES

# Tables that a company may have beside the others; rows a year of each customer.
FURTHER = {"messages": 6, "usage": 8, "content_views": 8, "surveys": 1, "invoices": 6, "payments": 6, "loyalty": 3}
WORDS = ("one", "two", "three", "four")
# Without it nobody is known to have left.
ALWAYS = "subscriptions.ended_at"


def wanted(chance: np.random.Generator) -> int:
    """4 to 40 columns, as often a few as many."""
    return int(4 * 10 ** chance.random())


def with_columns(made: Company, many: int, kept: Collection[str], chance: np.random.Generator) -> None:
    """Change an export to as many columns of values, as near as those that must stay allow.

    kept: as `table.column`, those that stay: which leak, or tell honestly who will leave.
    """
    _leave_out(made, columns_of(made) - many, kept, chance)
    for name in ["", *chance.permutation(list(FURTHER))]:
        if name and columns_of(made) < many:
            made.frames[name] = _rows(made, name, chance)
        _fill(made, many - columns_of(made), chance)


def _leave_out(made: Company, many: int, kept: Collection[str], chance: np.random.Generator) -> None:
    free = [
        (table, column.name)
        for table, frame in made.frames.items()
        for column in TABLES[table].columns
        if column.name in frame and not column.required and f"{table}.{column.name}" not in {*kept, ALWAYS}
    ]
    for table, name in chance.permutation(free)[: max(many, 0)]:
        made.frames[table] = made.frames[table].drop(columns=name)


def _fill(made: Company, many: int, chance: np.random.Generator) -> None:
    """Add columns that tables lack; currencies and what only others explain stay away."""
    lacking = [
        (table, column)
        for table, frame in made.frames.items()
        for column in TABLES[table].columns
        if column.name not in frame and not column.required and _free(column)
    ]
    for place in chance.permutation(len(lacking))[: max(many, 0)]:
        table, column = lacking[place]
        made.frames[table][column.name] = _values(made, table, column, chance)


def _free(column: Column) -> bool:
    ends = column.name in {"ended_at", "end_reason", "cancelled_at", "refunded_at", "removed_at", "currency"}
    follows = column.known_at is not None and column.known_at != column.name
    return not ends and not follows and column.name not in {"subscription_id", "invoice_id", "method_id"}


def _rows(made: Company, name: str, chance: np.random.Generator) -> pd.DataFrame:
    """Events while somebody is a customer, whatever comes, with the columns that must be there."""
    end = np.minimum(made.death, made.days)
    who = np.repeat(np.arange(made.size), chance.poisson(np.maximum(end - made.start, 0) / 365 * FURTHER[name]))
    table = TABLES[name]
    frame = pd.DataFrame({"customer_id": made.ids[who]})
    frame[table.happened_at] = moments(chance.uniform(made.start[who], end[who])).to_numpy()
    for key in set(table.key) - {"customer_id"}:
        frame[key] = [f"{name}-{number}" for number in range(len(who))]
    made.frames[name] = frame
    for column in table.columns:
        if column.required and column.name not in frame:
            frame[column.name] = _values(made, name, column, chance)
    return frame


def _values(made: Company, table: str, column: Column, chance: np.random.Generator) -> Any:
    frame, size = made.frames[table], len(made.frames[table])
    if column.kind == "boolean":
        return chance.random(size) < chance.uniform(0.05, 0.95)
    if column.kind == "timestamp":
        later = pd.to_timedelta(chance.exponential(20, size), unit="D").round("s")
        then = frame[TABLES[table].happened_at] + later
        known = then < moments(np.full(size, made.days)).to_numpy()
        return then.where((chance.random(size) < 0.8) & (known | (column.known_at is None))).astype("datetime64[us]")
    if column.kind in ("integer", "number", "money"):
        return chance.integers(1, 6, size)
    return chance.choice(column.choices or WORDS, size)
