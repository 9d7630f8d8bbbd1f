"""The report's section on what the plays changed: sentences, and a table with intervals."""

from __future__ import annotations

from typing import Any

from pipelines.foundation.wording.words import Words
from pipelines.operations.plays import impact_words
from pipelines.report.data import ReportData
from pipelines.report.part import Part
from pipelines.report.tables import Cell, Table


def section(report: ReportData, words: Words) -> dict[str, Any] | None:
    """`impact`, and what stands in it; None where nobody was ever recommended a play."""
    document = report.impact
    if document is None or not document["plays"]:
        return None
    heads = tuple(words.say(f"impact_head.{head}") for head in impact_words.HEADS)
    rows = tuple(tuple(Cell(text) for text in row) for row in impact_words.rows(document, words))
    return {
        "impact": {
            "sentences": impact_words.sentences(document, words),
            "table": Table(words.say("impact.caption"), heads, rows, wide=True),
        }
    }


PART = Part(name="impact", render=section, template="impact.html.jinja")
