"""Whether a published reason is true and bad news: read back, recomputed from the exports, held to the catalog."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import median
from typing import Any, Literal

from features.catalog import Indicator
from features.tables import TABLES
from tests.features.oracles.known import Row
from tests.features.oracles.vantage import Vantage, standing_at
from tests.features.test_oracle import ORACLES
from tests.sentences.reading import Reader, Reading, within

Fault = Literal["false", "against direction", "unparsed"]

CHANGES = {"change", "money_change", "share_change", "relative_change"}
LAST_BITS = 1e-9
EITHER = {"orders", "order_lines"}  # oracles take what is bought from whichever is there
# Digits of a value as it is told, in which it is compared with what is usual.
DIGITS = {"money": 2, "money_change": 2, "share": 2, "share_change": 2, "relative_change": 2, "hours": 1, "ratio": 1}
DIGITS |= {"mark": 1, "quantity": 1}


@dataclass(frozen=True)
class Reason:
    """As it was handed over. risk: what raises it is a risk, so that only bad news may be told."""

    customer: str
    code: str
    text: str
    risk: bool = True


@dataclass(frozen=True)
class Judged:
    """fault: None where the sentence is true and in the catalog's direction. why: what was wanted."""

    reason: Reason
    fault: Fault | None
    why: str = ""


class Truth:
    """What oracles make of what was known: by column, of everybody scored."""

    def __init__(self, known: Mapping[str, list[Row]], customers: Sequence[str], vantage: Vantage) -> None:
        # An oracle reads every table of its family; what is made of one that is not exported is told to nobody.
        self._known = {name: list[Row]() for name in TABLES if name not in EITHER} | dict(known)
        self._customers, self._vantage = customers, vantage
        self._of_family = cache(self._computed)
        self._usual = cache(self._median)

    def of(self, family: str, customer: str) -> Row:
        return self._of_family(family)[customer]

    def usual(self, family: str, column: str) -> float | None:
        """The median of everybody scored; None where nobody has a value."""
        return self._usual(family, column)

    def _computed(self, family: str) -> dict[str, Row]:
        with standing_at(self._vantage):
            return ORACLES[family](self._known, self._customers)

    def _median(self, family: str, column: str) -> float | None:
        values = [float(row[column]) for row in self._of_family(family).values() if row[column] is not None]
        return median(values) if values else None


class Judge:
    """families: by column, the name of its family."""

    def __init__(self, reader: Reader, truth: Truth, families: Mapping[str, str]) -> None:
        self._reader, self._truth, self._families = reader, truth, families

    def judge(self, reason: Reason) -> Judged:
        columns = self._reader.by_reason.get(reason.code, [])
        found = self._reader.readings(reason.text, columns)
        if not found:
            return Judged(reason, "unparsed", f"no sentence of code {reason.code!r} reads so")
        # An id of digits cannot be told from a figure; but of digits, what reads as a sentence has its figures alone.
        if reason.customer in reason.text and not reason.customer.isdigit():
            return Judged(reason, "unparsed", "it names the customer")
        if len(found) > 1 and any(each.figures for each in found):
            return Judged(reason, "unparsed", f"it may be about any of {[each.column for each in found]}")
        for each in found:
            mine = self._truth.of(self._families[each.column], reason.customer)
            if wrong := self._untrue(each, mine):
                return Judged(reason, "false", wrong)
            if reason.risk and (good := self._against(each, mine[each.column])):
                return Judged(reason, "against direction", good)
        return Judged(reason, None)

    def _untrue(self, said: Reading, truth: Row) -> str:
        value = truth[said.column]
        indicator = self._reader.by_column[said.column][0]
        has_words_for_nothing = bool(getattr(indicator, f"{self._reader.language}_no"))
        told = "null" if value is None else "zero" if has_words_for_nothing and value == 0 else "value"
        if told != said.told:
            return f"{said.column} is {value}"
        for column, figure in said.figures.items():
            unit = self._reader.unit(column)
            if unit == "category" or truth[column] is None:
                if figure != truth[column]:
                    return f"{column} is {truth[column]}"
            elif abs(float(figure) - float(truth[column])) > within(unit, float(truth[column])) + LAST_BITS:
                return f"{column} is {truth[column]}"
        return ""

    def _against(self, said: Reading, value: Any) -> str:
        """Why the value is no bad news by the catalog; empty where it is."""
        indicator = self._reader.by_column[said.column][0]
        if indicator.unit == "category":
            return "nobody can act on a category"
        if value is None:
            return "" if indicator.null_is_risk else "an empty value is no risk of this indicator"
        usual = self._truth.usual(self._families[said.column], said.column)
        return against(indicator, float(value), usual)


def against(indicator: Indicator, value: float, usual: float | None) -> str:
    """Why a value is no bad news: it is at what is no news, or on its good side, in the digits that are told."""
    digits = DIGITS.get(indicator.unit, 0)
    value = round(value, digits)
    if indicator.unit == "flag":
        return "" if value == (indicator.direction == "higher") else "the flag says what is good"
    if indicator.direction == "either":
        return "nothing is there" if value == 0 and indicator.unit in {"count", "share"} else ""
    no_news = 0.0 if indicator.unit in CHANGES else indicator.neutral
    against_usual = no_news is None
    no_news = usual if no_news is None else no_news
    assert no_news is not None, f"somebody has a value of {indicator.name}, so there is a usual one"
    no_news = round(no_news, digits)
    if indicator.direction == "higher":
        if indicator.least_told is not None and value < indicator.least_told:
            return f"{value} is less than the catalog thinks worth telling"
        return "" if value > max(no_news, 0.0) else f"{value} is not above {no_news}"
    least = against_usual and value <= 0
    return "" if value < no_news or least else f"{value} is not below {no_news}"


def counts(judged: Iterable[Judged]) -> str:
    """One line: how many sentences, and how many of each fault."""
    found = Counter(each.fault for each in judged)
    faults: tuple[Fault, ...] = ("false", "against direction", "unparsed")
    told = ", ".join(f"{name} {found[name]}" for name in faults)
    return f"sentences {found.total()}, true {found.total() - found['false'] - found['unparsed']}, {told}"
