"""The chart of signup cohorts: how many of those who came together are still there, month after month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from pipelines.data.kpis import words as kpi_words
from pipelines.foundation.wording.words import Words
from pipelines.prediction.charts.sheet import (
    Chart,
    axes,
    colour,
    draw,
    hints,
    key,
    line_style,
    number_ticks,
    percent_ticks,
)

Floats = npt.NDArray[np.float64]
Row = Mapping[str, Any]

MOST_COHORTS = 4  # more curves with intervals hide each other
_STYLES = ("model", "recency", "logistic_regression", "bg_nbd")


def curves(cohorts: Sequence[Row], words: Words, *, name: str = "cohorts", **values: object) -> Chart | None:
    """A curve with its interval per cohort, evenly from the oldest to the newest; None where none has two points.

    cohorts: as `attrition kpis` has them. name: of its texts, which say what `retained` counts; values: for them.
    """
    chosen = _chosen(cohorts)
    if not chosen:
        return None
    styled = list(zip(chosen.items(), _STYLES, strict=False))

    def paint(figure: Figure) -> None:
        sheet = axes(figure)
        for (_, rows), style in styled:
            age = _column(rows, "months_since")
            low, high = (_column(rows, end) / 100 for end in ("low", "high"))
            sheet.fill_between(age, low, high, color=colour(style), alpha=0.13, linewidth=0)
            sheet.plot(age, _column(rows, "rate") / 100, **line_style(style))
        ages = range(max(len(rows) for rows in chosen.values()))
        hints(sheet, ages, [_hint(chosen, age, words) for age in ages], width=1)
        sheet.set_ylim(-0.02, 1.02)
        sheet.set_title(words.say(f"{name}.y", **values))
        sheet.set_xlabel(words.say(f"{name}.x"))
        percent_ticks(sheet.yaxis, words)
        number_ticks(sheet.xaxis, words, whole=True)

    oldest, rows = next(iter(chosen.items()))
    place = f"chart-{name.replace('_', '-')}"
    caption = words.say(
        f"{name}.caption",
        **values,
        n=rows[-1]["customers"],
        cohort=kpi_words.cohort(oldest, words),
        rate=rows[-1]["retained"] / rows[-1]["customers"],
        months=rows[-1]["months_since"],
        low=rows[-1]["low"] / 100,
        high=rows[-1]["high"] / 100,
    )
    return Chart(
        name=place,
        title=words.say(f"{name}.title", **values),
        caption=caption,
        svg=draw(place, paint),
        legend=tuple(key(style, kpi_words.cohort(cohort, words)) for (cohort, _), style in styled),
    )


def _hint(chosen: Mapping[str, Sequence[Row]], age: int, words: Words) -> str:
    rates = [
        f"{kpi_words.cohort(name, words)} {words.percent(row['rate'] / 100, 1)}"
        for name, rows in chosen.items()
        for row in rows
        if row["months_since"] == age
    ]
    return words.say("cohorts.hint", months=age) + words.say("line.colon") + ", ".join(rates)


def _chosen(cohorts: Sequence[Row]) -> dict[str, list[Row]]:
    by_name: dict[str, list[Row]] = {}
    for row in cohorts:
        by_name.setdefault(row["cohort"], []).append(row)
    there = [name for name, rows in by_name.items() if len(rows) > 1]
    places = np.unique(np.linspace(0, max(len(there) - 1, 0), min(len(there), MOST_COHORTS)).round().astype(int))
    return {there[place]: by_name[there[place]] for place in places}


def _column(rows: Sequence[Row], name: str) -> Floats:
    return np.array([row[name] for row in rows], dtype=np.float64)
