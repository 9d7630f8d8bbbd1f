"""Charts of money: how much of what is lost each ranking reaches, and what contacting customers brings."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes

from models import economics
from models.curves import Curve
from models.economics import Play
from pipelines.foundation.wording.words import Words
from pipelines.prediction.charts.quality import TENTH
from pipelines.prediction.charts.sheet import (
    Chart,
    Key,
    colour,
    curve_hints,
    curve_lines,
    key,
    line_style,
    number_ticks,
    one_chart,
    percent_ticks,
)

Floats = npt.NDArray[np.float64]

# By money is the line of the product, by probability the one that it is held against.
_BY_MONEY, _BY_PROBABILITY = "model", "recency"


def rankings(predictions: pd.DataFrame) -> dict[str, Floats]:
    """The two orders in which customers may be contacted: (n,) priorities, highest first."""
    probability = predictions["churn_probability"].to_numpy(np.float64)
    value = predictions["value"].to_numpy(np.float64)
    return {_BY_MONEY: economics.value_at_risk(probability, value), _BY_PROBABILITY: probability}


def lost(predictions: pd.DataFrame) -> Floats:
    """(n,) what was lost with each customer over the horizon: the value of who left, 0 of who stayed."""
    value = np.maximum(predictions["value"].fillna(0).to_numpy(np.float64), 0.0)
    return np.asarray(value * predictions["label"].to_numpy(np.float64))


def reached(predictions: pd.DataFrame, words: Words) -> Chart:
    """Share of lost revenue among the customers contacted, by both rankings. Something must have been lost."""
    found = {name: economics.reached(order, lost(predictions)) for name, order in rankings(predictions).items()}

    def paint(sheet: Axes) -> None:
        curve_lines(sheet, found)
        sheet.plot([0, 1], [0, 1], **line_style("chance"))
        curve_hints(sheet, _called(found, words), words, written=lambda share: words.percent(share, 1))
        sheet.set_xlabel(words.say("money.x"))
        sheet.set_title(words.say("reached.y"))
        sheet.set_xlim(-0.02, 1.02)
        sheet.set_ylim(-0.02, 1.04)
        percent_ticks(sheet.xaxis, words)
        percent_ticks(sheet.yaxis, words)

    caption = words.say("reached.caption", money=found[_BY_MONEY].at(TENTH), chance=found[_BY_PROBABILITY].at(TENTH))
    legend = (*_legend(words), key("chance", words.say("line.chance")))
    return one_chart("reached", paint, caption, legend, words)


def profits(predictions: pd.DataFrame, play: Play, kept: float, words: Words, *, currency: str) -> Chart:
    """What contacting the first so many customers would have brought.

    kept: what a customer who is kept is worth, over the value of one horizon.
    """
    found = {name: _profit_curve(predictions, order, play, kept) for name, order in rankings(predictions).items()}
    best = economics.best(found[_BY_MONEY])

    def paint(sheet: Axes) -> None:
        curve_lines(sheet, found)
        sheet.axhline(0, color=colour("rule"), linewidth=1)
        sheet.plot([best.share], [best.profit], marker="o", color=colour(_BY_MONEY), zorder=4)
        curve_hints(sheet, _called(found, words), words, written=lambda profit: f"{words.number(profit)} {currency}")
        sheet.set_xlabel(words.say("money.x"))
        sheet.set_title(words.say("profit.y", currency=currency))
        percent_ticks(sheet.xaxis, words)
        number_ticks(sheet.yaxis, words)

    caption = words.say("profit.caption", share=best.share, profit=words.number(best.profit), currency=currency)
    return one_chart("profit", paint, caption, _legend(words), words)


def _profit_curve(predictions: pd.DataFrame, order: Floats, play: Play, kept: float) -> Curve:
    value = predictions["value"].to_numpy(np.float64) * kept
    return economics.profit_curve(order, economics.profit(predictions["label"].to_numpy(np.float64), value, play))


def _names(words: Words) -> dict[str, str]:
    return {_BY_MONEY: words.say("money.by_value"), _BY_PROBABILITY: words.say("money.by_probability")}


def _called(found: Mapping[str, Curve], words: Words) -> dict[str, Curve]:
    return {label: found[name] for name, label in _names(words).items()}


def _legend(words: Words) -> tuple[Key, ...]:
    return tuple(key(name, label) for name, label in _names(words).items())
