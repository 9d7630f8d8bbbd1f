"""Retention figures for people: tables in the workspace's language, then what their words mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import rich.console
from rich.box import SIMPLE_HEAD
from rich.measure import Measurement
from rich.table import Table

from features.segments import ALL
from pipelines.data.kpis.figures import BETWEEN, MONEY, UNPRICED, why_untold
from pipelines.data.kpis.ground import Ground
from pipelines.data.kpis.words import cohort, head, label, means
from pipelines.foundation.wording.numbers import NOTHING
from pipelines.foundation.wording.words import Words
from pipelines.foundation.workspace.console import Console

Row = dict[str, Any]

_CUSTOMERS = (
    "customers_start", "new", "reactivated", "lost", "voluntary_lost", "involuntary_lost", "customers_end"
)  # fmt: skip
_RATES = ("retention_rate", "attrition_rate", "attrition_rate_of_total")
_OF_REVENUE = ("grr", "nrr", "expansion_share", "net_negative_churn")
_OF_SHOPS = ("buyers", "repeat_buyers", "repeat_rate")
_NAMES = ("month", "segment", "cohort")
_WIDEST = 1_000
_MONTHS_SINCE = (1, 2, 3, 6, 9, 12, 18, 24, 36)  # as many as a narrow terminal has room for


def show(console: Console, ground: Ground, document: dict[str, Any]) -> None:
    """Tell people of the document of `kpi_figures.figures`."""
    settings = ground.workspace.settings
    words = Words(settings.language, by_contract=ground.by_contract)
    if not document["months"]:
        console.say(words.say("kpi_page.nothing", until=ground.until))
        return
    for table in _tables(console.rich, document, words, by_contract=ground.by_contract):
        # Wider than the terminal rather than cut: a number without its last digits is another number.
        needs = _needs(console.rich, table)
        table.width = needs if needs > console.rich.width else None
        console.rich.print(table, crop=False)
    console.say(words.say("kpi_page.until", until=ground.until) + "\n")
    if any(row["provisional"] for row in document["months"]):
        console.say(words.say("kpi_page.star") + "\n")
    unpriced = max(row["customers_unpriced"] or 0 for row in document["months"])
    if unpriced:
        console.say(words.say("kpi_page.unpriced", n=unpriced) + "\n")
    if why_untold(document["months"]):
        console.say(words.say("kpi_page.why_untold") + "\n")
    for name in _named(document, by_contract=ground.by_contract):
        console.say(words.say("kpi_page.defined", label=label(name, words), meaning=means(name, words, settings)))


def _tables(
    console: rich.console.Console, document: dict[str, Any], words: Words, *, by_contract: bool
) -> Iterator[Table]:
    """Customers, rates, revenue (of subscriptions) and signup cohorts."""
    customers, rates = _columns(by_contract=by_contract)
    yield _of_months(document, "customers", customers, words)
    yield _of_months(document, "rates", rates, words)
    if by_contract:
        exact = _of_months(document, "revenue", MONEY, words)
        yield (
            exact
            if _needs(console, exact) <= console.width
            else _of_months(document, "revenue", MONEY, words, digits=0)
        )
    if document["cohorts"]:
        yield _of_cohorts(document["cohorts"], words)


def _needs(console: rich.console.Console, table: Table) -> int:
    return Measurement.get(console, console.options.update(max_width=_WIDEST), table).maximum


def _columns(*, by_contract: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if by_contract:
        return _CUSTOMERS, (*_RATES, *_OF_REVENUE)
    return (*(name for name in _CUSTOMERS if "voluntary" not in name), *_OF_SHOPS[:2]), (*_RATES, _OF_SHOPS[2])


def _named(document: dict[str, Any], *, by_contract: bool) -> list[str]:
    """The fields shown, in the order in which they are read."""
    customers, rates = _columns(by_contract=by_contract)
    more = [name for name in (*BETWEEN, *UNPRICED) if any(row[name] for row in document["months"])]
    money = (*MONEY, *more) if by_contract else ()
    named = ["month", *(["segment"] if document["by"] else []), *customers, *rates, *money]
    return [*named, "cohort", "months_since", "rate"] if document["cohorts"] else named


def _of_months(document: dict[str, Any], title: str, names: Sequence[str], words: Words, *, digits: int = 2) -> Table:
    """digits: of amounts, which lose their cents where they would not fit beside each other."""
    first = ["month", "segment"] if document["by"] else ["month"]
    said = words.say(f"kpi_page.{title}", currency=document["currency"])
    table = _table(said, (*first, *names), words)
    for row in document["months"]:
        place = [row["month"] + ("*" if row["provisional"] else ""), _segment(row["segment"], words)]
        figures = (_written(row[name], words, digits if name in MONEY else 2) for name in names)
        table.add_row(*place[: len(first)], *figures)
    return table


def _of_cohorts(rows: Sequence[Row], words: Words) -> Table:
    by_cohort: dict[str, dict[int, Row]] = {}
    for row in rows:
        by_cohort.setdefault(row["cohort"], {})[row["months_since"]] = row
    ages = [age for age in _MONTHS_SINCE if any(age in points for points in by_cohort.values())]
    table = _table(words.say("kpi_page.cohorts"), ("cohort", "customers"), words)
    for age in ages:
        table.add_column(str(age), justify="right", no_wrap=True)
    for name, points in by_cohort.items():
        shares = [_share(points[age], words) if age in points else "" for age in ages]
        table.add_row(cohort(name, words), words.number(points[0]["customers"]), *shares)
    return table


def _table(title: str, names: Sequence[str], words: Words) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 0, 0, 1), pad_edge=False)
    for name in names:
        # Only names that the company gave may be folded: a number in two lines is read as two numbers.
        table.add_column(
            head(name, words),
            justify="left" if name in _NAMES else "right",
            overflow="fold",
            no_wrap=name != "segment",
        )
    return table


def _segment(name: str, words: Words) -> str:
    return words.say("kpi_page.all") if name == ALL else name or NOTHING


def _share(point: Row, words: Words) -> str:
    # From the customers, since a rate that was rounded already would be rounded twice.
    return words.number(100 * point["retained"] / point["customers"], 1)


def _written(value: float | None, words: Words, digits: int) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return words.say(f"kpi_page.{'yes' if value else 'no'}")
    return words.number(value, digits if isinstance(value, float) else 0)
