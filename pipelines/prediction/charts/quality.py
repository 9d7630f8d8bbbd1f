"""Charts of one fold: how well it ranks (gain, lift, ROC, precision-recall) and whether its probabilities come true."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from models import curves
from models.curves import Curve
from pipelines.foundation.wording.words import Words
from pipelines.prediction.charts.sheet import (
    HEIGHT,
    POINTS,
    Chart,
    Key,
    axes,
    colour,
    curve_hints,
    curve_lines,
    draw,
    hints,
    key,
    line_style,
    number_ticks,
    one_chart,
    percent_ticks,
)

Floats = npt.NDArray[np.float64]

TENTH, HALF = 0.1, 0.5
_BINS, _BARS = 10, 40
_SMALLEST_BIN = 10
_UNSETTLED = 0.02
_DIAGONAL = Curve(np.array([0.0, 1.0]), np.array([0.0, 1.0]))


def ranking(predictions: pd.DataFrame, words: Words) -> list[Chart]:
    """Cumulative gain, lift, ROC and precision-recall.

    predictions: one row per customer of the fold: label (0 and 1, both present), churn_probability, and a column of
    probabilities per baseline.
    """
    labels = predictions["label"].to_numpy(np.float64)
    lines = probabilities(predictions)
    gains = {name: curves.gain(labels, values) for name, values in lines.items()}
    base_rate = float(labels.mean())
    return [
        _gain(gains, base_rate, words),
        _lift(gains, base_rate, len(labels), words),
        _roc({name: curves.roc(labels, values) for name, values in lines.items()}, words),
        _pr({name: curves.pr(labels, values) for name, values in lines.items()}, base_rate, words),
    ]


def probabilities(predictions: pd.DataFrame) -> dict[str, Floats]:
    """Name to (n,) probabilities: "model", then the baselines as they come."""
    baselines = [name for name in predictions.columns if name not in ("label", "churn_probability")]
    columns = {"model": "churn_probability"} | {name: name for name in baselines}
    return {name: predictions[column].to_numpy(np.float64) for name, column in columns.items()}


def line_name(name: str, words: Words) -> str:
    """What a model or baseline is called in the report."""
    return words.say(f"line.{name}") if words.knows(f"line.{name}") else name.replace("_", " ")


def _gain(gains: Mapping[str, Curve], base_rate: float, words: Words) -> Chart:
    best = Curve(np.array([0.0, base_rate, 1.0]), np.array([0.0, 1.0, 1.0]))
    lines = {**gains, "chance": _DIAGONAL, "best": best}

    def paint(sheet: Axes) -> None:
        curve_lines(sheet, lines)
        _hints(sheet, gains, words, written=lambda share: words.percent(share, 1))
        _unit_square(sheet, words, x="gain.x", y="gain.y")

    others = {name: words.percent(curve.at(TENTH), 1) for name, curve in gains.items()}
    caption = words.say(
        "gain.caption", model=gains["model"].at(TENTH), best=best.at(TENTH), others=_in_brackets(others, words)
    )
    return one_chart("gain", paint, caption, _legend(lines, words), words)


def _lift(gains: Mapping[str, Curve], base_rate: float, rows: int, words: Words) -> Chart:
    shares = np.linspace(min(max(_UNSETTLED, 30 / rows), TENTH), 1.0, POINTS)
    lines = {name: curves.lift(gains[name], shares) for name in gains}
    lines |= {"chance": Curve(shares, np.ones(POINTS)), "best": Curve(shares, np.minimum(1 / base_rate, 1 / shares))}

    def paint(sheet: Axes) -> None:
        curve_lines(sheet, lines)
        _hints(sheet, {name: lines[name] for name in gains}, words, written=lambda lift: words.number(lift, 2))
        _labels(sheet, words, x="gain.x", y="lift.y")
        sheet.set_xlim(-0.02, 1.02)
        sheet.set_ylim(*_roomy(lines))
        percent_ticks(sheet.xaxis, words)
        number_ticks(sheet.yaxis, words)

    caption = words.say("lift.caption", model=lines["model"].at(TENTH), best=lines["best"].at(TENTH))
    return one_chart("lift", paint, caption, _legend(lines, words), words)


def _roc(found: Mapping[str, Curve], words: Words) -> Chart:
    areas = {name: float(np.trapezoid(curve.y, curve.x)) for name, curve in found.items()}
    lines = {**found, "chance": _DIAGONAL}

    def paint(sheet: Axes) -> None:
        curve_lines(sheet, lines)
        _hints(sheet, found, words, written=lambda share: words.percent(share, 1))
        _unit_square(sheet, words, x="roc.x", y="roc.y")

    others = {name: words.percent(area, 1) for name, area in areas.items()}
    caption = words.say("roc.caption", model=areas["model"], others=_in_brackets(others, words))
    return one_chart("roc", paint, caption, _legend(lines, words, areas), words)


def _pr(found: Mapping[str, Curve], base_rate: float, words: Words) -> Chart:
    areas = {name: float(np.diff(curve.x) @ curve.y[1:]) for name, curve in found.items()}
    lines = {name: _settled(curve) for name, curve in found.items()}
    lines["chance"] = Curve(_DIAGONAL.x, np.array([base_rate, base_rate]))

    def paint(sheet: Axes) -> None:
        curve_lines(sheet, lines)
        settled = {name: lines[name] for name in found}
        _hints(sheet, settled, words, written=lambda share: words.percent(share, 1))
        _labels(sheet, words, x="pr.x", y="pr.y")
        sheet.set_xlim(-0.02, 1.02)
        sheet.set_ylim(*_roomy(lines))
        percent_ticks(sheet.xaxis, words)
        percent_ticks(sheet.yaxis, words)

    reached = int(np.searchsorted(found["model"].x, HALF))
    caption = words.say("pr.caption", model=float(found["model"].y[reached]), base=base_rate)
    return one_chart("pr", paint, caption, _legend(lines, words, areas), words)


def calibration(predictions: pd.DataFrame, words: Words) -> Chart:
    """Reliability with 95% intervals over a histogram of the predictions; needs no second outcome."""
    labels = predictions["label"].to_numpy(np.float64)
    predicted = predictions["churn_probability"].to_numpy(np.float64)
    bins = int(np.clip(len(labels) // _SMALLEST_BIN, 1, _BINS))
    found = curves.reliability(labels, predicted, bins=bins)
    apart = np.abs(found.predicted - found.observed)

    def paint(figure: Figure) -> None:
        upper, lower = axes(figure, bottom=92), axes(figure, top=HEIGHT * 72 - 80)
        upper.plot(_DIAGONAL.x, _DIAGONAL.y, **line_style("chance"))
        upper.vlines(found.predicted, found.low, found.high, color=colour("model"), linewidth=1.6)
        upper.plot(found.predicted, found.observed, "o", color=colour("model"), markersize=5)
        texts = [
            words.say("calibration.hint", rows=int(rows), predicted=predicted, seen=seen, low=low, high=high)
            for rows, predicted, seen, low, high in zip(
                found.rows, found.predicted, found.observed, found.low, found.high, strict=True
            )
        ]
        hints(upper, found.predicted, texts, width=_apart(found.predicted))
        _unit_square(upper, words, x=None, y="calibration.y")
        upper.tick_params(axis="x", length=0, labelbottom=False)  # the axis below speaks for both
        upper.grid(visible=True, axis="x")
        lower.hist(predicted, bins=_BARS, range=(0, 1), color=colour("model"), alpha=0.75)
        lower.set_xlabel(words.say("calibration.x"))
        lower.set_xlim(-0.02, 1.02)
        percent_ticks(lower.xaxis, words)
        number_ticks(lower.yaxis, words, at_most=2, whole=True)

    caption = words.say(
        "calibration.caption",
        bins=len(found.rows),
        rows=round(float(found.rows.mean())),
        average=float(np.average(apart, weights=found.rows)) * 100,
        most=float(apart.max()) * 100,
    )
    return Chart(
        name="chart-calibration",
        title=words.say("calibration.title"),
        caption=caption,
        svg=draw("chart-calibration", paint),
        legend=(
            Key(label=words.say("calibration.seen"), colour="model", mark="dot"),
            key("chance", words.say("calibration.perfect")),
            Key(label=words.say("calibration.rows"), colour="model", mark="bar"),
        ),
    )


def _hints(sheet: Axes, found: Mapping[str, Curve], words: Words, *, written: Callable[[float], str]) -> None:
    named = {line_name(name, words): curve for name, curve in found.items()}
    curve_hints(sheet, named, words, written=written)


def _settled(curve: Curve) -> Curve:
    """Without the first customers, among whom precision is a coin tossed a few times."""
    there = curve.x >= _UNSETTLED
    return Curve(curve.x[there], curve.y[there])


def _apart(places: Floats) -> float:
    """So wide that no two strips around places lie on each other, and a pointer still meets each."""
    return float(np.diff(np.sort(places)).min(initial=0.1))


def _unit_square(sheet: Axes, words: Words, *, x: str | None, y: str) -> None:
    _labels(sheet, words, x=x, y=y)
    sheet.set_xlim(-0.02, 1.02)
    sheet.set_ylim(-0.02, 1.02)
    percent_ticks(sheet.xaxis, words)
    percent_ticks(sheet.yaxis, words)


def _labels(sheet: Axes, words: Words, *, x: str | None, y: str) -> None:
    if x is not None:
        sheet.set_xlabel(words.say(x))
    sheet.set_title(words.say(y))


def _roomy(lines: Mapping[str, Curve]) -> tuple[float, float]:
    low, high = min(line.y.min() for line in lines.values()), max(line.y.max() for line in lines.values())
    room = 0.06 * float(high - low or 1.0)
    return float(low) - room, float(high) + room


def _legend(names: Mapping[str, Curve], words: Words, areas: Mapping[str, float] | None = None) -> tuple[Key, ...]:
    areas = areas or {}
    behind = {name: f" {words.number(area, 3)}" for name, area in areas.items()}
    return tuple(key(name, line_name(name, words) + behind.get(name, "")) for name in names)


def _in_brackets(figures: Mapping[str, str], words: Words) -> str:
    texts = [f"{line_name(name, words)} {figure}" for name, figure in figures.items() if name != "model"]
    return f" ({words.say('line.between').join(texts)})" if texts else ""
