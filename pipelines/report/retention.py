"""The report's section on retention: what `attrition kpis` counts, drawn, and the newest month in figures."""

from __future__ import annotations

from typing import Any

from pipelines.data.kpis import words as kpi_words
from pipelines.data.kpis.cohorts import active, ordered_again
from pipelines.data.kpis.figures import MONEY, figures, why_untold
from pipelines.data.kpis.ground import Ground
from pipelines.foundation.wording.numbers import Language
from pipelines.foundation.wording.words import Words
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.prediction.charts import cohorts as charts_of_cohorts
from pipelines.prediction.charts import revenue as charts_of_revenue
from pipelines.prediction.charts.sheet import Chart
from pipelines.report.data import ReportData, Retention
from pipelines.report.part import Part
from pipelines.report.tables import Cell, Table

_RATES = ("retention_rate", "attrition_rate", "attrition_rate_of_total")
_OF_CONTRACTS = ("grr", "nrr", "expansion_share", "net_negative_churn")
_OF_SHOPS = ("repeat_rate",)
_SHOWN_MONTHS = 3


def retention(workspace: Workspace) -> Retention | None:
    """What the page tells of retention; None where there is no full month with a customer."""
    ground, settings = Ground(workspace), workspace.settings
    found = figures(ground)
    if not found["months"]:
        return None
    if workspace.by_contract:
        return Retention(months=found["months"], cohorts=found["cohorts"], until=ground.until)
    days = settings.outcome.horizon_days  # whoever orders nothing for so long is who the model calls gone
    return Retention(
        months=found["months"],
        cohorts=found["cohorts"],
        until=ground.until,
        again=ordered_again(ground),
        active=active(ground, days=days),
        active_days=days,
    )


def terms_in(workspace: Workspace, language: Language) -> list[tuple[str, str]]:
    """The page's terms of retention, and what each means."""
    words = Words(language, by_contract=workspace.by_contract)
    names = ["customers_start", *_named(by_contract=workspace.by_contract), "cohort"]
    names[1:1] = MONEY[:-1] if workspace.by_contract else ()
    return [(kpi_words.label(name, words), kpi_words.means(name, words, workspace.settings)) for name in names]


def section(report: ReportData, words: Words) -> dict[str, Any] | None:
    """`retention_charts` and what stands beside them; None where there is nothing to draw."""
    found = report.retention
    if found is None:
        return None
    charts = charts_of_revenue.charts(found.months, words, currency=report.currency)
    charts += [chart for chart in _cohorts(found, words) if chart is not None]
    if not charts:
        return None
    return {
        "retention_charts": charts,
        "retention_intro": _intro(found, words),
        "retention_figures": _newest(found, words),
    }


def _cohorts(found: Retention, words: Words) -> list[Chart | None]:
    """A shop's customers are so for a time after each order, whatever they do: all that time 100 % of them would be."""
    curves, days = charts_of_cohorts.curves, found.active_days
    if not found.again:
        return [curves(found.cohorts, words)]
    return [
        curves(found.again, words, name="cohorts_again"),
        curves(found.active, words, name="cohorts_active", days=days),
    ]


def terms(report: ReportData) -> list[tuple[str, str]]:
    """Terms and what they mean, for the page's definitions."""
    return [] if report.retention is None else list(report.retention.terms)


def _intro(found: Retention, words: Words) -> str:
    first, last = (
        charts_of_revenue.month(found.months[place], words)
        for place in (max(-charts_of_revenue.MOST_MONTHS, -len(found.months)), -1)
    )
    text = f"{words.say('retention.intro', first=first, last=last)} {words.say('kpi_page.until', until=found.until)}"
    unpriced = max(row["customers_unpriced"] or 0 for row in found.months)
    if unpriced:
        text = f"{text} {words.say('kpi_page.unpriced', n=unpriced)}"
    if why_untold(found.months):
        text = f"{text} {words.say('kpi_page.why_untold')}"
    provisional = found.months[-1]["provisional"]
    return f"{text} {words.say('retention.provisional')}" if provisional else text


def _newest(found: Retention, words: Words) -> Table:
    """One row per rate, the newest months side by side."""
    months = found.months[-_SHOWN_MONTHS:]
    by_contract = months[-1]["customers_unpriced"] is not None
    rows = tuple(
        (Cell(kpi_words.label(name, words)), *(Cell(_written(row[name], words)) for row in months))
        for name in _named(by_contract=by_contract)
    )
    heads = (words.say("retention.rates"), *(charts_of_revenue.short_month(row, words) for row in months))
    return Table(words.say("retention.caption"), heads, rows)


def _named(*, by_contract: bool) -> tuple[str, ...]:
    return (*_RATES, *(_OF_CONTRACTS if by_contract else _OF_SHOPS))


def _written(value: float | None, words: Words) -> str:
    if isinstance(value, bool):
        return words.say(f"kpi_page.{'yes' if value else 'no'}")
    return words.percent(float("nan") if value is None else value / 100, 1)


PART = Part(name="retention", render=section, template="retention.html.jinja")
