"""Charts of the walk-forward backtest: one metric at each test snapshot, with its interval and the baselines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter

from pipelines.foundation.wording.words import Words
from pipelines.prediction.charts.quality import line_name
from pipelines.prediction.charts.sheet import Chart, axes, colour, draw, key, line_hints, line_style, number_ticks

Floats = npt.NDArray[np.float64]

_MOST_TICKS = 4


def over_time(
    metric: str,
    *,
    days: Sequence[date],
    model: Sequence[float],
    intervals: Sequence[tuple[float, float]],
    baselines: Mapping[str, Sequence[float]],
    words: Words,
) -> Chart | None:
    """One value per day, oldest first, NaN where the metric could not be computed; None where it never could.

    metric: "roc_auc" or "log_loss"; intervals: low and high per day; baselines: name to a value per day.
    """
    values = np.array(model, dtype=np.float64)
    if not np.isfinite(values).any():
        return None
    low, high = np.array(intervals, dtype=np.float64).T
    lines = {name: np.array(found, dtype=np.float64) for name, found in baselines.items()}

    def paint(figure: Figure) -> None:
        sheet = axes(figure)
        places = day_axis(sheet, days, words)
        for name, found in lines.items():
            sheet.plot(places, found, marker="o", markersize=3, **line_style(name))
        sheet.vlines(places, low, high, color=colour("model"), linewidth=1.6, zorder=3)
        sheet.plot(places, values, marker="o", markersize=5, **line_style("model"))
        every = {line_name(line, words): found for line, found in {"model": values, **lines}.items()}
        day_hints(sheet, places, days, every, words, written=lambda value: words.number(value, 3))
        sheet.set_ylim(*roomy(np.concatenate([values, low, high, *lines.values()])))
        sheet.set_xlabel(words.say("over_time.x"))
        sheet.set_title(words.say(f"over_time.{metric}_y"))
        number_ticks(sheet.yaxis, words)

    name = f"chart-{metric.replace('_', '-')}-over-time"
    return Chart(
        name=name,
        title=words.say(f"over_time.{metric}"),
        caption=caption(days, values, low, high, words),
        svg=draw(name, paint),
        legend=tuple(key(line, line_name(line, words)) for line in ("model", *lines)),
    )


def day_hints(
    sheet: Axes,
    places: Floats,
    days: Sequence[date],
    lines: Mapping[str, Floats],
    words: Words,
    *,
    written: Callable[[float], str],
) -> None:
    """What each line is at each day, for who points there; lines by what they are called."""
    heads, width = [words.short_day(day) for day in days], float(np.diff(places).min(initial=30.0))
    line_hints(sheet, places, heads, lines, words, written=written, width=width)


def day_axis(sheet: Axes, days: Sequence[date], words: Words) -> Floats:
    """Days from left to right, a few of them written; (n,) the place of each."""
    places = np.array([float(day.toordinal()) for day in days])
    shown = np.unique(np.linspace(0, len(places) - 1, min(len(places), _MOST_TICKS)).round().astype(int))
    sheet.xaxis.set_major_locator(FixedLocator(places[shown].tolist()))
    written = {float(places[index]): words.short_day(days[index]) for index in shown}
    sheet.xaxis.set_major_formatter(FuncFormatter(lambda place, _: written.get(float(place), "")))
    room = 0.12 * float(np.ptp(places)) or 1.0  # half a label at either end
    sheet.set_xlim(float(places[0]) - room, float(places[-1]) + room)
    return places


def caption(days: Sequence[date], values: Floats, low: Floats, high: Floats, words: Words) -> str:
    """The newest value in words, and how far those of all days lie apart."""
    there = np.flatnonzero(np.isfinite(values))
    last = int(there[-1])
    newest = words.say(
        "over_time.newest", day=days[last], value=float(values[last]), low=float(low[last]), high=float(high[last])
    )
    if len(there) == 1:
        return newest
    lowest, highest = float(values[there].min()), float(values[there].max())
    spread = words.say("over_time.spread", n=len(there), first=days[int(there[0])], lowest=lowest, highest=highest)
    return f"{spread} {newest}"


def roomy(values: Floats) -> tuple[float, float]:
    """Ends of an axis that leave room around all values."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = 0.08 * (high - low) or 0.05
    return low - room, high + room
