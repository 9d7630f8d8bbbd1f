"""The report's section on customers: those most at risk, each with reasons."""

from __future__ import annotations

from typing import Any

from pipelines.foundation.wording.words import Words
from pipelines.report import tables
from pipelines.report.data import ReportData
from pipelines.report.part import Part
from pipelines.report.summary import first_and_last


def section(report: ReportData, words: Words) -> dict[str, Any]:
    """`customers`, empty where nobody was scored, and the outcome window they may leave within."""
    return {"customers": tables.customers(report, words), **first_and_last(report, report.as_of)}


PART = Part(name="customers", render=section, template="customers.html.jinja")
