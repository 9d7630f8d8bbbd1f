"""The report's section on quality over time: each test snapshot of the backtest, drawn and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines.foundation.wording.words import Words
from pipelines.prediction.charts import over_time as charts_over_time
from pipelines.prediction.charts.sheet import Chart
from pipelines.report import tables
from pipelines.report.data import Fold, ReportData
from pipelines.report.part import Part

METRICS = ("roc_auc", "log_loss")


def section(report: ReportData, words: Words) -> dict[str, Any]:
    """A chart per metric that has two points, and one row per snapshot."""
    return {"time_charts": _charts(report.folds, words), "backtests": tables.backtests(report, words)}


def _charts(folds: Sequence[Fold], words: Words) -> list[Chart]:
    if not folds:
        return []
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
        for metric in METRICS
    ]
    return [chart for chart in drawn if chart is not None]


PART = Part(name="time", render=section, template="over_time.html.jinja")
