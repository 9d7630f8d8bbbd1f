"""The report's section on definitions: what its terms mean in this workspace."""

from __future__ import annotations

from typing import Any

from pipelines.foundation.wording.words import Words
from pipelines.report import retention, tables
from pipelines.report.data import ReportData
from pipelines.report.part import Part


def section(report: ReportData, words: Words) -> dict[str, Any]:
    """`definitions`: terms and meanings, those of retention last."""
    return {"definitions": tables.definitions(report, words) + retention.terms(report)}


PART = Part(name="definitions", render=section, template="definitions.html.jinja")
