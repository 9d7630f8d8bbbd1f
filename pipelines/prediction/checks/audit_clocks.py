"""Clocks that cannot be right: values known before their row happened, and rows before the rows they follow from."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any

import ibis.expr.types as ir

from features.tables import TABLES
from pipelines.foundation.workspace.coverage import Coverage
from pipelines.prediction.leaks.finding import Finding

FEWEST, SHARE = 5, 0.01

# A row of the second table cannot come before the row of the first that it names; equal: it cannot come after either.
FOLLOWS = (
    ("orders", "ordered_at", "order_lines", "ordered_at", "order_id", True),
    ("invoices", "issued_at", "payments", "attempted_at", "invoice_id", False),
    ("subscriptions", "started_at", "subscription_changes", "changed_at", "subscription_id", False),
    ("subscriptions", "started_at", "invoices", "issued_at", "subscription_id", False),
)


def impossible(
    tables: Mapping[str, ir.Table],
    engine: Any,
    *,
    coverages: Mapping[str, Coverage],
    of_outcomes: Collection[str],
    today: date,
) -> Iterator[Finding]:
    """Findings on days that cannot be right, on clocks within rows, and between rows that belong together.

    of_outcomes: the tables that outcomes are read from; in others rows may well stand alone.
    """
    yield from _out_of_reach(coverages, of_outcomes, today)
    yield from _within_rows(tables, engine)
    yield from _between_rows(tables, engine)


def _out_of_reach(coverages: Mapping[str, Coverage], of_outcomes: Collection[str], today: date) -> Iterator[Finding]:
    """Days to come, and days that stand alone beyond a long silence: one is enough, it is mistyped."""
    for name, each in coverages.items():
        told = list[str]()
        if each.ahead_from is not None and each.ahead_from > today:
            told.append(f"{each.ahead:,} lie on the day of the run, {today}, or after it (first {each.ahead_from})")
        if each.stray and name in of_outcomes:
            count = sum(each.counts[day] for day in each.stray)
            told.append(f"{count:,} stand alone beyond a long silence (first {each.stray[0]})")
        for said in told:
            yield Finding("clocks", name, TABLES[name].happened_at, f"of the days in its clocks, {said}")


def _within_rows(tables: Mapping[str, ir.Table], engine: Any) -> Iterator[Finding]:
    for name, table in tables.items():
        contract = TABLES[name]
        clocks = [column.name for column in contract.columns if column.known_at == column.name]
        if not clocks:
            continue
        happened = table[contract.happened_at]
        counts = {f"{clock}_early": (table[clock] < happened).ifelse(1, 0).sum() for clock in clocks}
        filled = {f"{clock}_filled": table[clock].count() for clock in clocks}
        found = engine.to_pyarrow(table.agg(**counts, **filled)).to_pylist()[0]
        for clock in clocks:
            early, of = int(found[f"{clock}_early"] or 0), int(found[f"{clock}_filled"] or 0)
            if early >= max(FEWEST, SHARE * of):
                said = f"in {early:,} of {of:,} rows it lies before {contract.happened_at}, and so counts as known then"
                yield Finding("clocks", name, clock, said)


def _between_rows(tables: Mapping[str, ir.Table], engine: Any) -> Iterator[Finding]:
    for first, first_at, second, second_at, key, equal in FOLLOWS:
        if first not in tables or second not in tables:
            continue
        starts = tables[first].group_by(key).agg(first_at=tables[first][first_at].min())
        rows = tables[second].select(second_at=tables[second][second_at], mine=tables[second][key])
        both = rows.inner_join(starts, rows.mine == starts[key])
        early, late = both.second_at < both.first_at, both.second_at > both.first_at
        found = engine.to_pyarrow(
            both.agg(early=early.ifelse(1, 0).sum(), late=late.ifelse(1, 0).sum(), of=both.count())
        ).to_pylist()[0]
        of = int(found["of"] or 0)
        wrong = max(int(found["early"] or 0), int(found["late"] or 0) if equal else 0)
        if wrong >= max(FEWEST, SHARE * of):
            how = "lies apart from" if equal else "lies before"
            said = (
                f"in {wrong:,} of {of:,} rows it {how} {first}.{first_at} of the same {key}: one of the two is in "
                "another time zone, or mapped to the wrong column"
            )
            yield Finding("clocks", second, second_at, said)
