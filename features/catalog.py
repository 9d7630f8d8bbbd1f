"""What an indicator is, and how the indicators of a family are computed together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import ibis.expr.types as ir

from features.asof import AsOf
from features.windows import Windows, measured

Direction = Literal["higher", "lower", "either"]
Unit = Literal[
    "count",
    "change",
    "money",
    "money_change",
    "days",
    "hours",
    "share",
    "share_change",
    "relative_change",
    "ratio",
    "quantity",
    "mark",
    "flag",
    "category",
]


@dataclass(frozen=True, kw_only=True)
class Lookbacks:
    """lookback_days: rising. horizon_days: from the snapshot to the end of the outcome window, lead included."""

    lookback_days: tuple[int, ...]
    horizon_days: int


@dataclass(frozen=True)
class Evidence:
    """What must have been told of anybody: a value of a column, or one below zero, or one that is `value`."""

    table: str
    column: str
    below_zero: bool = False
    value: str | None = None

    @classmethod
    def of(cls, text: str) -> Evidence:
        """Of one part of `Indicator.told_by`.

        >>> Evidence.of("payments.succeeded=false")
        Evidence(table='payments', column='succeeded', below_zero=False, value='false')
        """
        table, _, rest = text.partition(".")
        column, is_value, value = rest.partition("=")
        return cls(table, column.removesuffix("<0"), column.endswith("<0"), value if is_value else None)

    def seen_in(self, rows: ir.Table) -> ir.BooleanColumn:
        """Which rows tell it. Null where the column is empty."""
        column = rows[self.column]
        if self.below_zero:
            return column < 0
        if self.value is None:
            return column.notnull()
        return column.cast("string") == self.value


@dataclass(frozen=True, kw_only=True)
class Indicator:
    """One column of a training set (or one per lookback), and how a person is told of it.

    name: the column; where `per_lookback`, "{days}" stands for each lookback of the settings.
    reason: the reason code; indicators of one code speak of one thing, and a person is told only the strongest.
    unit: how a value is written; a "flag" is 1 or 0, a "category" is text and everything else a number.
    direction: which values mean more risk, as the business expects it. No constraint on the model; but what the
        model takes for a risk against this is told to nobody as a reason.
    neutral: the value that is no news, where that does not depend on the customers: 1 of a ratio to the customer's own
        usual. None: 0 for a change; for all else what is usual among the customers.
    null: what an empty value means. Where it begins with "never: 0", customers without any row get 0.
    told_by: columns, "table.column", each of which must have told something of anybody by the day of a snapshot:
        otherwise nobody exported it, and the indicator is unknown to all, not 0. "a|b": either, of the first of their
        tables that is there. "a<0": a value below zero; "a=b": this value.
    least_told: of direction "higher", the least value that may be a reason, however few are usual: one message is no
        pressure. None: whatever is above the reference.
    null_is_risk: an empty value is bad news by itself (never used), not only unknown (no mark given).
    silence_of: what there was nothing of ("orders"), as a value of 0 or an empty one says; of days since the last,
        every value. Of one such silence a person is told once, though several codes may tell it.
    en, fr: the reason in words. Placeholders: {value}, {days}, the name of another column of the same group, and
        {name|singular|plural} for a number followed by the noun that agrees with it.
    en_null, fr_null: the same where the value is empty.
    en_no, fr_no: the same where a flag is 0.
    personal: about who the customer is (age, gender); computed only where the settings say so.
    """

    name: str
    reason: str
    unit: Unit
    direction: Direction
    null: str
    en: str
    fr: str
    en_null: str = ""
    fr_null: str = ""
    en_no: str = ""
    fr_no: str = ""
    told_by: tuple[str, ...] = ()
    neutral: float | None = None
    least_told: float | None = None
    null_is_risk: bool = False
    silence_of: str = ""
    per_lookback: bool = False
    personal: bool = False

    def columns(self, lookback_days: Sequence[int]) -> dict[str, int | None]:
        """Each column with its lookback, None where it has none."""
        if not self.per_lookback:
            return {self.name: None}
        return {self.name.format(days=days): days for days in lookback_days}

    @property
    def zero_where_nothing(self) -> bool:
        return self.null.startswith("never: 0")

    def lacks(self, untold: Collection[str]) -> list[str]:
        """Those of `told_by` that told nothing."""
        return [column for column in self.told_by if column in untold]


@dataclass(frozen=True, kw_only=True)
class Group:
    """Indicators computed together, from the same tables.

    needs: tables that must all be there; "orders|order_lines" is either. Without them the group is absent.
    compute: the as-of view, the cohort (one row per customer_id) and the spans in; out comes a table with customer_id,
        at most one row per customer, and a column per indicator. Rows of customers outside the cohort are dropped, and
        those without a row get null, or 0 where the catalog says so.
    windows: measures that the indicators are arithmetic on: compute gets them beside each customer of the cohort, and
        gives the same rows back.
    """

    needs: tuple[str, ...]
    indicators: tuple[Indicator, ...]
    compute: Callable[[AsOf, ir.Table, Lookbacks], ir.Table]
    windows: Windows | None = None

    def computed(self, view: AsOf, cohort: ir.Table, lookbacks: Lookbacks) -> ir.Table:
        """What `compute` gives, handed the measures that it asks for."""
        rows = cohort if self.windows is None else measured(view, self.windows, cohort, lookbacks.lookback_days)
        return self.compute(view, rows, lookbacks)

    def columns(self, lookback_days: Sequence[int]) -> list[str]:
        return [column for indicator in self.indicators for column in indicator.columns(lookback_days)]

    def lacks(self, tables: Collection[str]) -> list[str]:
        """What it needs and `tables` do not have."""
        return [need for need in self.needs if not any(name in tables for name in need.split("|"))]

    def rests_on(self, stopped: Collection[str], tables: Collection[str]) -> list[str]:
        """What it needs of which all tables that are there have stopped."""
        return [need for need in self.needs if set(need.split("|")) & set(tables) <= set(stopped)]


@dataclass(frozen=True, kw_only=True)
class Family:
    """What is said about one side of a customer. reasons: each reason code with its label in English and in French."""

    name: str
    reasons: Mapping[str, tuple[str, str]]
    groups: tuple[Group, ...]

    @property
    def indicators(self) -> tuple[Indicator, ...]:
        return tuple(indicator for group in self.groups for indicator in group.indicators)

    def columns(self, lookback_days: Sequence[int]) -> list[str]:
        return [column for group in self.groups for column in group.columns(lookback_days)]
