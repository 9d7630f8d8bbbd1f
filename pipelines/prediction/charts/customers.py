"""Charts of the customers scored: how risk is spread, and which indicators move it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from pipelines.foundation.wording.words import Words
from pipelines.prediction.charts.sheet import Chart, Key, axes, colour, draw, hints, number_ticks, percent_ticks

Floats = npt.NDArray[np.float64]

BANDS = ("high", "medium", "low")
RAMP = ("#2a7fc4", "#94879f", "#e0701f")  # low to high values; on light and on dark paper
EMPTY = "#8d9298"

_BARS = 40
_ROWS = 10
_DOTS = 800  # per indicator: more only lie upon each other
_LONGEST_LABEL = 50
_EDGE = 0.005
_LEAST = 0.0005  # of all movement; less is written 0.0%
_MARGINS, _TALLEST_ROW, _ALL_ROWS = 0.8, 0.6, 4.2  # inches
_SEED = 7


def risk(scores: pd.DataFrame, bands: tuple[float, float], words: Words) -> Chart:
    """Customers by churn_probability, coloured by risk band.

    scores: at least one row, with churn_probability and risk_band; bands: where medium and high start.
    """
    values = scores["churn_probability"].to_numpy(np.float64)
    of_band = {band: values[(scores["risk_band"] == band).to_numpy()] for band in BANDS}

    def paint(figure: Figure) -> None:
        sheet = axes(figure)
        upwards = list(reversed(BANDS))
        sheet.hist(
            [of_band[band] for band in upwards],
            bins=_BARS,
            range=(0, 1),
            stacked=True,
            color=[colour(band) for band in upwards],
        )
        counts = np.histogram(values, bins=_BARS, range=(0, 1))[0]
        starts = np.arange(_BARS) / _BARS
        texts = [
            words.say("risk.hint", low=float(start), high=float(start) + 1 / _BARS, n=int(count))
            for start, count in zip(starts, counts, strict=True)
        ]
        hints(sheet, starts + 0.5 / _BARS, texts, width=1 / _BARS)
        for edge in bands:
            sheet.axvline(edge, color=colour("ink"), linewidth=1, linestyle=(0, (3, 3)))
        sheet.set_xlim(-0.02, 1.02)
        sheet.set_xlabel(words.say("risk.x"))
        sheet.set_title(words.say("risk.y"))
        percent_ticks(sheet.xaxis, words)
        number_ticks(sheet.yaxis, words, whole=True)

    high = len(of_band["high"])
    caption = words.say(
        "risk.caption", high=high, n=len(values), share=high / len(values), median=float(np.median(values))
    )
    legend = tuple(Key(label=words.say(f"band.{band}"), colour=band, mark="bar") for band in BANDS)
    return Chart(
        name="chart-risk", title=words.say("risk.title"), caption=caption, svg=draw("chart-risk", paint), legend=legend
    )


def indicators(importance: pd.DataFrame, words: Words) -> Chart:
    """The indicators that move predictions most. importance: at least one row, sorted, with label, family and share."""
    top = _top(importance)
    shares = top["share"].to_numpy(np.float64)

    def paint(figure: Figure) -> None:
        sheet = _rows_sheet(figure, top)
        sheet.barh(np.arange(len(top)) + 0.13, shares, height=0.3, color=colour("model"))
        for row, share in enumerate(shares):
            sheet.text(1, row - 0.25, words.percent(float(share), 1), **_label_style(sheet, "right"))
        sheet.set_xlim(0, float(shares.max()) * 1.02 or 1.0)
        sheet.set_xlabel(words.say("indicators.x"))
        percent_ticks(sheet.xaxis, words)

    caption = words.say(
        "indicators.caption",
        first=str(top["label"].iloc[0]),
        share=float(shares[0]),
        n=len(top),
        all=float(shares.sum()),
    )
    svg = draw("chart-indicators", paint, height=_height(len(top)))
    return Chart(name="chart-indicators", title=words.say("indicators.title"), caption=caption, svg=svg)


def contributions(spread: pd.DataFrame, importance: pd.DataFrame, words: Words) -> Chart:
    """A dot per customer and indicator: how far it moved that customer's log-odds, coloured by the indicator's value.

    spread: code, rank (0 to 1 among customers, NaN for null), contribution; importance: code and label, sorted. At
    least one code is in both.
    """
    top = _top(importance[importance["code"].isin(spread["code"])])
    ramp = LinearSegmentedColormap.from_list("rank", RAMP, N=24)
    by_code = {code: rows.head(_DOTS) for code, rows in spread.groupby("code", sort=False)}
    # A handful of extreme customers would push everybody else together.
    reach = [by_code[code]["contribution"].quantile([_EDGE, 1 - _EDGE]) for code in top["code"]]
    low, high = min(float(ends.iloc[0]) for ends in reach), max(float(ends.iloc[1]) for ends in reach)

    def paint(figure: Figure) -> None:
        sheet = _rows_sheet(figure, top)
        sheet.axvline(0, color=colour("soft"), linewidth=1, zorder=1)
        for row, code in enumerate(top["code"]):
            moved = np.clip(by_code[code]["contribution"].to_numpy(np.float64), low, high)
            ranks = by_code[code]["rank"].to_numpy(np.float64)
            colours = np.where(np.isnan(ranks)[:, None], _rgba(EMPTY), ramp(np.nan_to_num(ranks)))
            # As pixels: ten thousand circles would weigh more than the rest of the page.
            sheet.scatter(moved, row + 0.17 + _beside_each_other(moved), s=6, c=colours, linewidths=0, rasterized=True)
        sheet.set_xlabel(words.say("contributions.x"))
        number_ticks(sheet.xaxis, words)

    ends = by_code[top["code"].iloc[0]]["contribution"].quantile([0.01, 0.99])
    caption = words.say(
        "contributions.caption",
        first=str(top["label"].iloc[0]),
        lowest=_times(ends.iloc[0], words),
        highest=_times(ends.iloc[1], words),
    )
    return Chart(
        name="chart-contributions",
        title=words.say("contributions.title"),
        caption=caption,
        svg=draw("chart-contributions", paint, height=_height(len(top))),
        legend=(
            Key(label=words.say("contributions.ramp"), colour="", mark="ramp"),
            Key(label=words.say("contributions.empty"), colour="empty", mark="dot"),
        ),
    )


def _top(importance: pd.DataFrame) -> pd.DataFrame:
    """The first rows, without those that move nothing."""
    shares = importance["share"].to_numpy(np.float64)
    return importance[shares >= min(_LEAST, float(shares.max()))].head(_ROWS)


def _times(contribution: float, words: Words) -> str:
    """What log-odds multiply the odds by, with the two digits that they can tell.

    >>> [_times(each, Words("en")) for each in (-1.79, -7.2, 0.1, 3.2, 14.03)]
    ['0.17', '0.00075', '1.1', '25', '1,200,000']
    """
    factor = float(np.exp(contribution))
    decimals = max(0, 1 - int(np.floor(contribution / np.log(10))))
    return words.number(round(factor, 1 - int(np.floor(np.log10(factor)))), decimals)


def _rows_sheet(figure: Figure, top: pd.DataFrame) -> Axes:
    """A row per indicator, its label above what is drawn, so that both have the full width."""
    sheet = axes(figure, left=10, top=8)
    for row, label in enumerate(top["label"].astype(str)):
        sheet.text(0, row - 0.25, _shortened(label), **_label_style(sheet, "left"))
    sheet.set_ylim(len(top) - 0.5, -0.55)
    sheet.set_yticks([])
    sheet.grid(visible=True, axis="x")
    return sheet


def _label_style(sheet: Axes, side: str) -> dict[str, Any]:
    return {"transform": sheet.get_yaxis_transform(), "ha": side, "va": "center", "fontsize": 9.5, "zorder": 4}


def _height(rows: int) -> float:
    return _MARGINS + min(rows * _TALLEST_ROW, _ALL_ROWS)


def _shortened(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1].rstrip() + "\u2026"


def _beside_each_other(values: Floats) -> Floats:
    """(n,) heights within 0.2 that keep dots of nearly equal value apart: the more, the wider they spread."""
    if not len(values):
        return np.empty(0)
    places = np.floor((values - values.min()) / (float(np.ptp(values)) or 1.0) * 90).astype(np.int64)
    crowd = np.bincount(places)
    heights = np.random.default_rng(_SEED).uniform(-1, 1, len(values))
    return np.asarray(0.2 * heights * np.sqrt(crowd[places] / crowd.max()), dtype=np.float64)


def _rgba(hexadecimal: str) -> tuple[float, float, float, float]:
    red, green, blue = (int(hexadecimal[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue, 1.0
