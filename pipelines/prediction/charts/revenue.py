"""Charts by calendar month: customers and revenue that come and go, revenue kept, and the share of expansion."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter

from pipelines.data.kpis import words as kpi_words
from pipelines.data.kpis.words import CHARTMOGUL
from pipelines.foundation.wording.words import Words
from pipelines.prediction.charts.sheet import (
    SOLID,
    Chart,
    Key,
    colour,
    key,
    line_hints,
    line_style,
    number_ticks,
    one_chart,
    percent_ticks,
)

Floats = npt.NDArray[np.float64]
Row = Mapping[str, Any]

MOST_MONTHS = 24
_MOST_TICKS = 4
# What moved, and the colour of its bars: above the line, then below it.
_CUSTOMERS = ({"first": "model", "reactivated": "bg_nbd"}, {"voluntary_lost": "high", "involuntary_lost": "medium"})
_REVENUE = (
    {"mrr_new": "model", "mrr_reactivation": "bg_nbd", "mrr_expansion": "logistic_regression"},
    {"mrr_churned": "high", "mrr_contraction": "medium"},
)


def charts(months: Sequence[Row], words: Words, *, currency: str) -> list[Chart]:
    """What can be drawn of the months of `attrition kpis`, all segments in one: the newest of them.

    Customers who order have no amounts, so there are no charts of revenue for them; neither have months without a known
    price, which are left out of these.
    """
    months = months[-MOST_MONTHS:]
    drawn = [_customers(months, words)] if months else []
    priced = [row for row in months if row["mrr_end"] is not None]
    if priced:
        drawn.append(_revenue(priced, words, currency))
        drawn += [] if all(row["grr"] is None for row in priced) else [_kept(priced, words)]
        drawn += [] if all(row["expansion_share"] is None for row in priced) else [_expansion(priced, words)]
    return drawn


def _customers(months: Sequence[Row], words: Words) -> Chart:
    by_contract = months[-1]["customers_unpriced"] is not None
    told = all(row["voluntary_lost"] is not None for row in months)
    came, went = _CUSTOMERS if told else (_CUSTOMERS[0], {"lost": "high"})
    columns = {name: _column(months, name) for name in ("reactivated", *went)}
    columns["first"] = _column(months, "new") - columns["reactivated"]
    caption = words.say(
        "customers_moved.why_untold" if by_contract and not told else "customers_moved.caption",
        **_span(months, words),
        new=int(_column(months, "new").sum()),
        lost=int(_column(months, "lost").sum()),
        involuntary=int(_column(months, "involuntary_lost").sum()) if told else 0,
        end=months[-1]["customers_end"],
    )
    return _bars("customers_moved", months, columns, words, sides=(came, went), caption=caption)


def _revenue(months: Sequence[Row], words: Words, currency: str) -> Chart:
    columns = {name: _column(months, name) for side in _REVENUE for name in side}
    gained, lost = (float(sum(columns[name].sum() for name in side)) for side in _REVENUE)
    caption = words.say(
        "mrr_moved.caption",
        **_span(months, words),
        gained=gained,
        lost=lost,
        start=float(months[0]["mrr_start"]),
        end=float(months[-1]["mrr_end"]),
        currency=currency,
    )
    return _bars("mrr_moved", months, columns, words, sides=_REVENUE, caption=caption, unit=currency)


def _bars(
    name: str,
    months: Sequence[Row],
    columns: Mapping[str, Floats],
    words: Words,
    *,
    sides: tuple[Mapping[str, str], Mapping[str, str]],
    caption: str,
    unit: str = "",
) -> Chart:
    """Stacked bars by month, what came above the line and what went below it, and a line for the difference."""
    shown = [(column, shade) for side in sides for column, shade in side.items() if columns[column].any()]

    def paint(sheet: Axes) -> None:
        places, net = np.arange(len(months)), np.zeros(len(months))
        for side, sign in zip(sides, (1, -1), strict=True):
            reached = np.zeros(len(months))
            for column, shade in side.items():
                height = sign * columns[column]
                sheet.bar(places, height, 0.72, bottom=reached, color=colour(shade), linewidth=0)
                reached += height
            net += reached
        named = {words.say(f"moved.{column}"): columns[column] for column, _ in shown} | {words.say("moved.net"): net}
        _hints(sheet, months, named, words, written=words.number)
        sheet.axhline(0, color=colour("soft"), linewidth=1)
        sheet.hlines(net, places - 0.46, places + 0.46, color=colour("ink"), linewidth=2, zorder=4)
        sheet.set_title(words.say(f"{name}.y", unit=unit))
        number_ticks(sheet.yaxis, words, whole=True)
        _month_ticks(sheet, months, words)

    keys = [Key(label=words.say(f"moved.{column}"), colour=shade, mark="bar") for column, shade in shown]
    keys.append(Key(label=words.say("moved.net"), colour="ink"))
    return one_chart(name, paint, caption, tuple(keys), words)


def _kept(months: Sequence[Row], words: Words) -> Chart:
    lines = {"grr": ("recency", _column(months, "grr") / 100), "nrr": ("model", _column(months, "nrr") / 100)}

    def paint(sheet: Axes) -> None:
        sheet.axhline(1, color=colour("ink"), linewidth=1)
        for style, values in lines.values():
            sheet.plot(np.arange(len(months)), values, marker="o", markersize=3, **line_style(style))
        found = np.concatenate([values for _, values in lines.values()])
        named = {kpi_words.label(name, words): values for name, (_, values) in lines.items()}
        _hints(sheet, months, named, words, written=lambda share: words.percent(share, 1))
        sheet.set_ylim(*_roomy(found, around=(1.0,)))
        sheet.set_title(words.say("revenue_kept.y"))
        percent_ticks(sheet.yaxis, words)
        _month_ticks(sheet, months, words)

    net = lines["nrr"][1]
    there = np.flatnonzero(np.isfinite(net))
    newest = int(there[-1])
    caption = words.say(
        "revenue_kept.caption",
        month=month(months[newest], words),
        grr=float(lines["grr"][1][newest]),
        nrr=float(net[newest]),
        n=len(there),
        above=int((net[there] > 1).sum()),
    )
    keys = [key(style, kpi_words.label(name, words)) for name, (style, _) in lines.items()]
    keys.append(Key(label=words.say("revenue_kept.all"), colour="ink", dashes=SOLID))
    return one_chart("revenue_kept", paint, caption, tuple(keys), words)


def _expansion(months: Sequence[Row], words: Words) -> Chart:
    shares = _column(months, "expansion_share") / 100
    elsewhere = {
        year: ("recency" if place else "bg_nbd", share) for place, (year, share) in enumerate(CHARTMOGUL.items())
    }

    def paint(sheet: Axes) -> None:
        sheet.bar(np.arange(len(months)), np.nan_to_num(shares), 0.72, color=colour("logistic_regression"), linewidth=0)
        named = {kpi_words.label("expansion_share", words): shares}
        _hints(sheet, months, named, words, written=lambda share: words.percent(share, 1))
        for style, share in elsewhere.values():
            sheet.axhline(share, **line_style(style))
        sheet.set_ylim(0, max(float(np.nanmax(shares)), *CHARTMOGUL.values()) * 1.08)
        sheet.set_title(words.say("expansion.y"))
        percent_ticks(sheet.yaxis, words)
        _month_ticks(sheet, months, words)

    gained = {name: float(_column(months, name).sum()) for name in _REVENUE[0]}
    caption = words.say(
        "expansion.caption",
        **_span(months, words),
        share=gained["mrr_expansion"] / (sum(gained.values()) or float("nan")),
        earlier=CHARTMOGUL[2020],
        later=CHARTMOGUL[2023],
    )
    keys = [Key(label=kpi_words.label("expansion_share", words), colour="logistic_regression", mark="bar")]
    keys += [key(style, f"ChartMogul {year} ({words.percent(share, 1)})") for year, (style, share) in elsewhere.items()]
    return one_chart("expansion", paint, caption, tuple(keys), words)


def _hints(
    sheet: Axes, months: Sequence[Row], named: Mapping[str, Floats], words: Words, *, written: Callable[[float], str]
) -> None:
    """Each month's figures, by name."""
    places = np.arange(len(months), dtype=np.float64)
    line_hints(sheet, places, [month(row, words) for row in months], named, words, written=written, width=1)


