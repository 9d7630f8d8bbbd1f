"""The report: one self-contained HTML page about a scored workspace."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipelines.foundation.wording.numbers import NOTHING
from pipelines.foundation.wording.words import Words
from pipelines.prediction.charts import customers as charts_of_customers
from pipelines.prediction.charts import over_time as charts_over_time
from pipelines.prediction.charts import quality as charts_of_quality
from pipelines.prediction.charts.sheet import COLOURS, Chart
from pipelines.report import impact as report_impact
from pipelines.report import money as report_money
from pipelines.report import monitoring as report_monitoring
from pipelines.report import plays as report_plays
from pipelines.report import retention as report_retention
from pipelines.report import summary as report_summary
from pipelines.report import tables as report_tables
from pipelines.report.data import Fold, Published, ReportData

__all__ = ["Fold", "Published", "ReportData", "render"]

TEMPLATE = "report.html.jinja"
OVER_TIME = ("roc_auc", "log_loss")


def render(report: ReportData) -> str:
    """The whole page; the same data make the same page, byte for byte.

    It loads nothing: styles and charts stand in it, and its security policy forbids the rest. What is not known (no
    outcome has matured, everybody left, nobody was scored, no reasons) is said where its figures would stand.
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
    return environment.get_template(TEMPLATE).render(
        report=report,
        say=words.say,
        colours=COLOURS,
        ramp=charts_of_customers.RAMP,
        empty=charts_of_customers.EMPTY,
        nothing=NOTHING,
        svg=lambda chart: Markup(chart.svg),  # noqa: S704  matplotlib wrote and escaped it
        **report_summary.first_and_last(report, report.as_of),
        **_summary(report, words),
        **_today(report, words),
        **report_retention.section(report, words),
        **{"money_charts": [], "money_notes": []} | report_money.section(report, words),
        **report_plays.section(report, words),
        **_quality(report, words),
        **_over_time(report.folds, words),
        **report_monitoring.section(report, words),
        **report_impact.section(report, words),
        backtests=report_tables.backtests(report, words),
        customers=report_tables.customers(report, words),
        definitions=report_tables.definitions(report, words) + report_retention.terms(report),
        provenance=report_tables.provenance(report, words),
    )


def _summary(report: ReportData, words: Words) -> dict[str, Any]:
    return {
        "tiles": report_summary.tiles(report, words),
        "sentences": report_summary.sentences(report, words),
        "caveats": report_summary.caveats(report, words),
    }


def _today(report: ReportData, words: Words) -> dict[str, Any]:
    importance, spread = report.importance, report.spread
    moves = bool(len(importance)) and float(importance["share"].sum()) > 0
    sampled = moves and bool(importance["code"].isin(spread["code"]).any())
    return {
        "risk": charts_of_customers.risk(report.scores, report.bands, words) if len(report.scores) else None,
        "bands": report_tables.bands(report, words),
        "indicators": charts_of_customers.indicators(importance, words) if moves else None,
        "contributions": charts_of_customers.contributions(spread, importance, words) if sampled else None,
        "families": report_tables.families(report, words) if moves else None,
    }


def _quality(report: ReportData, words: Words) -> dict[str, Any]:
    fold = report.newest
    if fold is None:
        return {"figures": None, "quality_intro": "", "quality_charts": [], "quality_notice": words.say("quality.none")}
    notice, charts = "", list[Chart]()
    if not len(report.predictions):
        notice = words.say("quality.no_predictions")
    else:
        predictions = _of_methods(report.predictions, fold)
        charts.append(charts_of_quality.calibration(predictions, words))
        if fold.one_class:
            notice = words.say("quality.one_class")
        else:
            gain, lift, *curves = charts_of_quality.ranking(predictions, words)
            charts = [gain, lift, *charts, *curves]
    intro = words.say(
        "quality.intro",
        n=fold.model.n,
        day=fold.snapshot_on,
        train_rows=fold.train_rows,
        first=fold.train_first,
        last=fold.train_last,
        positives=fold.model.positives,
        share=fold.model.positives / fold.model.n if fold.model.n else float("nan"),
        **report_summary.first_and_last(report, fold.snapshot_on),
    )
    return {
        "figures": report_tables.figures(report, fold, words),
        "quality_intro": intro,
        "quality_charts": charts,
        "quality_notice": notice,
    }


def _of_methods(predictions: pd.DataFrame, fold: Fold) -> pd.DataFrame:
    baselines = [name for name in fold.baselines_in_order() if name in predictions.columns]
    return predictions[["label", "churn_probability", *baselines]]


def _over_time(folds: Sequence[Fold], words: Words) -> dict[str, list[Chart]]:
    if not folds:
        return {"time_charts": []}
    baselines = [name for name in folds[-1].baselines_in_order() if all(name in fold.baselines for fold in folds)]
    drawn = [
        charts_over_time.over_time(
            metric,
            days=[fold.snapshot_on for fold in folds],
            model=[getattr(fold.model, metric) for fold in folds],
            intervals=[fold.interval(metric) for fold in folds],
            baselines={name: [getattr(fold.baselines[name], metric) for fold in folds] for name in baselines},
            words=words,
        )
        for metric in OVER_TIME
    ]
    return {"time_charts": [chart for chart in drawn if chart is not None]}
