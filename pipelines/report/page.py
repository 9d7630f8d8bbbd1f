"""The report: one self-contained HTML page about a scored workspace."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipelines.foundation.wording.numbers import NOTHING
from pipelines.foundation.wording.words import Words
from pipelines.prediction.charts.customers import EMPTY, RAMP
from pipelines.prediction.charts.sheet import COLOURS
from pipelines.report import (
    customers,
    definitions,
    impact,
    money,
    monitoring,
    over_time,
    plays,
    quality,
    retention,
    summary,
    tables,
    today,
)
from pipelines.report.data import Fold, Published, ReportData
from pipelines.report.embedded import policy, script
from pipelines.report.part import Part

__all__ = ["Fold", "Published", "ReportData", "render"]

TEMPLATE = "report.html.jinja"
# The sections, from the page's top to its end; the contents list them in the same order.
PARTS: tuple[Part, ...] = (
    summary.PART,
    today.PART,
    money.PART,
    plays.PART,
    retention.PART,
    quality.PART,
    over_time.PART,
    monitoring.PART,
    impact.PART,
    customers.PART,
    definitions.PART,
)


def render(report: ReportData) -> str:
    """The whole page; the same data make the same page, byte for byte.

    It loads nothing: styles, charts, data and script stand in it, and its security policy forbids the rest. What is not
    known (no outcome has matured, everybody left, nobody was scored, no reasons) is said where it would stand.
    """
    words = Words(report.language, by_contract=report.by_contract)
    # Escapes every value: names and ids are whatever a source holds.
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FileSystemLoader(Path(__file__).parent),
    )
    environment.globals.update(
        report=report,
        say=words.say,
        colours=COLOURS,
        ramp=RAMP,
        empty=EMPTY,
        nothing=NOTHING,
        svg=lambda chart: Markup(chart.svg),  # noqa: S704  matplotlib wrote and escaped it
    )
    sections = [{"name": part.name, "html": _html(part, environment, report, words)} for part in PARTS]
    run = script() if len(report.scores) else Markup()
    return environment.get_template(TEMPLATE).render(
        sections=sections,
        provenance=tables.provenance(report, words),
        script=run,
        policy=Markup(policy(run)),  # noqa: S704  a hash of ours
    )


def _html(part: Part, environment: Environment, report: ReportData, words: Words) -> Markup:
    """Of one section; empty where it is left out."""
    told = part.render(report, words)
    return Markup("" if told is None else environment.get_template(part.template).render(told))  # noqa: S704  escaped there
