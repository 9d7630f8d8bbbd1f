"""A workspace's own files and its ledger, read without the product: who left, who was treated, what was recommended.

For companies whose subscriptions are one row each, in files that tell local time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

Row = dict[str, Any]


def rows(folder: Path, table: str) -> list[Row]:
    found: list[Row] = pq.read_table(folder / f"{table}.parquet").to_pylist()
    return found


def ledger(folder: Path, query: str) -> list[Row]:
    with sqlite3.connect(folder / "attrition.sqlite") as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query)]


def left(folder: Path, day: date, *, horizon_days: int = 30, grace_days: int = 14) -> dict[str, bool]:
    """Of every customer who pays at the start of a day: whether no subscription of theirs is paid for at the horizon's
    end, nor again within the grace period after it."""
    mine: dict[str, list[Row]] = {}
    for row in rows(folder, "subscriptions"):
        if row["mrr"] is None or row["mrr"] > 0:
            mine.setdefault(row["customer_id"], []).append(row)
    end = day + timedelta(days=horizon_days)

    def paid(row: Row, on: date) -> bool:
        begins = max(_day(row["started_at"]), _day(row["trial_ends_at"] or row["started_at"]))
        return begins < on and (row["ended_at"] is None or _day(row["ended_at"]) >= on)

    def back(row: Row) -> bool:
        return end <= _day(row["started_at"]) < end + timedelta(days=grace_days)

    there = {name: each for name, each in mine.items() if any(paid(row, day) for row in each)}
    return {name: not any(paid(row, end) or back(row) for row in each) for name, each in there.items()}


def treatments(folder: Path, *, first: date, after: date) -> list[Row]:
    """What was done from a day until before another."""
    return [row for row in rows(folder, "treatments") if first <= _day(row["treated_at"]) < after]


def recommended(folder: Path, *, until: date) -> list[Row]:
    """The first row of each customer, up to and with a day."""
    found: dict[str, Row] = {}
    for row in ledger(folder, "SELECT * FROM recommended ORDER BY recommended_on, customer_id"):
        if row["recommended_on"] <= str(until):
            found.setdefault(row["customer_id"], row)
    return list(found.values())


def by(found: Sequence[Row], name: str) -> Mapping[Any, list[Row]]:
    groups: dict[Any, list[Row]] = {}
    for row in found:
        groups.setdefault(row[name], []).append(row)
    return groups


def _day(moment: datetime) -> date:
    return moment.date()
