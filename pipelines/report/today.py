"""The report's section on today: risk bands, what drives the risk, and how far each driver moves it."""

from __future__ import annotations

from typing import Any

from pipelines.foundation.wording.words import Words
from pipelines.prediction.charts import customers as charts_of_customers
from pipelines.report import tables
from pipelines.report.data import ReportData
from pipelines.report.part import Part


def section(report: ReportData, words: Words) -> dict[str, Any]:
    """Charts and tables, each None where nothing is known of it: nobody was scored, or there are no reasons."""
    importance, spread = report.importance, report.spread
    moves = bool(len(importance)) and float(importance["share"].sum()) > 0
    sampled = moves and bool(importance["code"].isin(spread["code"]).any())
    return {
        "risk": charts_of_customers.risk(report.scores, report.bands, words) if len(report.scores) else None,
        "bands": tables.bands(report, words),
        "indicators": charts_of_customers.indicators(importance, words) if moves else None,
        "contributions": charts_of_customers.contributions(spread, importance, words) if sampled else None,
        "families": tables.families(report, words) if moves else None,
    }


PART = Part(name="today", render=section, template="today.html.jinja")
