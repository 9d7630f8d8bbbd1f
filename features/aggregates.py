"""The arithmetic that families share, so written that engines agree and the order of rows does not matter."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir


def per_customer(cohort: ir.Table, *parts: ir.Table) -> ir.Table:
    """The cohort with the columns of each part beside; a part has customer_id and at most one row per customer."""
    for part in parts:
        cohort = cohort.left_join(part, "customer_id").drop("customer_id_right")
    return cohort


def real(value: ir.Value) -> ir.FloatingValue:
    """As float64."""
    return value.cast("float64")


def count(where: ir.BooleanValue) -> ir.IntegerScalar:
    """How many rows of a group satisfy a condition; a null condition does not."""
    return where.ifelse(1, 0).sum().fill_null(0).cast("int64")


def flag(condition: ir.BooleanValue) -> ir.IntegerValue:
    """1 or 0; a null condition is 0."""
    return condition.ifelse(1, 0).cast("int64")


def total(amount: ir.DecimalValue, where: ir.BooleanValue) -> ir.FloatingScalar:
    """The sum of money or quantities over the rows of a group that satisfy a condition, 0 where none does.

    Summed as exact decimals: a sum of floats would depend on the order of rows.
    """
    return real(exact_total(amount, where))


def exact_total(amount: ir.DecimalValue, where: ir.BooleanValue) -> ir.DecimalScalar:
    """The same, still exact, for sums and differences of sums."""
    return amount.sum(where=where).fill_null(0)


def ratio(part: ir.NumericValue, whole: ir.NumericValue) -> ir.FloatingValue:
    """Null where there is nothing to divide by."""
    # 0 is added because there are engines to which the zero below 0, as of 0 / -1, is another number than 0.
    return real(part) / (real(whole) + 0.0).nullif(0)


def within(age: ir.IntegerValue, days: int) -> ir.BooleanValue:
    """In the lookback: the `days` days before the snapshot. age: whole days, 1 for the day before."""
    return age <= days


def before(age: ir.IntegerValue, days: int) -> ir.BooleanValue:
    """In the equal span before the lookback."""
    return (age > days) & (age <= 2 * days)


def from_newest(table: ir.Table, moment: str, *, by: str | Sequence[str] = "customer_id") -> ir.Table:
    """The table with `rank_from_newest` within each customer (or other grain): 0 for the last row by a timestamp.

    Of several rows at one moment the one known last is the newest, then the one landed last.
    """
    downwards = [table[name].desc() for name in (moment, "known_at", "landed_order", "source_row")]
    return table.mutate(rank_from_newest=ibis.row_number().over(group_by=by, order_by=downwards))


def newest(table: ir.Table, moment: str, *, by: str | Sequence[str] = "customer_id") -> ir.Table:
    """The last row of each customer (or other grain) by a timestamp."""
    ranked = from_newest(table, moment, by=by)
    return ranked.filter(ranked.rank_from_newest == 0).drop("rank_from_newest")


def hours_between(start: ir.TimestampValue, end: ir.TimestampValue) -> ir.FloatingValue:
    """Hours between two moments, to the second: engines differ in what they do with what is finer."""
    seconds = real(end.truncate("s").epoch_seconds()) - real(start.truncate("s").epoch_seconds())
    return seconds / 3600.0