def _column(rows: Sequence[Row], name: str) -> Floats:
    return np.array([np.nan if row[name] is None else row[name] for row in rows], dtype=np.float64)


def _month_ticks(sheet: Axes, months: Sequence[Row], words: Words) -> None:
    shown = np.unique(np.linspace(0, len(months) - 1, min(len(months), _MOST_TICKS)).round().astype(int))
    written = {float(place): short_month(months[place], words) for place in shown}
    sheet.xaxis.set_major_locator(FixedLocator(shown.tolist()))
    sheet.xaxis.set_major_formatter(FuncFormatter(lambda place, _: written.get(float(place), "")))
    sheet.set_xlim(-0.7, len(months) - 0.3)
    sheet.set_xlabel(words.say("kpi.month"))


def _span(months: Sequence[Row], words: Words) -> dict[str, str]:
    return {"first": month(months[0], words), "last": month(months[-1], words)}


def month(row: Row, words: Words) -> str:
    """May 2024 or mai 2024."""
    return words.month(_day(row))


def short_month(row: Row, words: Words) -> str:
    """May 24 or mai 24, for axes and narrow columns."""
    return words.short_month(_day(row))


def _day(row: Row) -> date:
    return date.fromisoformat(f"{row['month']}-01")


def _roomy(values: Floats, *, around: Sequence[float] = ()) -> tuple[float, float]:
    low, high = min(float(np.nanmin(values)), *around), max(float(np.nanmax(values)), *around)
    room = 0.08 * (high - low) or 0.05
    return low - room, high + room
