"""The report: one self-contained HTML page about a scored workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from pipelines.report.embedded import as_json, common, policy, script
from pipelines.report.part import Part

__all__ = ["Fold", "Published", "ReportData", "render"]

TEMPLATE, EDITION = "report.html.jinja", "edition.html.jinja"
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


def render(report: ReportData, other: ReportData | None = None) -> str:
    """The whole page; the same data make the same page, byte for byte.

    other: the same data in the other language, for which the page can be changed; without its script it stays in the
    first. It loads nothing: styles, charts, data and script stand in it, and its security policy forbids the rest. What
    is not known (no outcome has matured, everybody left, nobody was scored, no reasons) is said where it would stand.
    """
    editions = [_edition(report, None)] if other is None else [_edition(report, other), _edition(other, report)]
    data, words = dict[str, Markup](), [dict[str, Markup]() for _ in editions]
    for name in editions[0].documents:
        alike, rest = common([each.documents[name] for each in editions])
        data[f"{name}-data"] = as_json(alike)
        for mine, document in zip(words, rest, strict=True):
            mine[f"{name}-words"] = as_json(document)
    run = script() if data else Markup()
    template = editions[0].environment.get_template(TEMPLATE)
    return template.render(
        editions=[each.html(mine) for each, mine in zip(editions, words, strict=True)],
        data=data,
        script=run,
        policy=Markup(policy(run)),  # noqa: S704  a hash of ours
    )


@dataclass(frozen=True)
class _Edition:
    """The page's text in one language. documents: by name, what its script reads."""

    environment: Environment
    documents: Mapping[str, Mapping[str, Any]]
    told: Mapping[str, Any]

    def html(self, words: Mapping[str, Markup]) -> dict[str, Any]:
        """words: by the element's id, the part of the documents that is in this language."""
        html = self.environment.get_template(EDITION).render(self.told, words=words)
        return {**self.told, "html": Markup(html)}  # noqa: S704  escaped there


def _edition(report: ReportData, other: ReportData | None) -> _Edition:
    words = Words(report.language, by_contract=report.by_contract)
    environment = _environment(report)
    told = {part: part.render(report, words) for part in PARTS}
    sections = [{"name": part.name, "html": _html(part, environment, values)} for part, values in told.items()]
    documents = [values["documents"] for values in told.values() if values is not None and "documents" in values]
    return _Edition(
        environment,
        {name: document for each in documents for name, document in each.items()},
        {
            "language": report.language,
            "title": words.say("page.title", name=report.name),
            "other": None if other is None else other.language,
            "sections": sections,
            "provenance": tables.provenance(report, words),
        },
    )


def _environment(report: ReportData) -> Environment:
    """Escapes every value: names and ids are whatever a source holds."""
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FileSystemLoader(Path(__file__).parent),
    )
    environment.globals.update(
        report=report,
        say=Words(report.language, by_contract=report.by_contract).say,
        colours=COLOURS,
        ramp=RAMP,
        empty=EMPTY,
        nothing=NOTHING,
        svg=lambda chart: Markup(chart.svg),  # noqa: S704  matplotlib wrote and escaped it
    )
    return environment


def _html(part: Part, environment: Environment, told: Mapping[str, Any] | None) -> Markup:
    """Of one section; empty where it is left out."""
    return Markup("" if told is None else environment.get_template(part.template).render(told))  # noqa: S704  escaped there
