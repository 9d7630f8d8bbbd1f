"""The report's section on quality: how good the newest test snapshot's probabilities were, beside baselines."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pipelines.foundation.wording.words import Words
from pipelines.prediction.charts import quality as charts_of_quality
from pipelines.prediction.charts.sheet import Chart
from pipelines.report import tables
from pipelines.report.data import Fold, ReportData
from pipelines.report.part import Part
from pipelines.report.summary import first_and_last


def section(report: ReportData, words: Words) -> dict[str, Any]:
    """`figures`, None before any outcome has matured; a notice says what cannot be drawn."""
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
        **first_and_last(report, fold.snapshot_on),
    )
    return {
        "figures": tables.figures(report, fold, words),
        "quality_intro": intro,
        "quality_charts": charts,
        "quality_notice": notice,
    }


def _of_methods(predictions: pd.DataFrame, fold: Fold) -> pd.DataFrame:
    baselines = [name for name in fold.baselines_in_order() if name in predictions.columns]
    return predictions[["label", "churn_probability", *baselines]]


PART = Part(name="quality", render=section, template="quality.html.jinja")
