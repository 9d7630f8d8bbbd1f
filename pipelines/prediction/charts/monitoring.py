"""Charts of monitoring: drift against its limit by monitored day, and what came of scores by scored day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from models.realised import RATIO
from pipelines.foundation.wording.words import Words
from pipelines.prediction.charts.over_time import caption, day_axis, day_hints, roomy
from pipelines.prediction.charts.sheet import Chart, colour, key, line_style, number_ticks, one_chart

Floats = npt.NDArray[np.float64]
Row = Mapping[str, Any]

REALISED = ("roc_auc", "log_loss", "calibration_slope", RATIO)
_PERFECT = {"calibration_slope": 1.0, RATIO: 1.0}


def drift(documents: Sequence[Row], words: Words) -> Chart | None:
    """The document's statistic by day, oldest first; None where none of them could tell."""
    days = [date.fromisoformat(document["as_of"]) for document in documents]
    values = np.array([_number(document["drift"]["statistic"]) for document in documents])
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return None

    def paint(sheet: Axes) -> None:
        places = day_axis(sheet, days, words)
        sheet.plot(places, values, marker="o", markersize=5, **line_style("model"))
        sheet.axhline(1.0, **line_style("recency"))
        sheet.set_ylim(0.0, roomy(np.append(values, 1.0))[1])
        line = {words.say("monitoring_drift.line"): values}
        day_hints(sheet, places, days, line, words, written=lambda value: words.number(value, 2))
        _named(sheet, "monitoring_drift", "monitoring_x.days", words)

    text = words.say(
        "monitoring_drift.caption",
        day=days[int(known[-1])],
        value=float(values[known[-1]]),
        over=int((values[known] > 1).sum()),
        n=len(known),
    )
    legend = (key("model", words.say("monitoring_drift.line")), key("recency", words.say("monitoring_drift.limit")))
    return one_chart("monitoring_drift", paint, text, legend, words)


def realised(runs: Sequence[Row], words: Words) -> list[Chart]:
    """One chart per figure that could be computed, by scored day, oldest first."""
    drawn = [_realised(name, runs, words) for name in REALISED] if runs else []
    return [chart for chart in drawn if chart is not None]


def _realised(name: str, runs: Sequence[Row], words: Words) -> Chart | None:
    days = [date.fromisoformat(run["as_of"]) for run in runs]
    values, untreated = (np.array([_number(part[name]) for part in parts]) for parts in (runs, _untreated(runs)))
    low, high = np.array([[_number(end) for end in run["intervals"].get(name, (None, None))] for run in runs]).T
    if not np.isfinite(values).any():
        return None
    perfect = _PERFECT.get(name)

    def paint(sheet: Axes) -> None:
        places = day_axis(sheet, days, words)
        if perfect is not None:
            sheet.axhline(perfect, **line_style("chance"))
        sheet.plot(places, untreated, marker="o", markersize=3, **line_style("bg_nbd"))
        sheet.vlines(places, low, high, color=colour("model"), linewidth=1.6, zorder=3)
        sheet.plot(places, values, marker="o", markersize=5, **line_style("model"))
        ends = np.concatenate([values, untreated, low, high, [] if perfect is None else [perfect]])
        sheet.set_ylim(*roomy(ends))
        both = {
            words.say("monitoring_realised.line"): values,
            words.say("monitoring_untreated.line"): untreated,
        }
        day_hints(sheet, places, days, both, words, written=lambda value: words.number(value, 3))
        _named(sheet, f"monitoring_{name}", "monitoring_x.scored", words)

    lines = [("model", "monitoring_realised.line"), ("bg_nbd", "monitoring_untreated.line")]
    lines += [] if perfect is None else [("chance", "monitoring_perfect.line")]
    legend = tuple(key(line, words.say(text)) for line, text in lines)
    return one_chart(f"monitoring_{name}", paint, caption(days, values, low, high, words), legend, words)


def _untreated(runs: Sequence[Row]) -> list[Row]:
    return [run["untreated"] for run in runs]


def _named(sheet: Axes, name: str, across: str, words: Words) -> None:
    sheet.set_xlabel(words.say(across))
    sheet.set_title(words.say(f"{name}.y"))
    number_ticks(sheet.yaxis, words)


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
