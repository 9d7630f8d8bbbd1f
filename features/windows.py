"""Measures of an event table over lookbacks and the spans before, declared once for whatever executes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import ibis.expr.types as ir

from features.aggregates import before, count, exact_total, per_customer, within
from features.asof import AsOf
from features.contract import Table, local_day
from features.tables import TABLES


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What is measured of a customer's rows, 0 where there are none.

    name: what its columns begin with: `{name}_{days}d`, and with `before` also `{name}_{days}d_before`.
    of: "rows", how many there are, and with a `column` those where it is above zero, or is `value`; "sum", of a column,
        exact; "days", the distinct local days that rows lie on; "values", the distinct values of a column; "last_day",
        the last local day of all, null where there is none, whose column has the bare name.
    empty: what a row without a value adds to a sum.
    before: also over the equal span before the lookback. Never of values and last days.
    """

    name: str
    of: Literal["rows", "sum", "days", "values", "last_day"]
    column: str = ""
    value: str | None = None
    empty: int = 0
    before: bool = False

    def __post_init__(self) -> None:
        if (self.of in ("sum", "values")) != bool(self.column) and self.of != "rows":
            raise ValueError(f"measure {self.name}: {self.of} {'needs a' if not self.column else 'has no'} column")
        if self.before and self.of in ("values", "last_day"):
            raise ValueError(f"measure {self.name}: {self.of} are not measured over the span before")

    def columns(self, lookback_days: Iterable[int]) -> list[str]:
        if self.of == "last_day":
            return [self.name]
        names = [f"{self.name}_{days}d" for days in lookback_days]
        return names + [f"{name}_before" for name in names if self.before]


@dataclass(frozen=True)
class Windows:
    """Measures of one event table: whatever is derived from them is arithmetic on one row per customer."""

    table: str
    measures: tuple[Measure, ...]

    @property
    def contract(self) -> Table:
        return TABLES[self.table]

    @property
    def day(self) -> str:
        """The column of the local day on which a row happened."""
        return local_day(self.contract.happened_at)

    def columns(self, lookback_days: Sequence[int]) -> list[str]:
        return [column for measure in self.measures for column in measure.columns(lookback_days)]


def together(windows: Iterable[Windows]) -> dict[str, Windows]:
    """Every measure of each table once, whoever declared it. Raises: ValueError where a name stands for two."""
    found: dict[str, dict[str, Measure]] = {}
    for each in windows:
        for measure in each.measures:
            if found.setdefault(each.table, {}).setdefault(measure.name, measure) != measure:
                raise ValueError(f"two measures of {each.table} are called {measure.name}")
    return {table: Windows(table, tuple(measures.values())) for table, measures in found.items()}


def measured(view: AsOf, windows: Windows, cohort: ir.Table, lookback_days: Sequence[int]) -> ir.Table:
    """One row per customer of the cohort: customer_id and the measures' columns.

    As the view was given it (`AsOf.computed`), or as an expression that every engine runs.
    """
    if windows.table in view.computed:
        return view.computed[windows.table].select("customer_id", *windows.columns(lookback_days))
    parts = [*_last_days(view, windows), *_counted(view, windows, lookback_days)]
    parts += [_values(view, windows, measure, lookback_days) for measure in windows.measures if measure.of == "values"]
    joined = per_customer(cohort.select("customer_id"), *parts)
    zeros = [name for each in windows.measures if each.of != "last_day" for name in each.columns(lookback_days)]
    filled = joined.mutate(**{name: joined[name].fill_null(0) for name in zeros})
    return filled.select("customer_id", *windows.columns(lookback_days))


def _last_days(view: AsOf, windows: Windows) -> list[ir.Table]:
    rows = view[windows.table]
    names = {each.name: rows[windows.day].max() for each in windows.measures if each.of == "last_day"}
    return [rows.group_by("customer_id").agg(**names)] if names else []


def _counted(view: AsOf, windows: Windows, lookback_days: Sequence[int]) -> list[ir.Table]:
    """Rows, sums and days; where days are asked for, by way of them, so that they are counted once."""
    wanted = [each for each in windows.measures if each.of in ("rows", "sum", "days")]
    if not wanted:
        return []
    reach = lookback_days[-1] * (2 if any(each.before for each in wanted) else 1)
    rows, day = view[windows.table], windows.day
    # What is older than all spans is not added up: most of a long history.
    rows = rows.filter(rows[day] >= view.days_before(reach))
    adds = {each.name: _added(rows, each, day) for each in wanted if each.of != "days"}
    if len(adds) < len(wanted):
        grouped = rows.group_by("customer_id", day).agg(**{name: added.sum() for name, added in adds.items()})
    else:
        grouped = rows.select("customer_id", day, **adds)
    age = view.days_since(grouped[day])
    columns: dict[str, ir.Value] = {}
    for measure in wanted:
        for days in lookback_days:
            name = f"{measure.name}_{days}d"
            columns[name] = _over(grouped, measure, within(age, days))
            if measure.before:
                columns[f"{name}_before"] = _over(grouped, measure, before(age, days))
    return [grouped.group_by("customer_id").agg(**columns)]


def _added(rows: ir.Table, measure: Measure, day: str) -> ir.NumericColumn:
    """What each row adds."""
    if measure.of == "sum":
        return rows[measure.column].fill_null(measure.empty)
    if not measure.column:
        return rows[day].notnull().ifelse(1, 0)  # every row lies on a day
    column = rows[measure.column]
    return (column > 0 if measure.value is None else column == measure.value).ifelse(1, 0)


def _over(grouped: ir.Table, measure: Measure, span: ir.BooleanColumn) -> ir.NumericScalar:
    if measure.of == "days":
        return count(span)
    found = exact_total(grouped[measure.name], span)
    return found if measure.of == "sum" else found.cast("int64")


def _values(view: AsOf, windows: Windows, measure: Measure, lookback_days: Sequence[int]) -> ir.Table:
    """Distinct values of each lookback: those whose last row lies in it."""
    rows, day = view[windows.table], windows.day
    named = rows.filter(rows[measure.column].notnull(), rows[day] >= view.days_before(lookback_days[-1]))
    last = named.group_by("customer_id", measure.column).agg(last_on=named[day].max())
    age = view.days_since(last.last_on)
    columns = {f"{measure.name}_{days}d": count(within(age, days)) for days in lookback_days}
    return last.group_by("customer_id").agg(**columns)
