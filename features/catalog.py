"""What an indicator is, and the list of all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import ibis.expr.types as ir

from features.asof import AsOf

Direction = Literal["higher", "lower", "either"]
Unit = Literal["count", "change", "money", "money_change", "days", "share", "ratio"]


@dataclass(frozen=True, kw_only=True)
class Indicator:
    """One column of a training set (or one per lookback), and how a person is told of it.

    name: the column; where `per_lookback`, "{days}" stands for each lookback of the settings.
    reason: the reason code; indicators of one code speak of one thing, and a person is told only the strongest.
    direction: which values mean more risk, as the business expects it; documentation, not a constraint.
    null: what an empty value means.
    en, fr: the reason in words. Placeholders: {value}, {days}, the name of another column of the same family, and
        {name|singular|plural} for a number followed by the noun that agrees with it.
    en_null, fr_null: the same where the value is empty.
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
    per_lookback: bool = False

    def columns(self, lookback_days: Sequence[int]) -> dict[str, int | None]:
        """Each column with its lookback, None where it has none."""
        if not self.per_lookback:
            return {self.name: None}
        return {self.name.format(days=days): days for days in lookback_days}


@dataclass(frozen=True, kw_only=True)
class Family:
    """Indicators computed together.

    reasons: each reason code with its label in English and in French.
    needs: tables of which at least one must be there; without them the family is absent.
    compute: the as-of view, the cohort and the lookbacks in; one row per customer of the cohort out, with customer_id
        and every column of `indicators`.
    """

    name: str
    needs: tuple[str, ...]
    reasons: Mapping[str, tuple[str, str]]
    indicators: tuple[Indicator, ...]
    compute: Callable[[AsOf, ir.Table, Sequence[int]], ir.Table]

    def columns(self, lookback_days: Sequence[int]) -> list[str]:
        return [column for indicator in self.indicators for column in indicator.columns(lookback_days)]
