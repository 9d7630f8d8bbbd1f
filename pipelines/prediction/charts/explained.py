"""What drives a model, drawn from averages of groups of customers: SHAP summary and dependence, no point a person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from models.shap_summary import Explained, Group, most_important
from pipelines.foundation.wording.words import Words
from pipelines.prediction.charts.sheet import Chart, axes, colour, draw, number_ticks

SHOWN, DEPENDENCES = 12, 6
_LEFT = 190  # units: names of columns are long
_UNITS_A_ROW, _AROUND = 22, 70


def charts(found: Sequence[Explained], words: Words) -> list[Chart]:
    """The summary of the most important columns, and the dependence on the first; none where nothing is told."""
    shown = most_important(found, count=SHOWN)
    if not shown:
        return []
    return [summary(shown, words), *(dependence(each, words) for each in shown[:DEPENDENCES] if _known(each))]


def summary(shown: Sequence[Explained], words: Words) -> Chart:
    """A row a column, a disc a group of customers: to the right raises the risk, red are high values, grey is none."""
    ramp = LinearSegmentedColormap.from_list("values", [colour("low"), colour("high")])
    largest = max(group.customers for each in shown for group in each.groups)

    def paint(sheet: Axes) -> None:
        for row, each in enumerate(reversed(shown)):
            known = _known(each)
            for group in each.groups:
                rank = known.index(group) / max(1, len(known) - 1) if group in known else None
                sheet.scatter(
                    [group.shap],
                    [row],
                    s=20 + 120 * group.customers / largest,
                    color=colour("soft") if rank is None else ramp(rank),
                    alpha=0.8,
                )
        sheet.axvline(0, color=colour("soft"), linewidth=0.8)
        sheet.set_yticks(range(len(shown)), [each.column for each in reversed(shown)], fontsize=8)
        sheet.set_ylim(-0.7, len(shown) - 0.3)
        number_ticks(sheet.xaxis, words, at_most=3)
        sheet.set_xlabel(words.say("explained.shap"))

    height = (_AROUND + _UNITS_A_ROW * len(shown)) / 72
    svg = draw("shap-summary", lambda figure: paint(axes(figure, left=_LEFT)), height=height)
    return Chart(
        name="shap-summary",
        title=words.say("explained.title"),
        caption=words.say("explained.caption", column=shown[0].column),
        svg=svg,
    )


def dependence(each: Explained, words: Words) -> Chart:
    """Mean SHAP value of each group over its mean value, with one standard deviation to both sides."""
    known = _known(each)
    values = np.array([group.value for group in known], dtype=np.float64)
    means, spreads = (np.array([getattr(group, name) for group in known]) for name in ("shap", "spread"))

    def paint(sheet: Axes) -> None:
        sheet.axhline(0, color=colour("soft"), linewidth=0.8)
        sheet.fill_between(values, means - spreads, means + spreads, color=colour("model"), alpha=0.2, linewidth=0)
        sheet.plot(values, means, color=colour("model"), marker="o", markersize=4)
        number_ticks(sheet.xaxis, words)
        number_ticks(sheet.yaxis, words)
        sheet.set_xlabel(each.column)
        sheet.set_title(words.say("explained.shap"))

    name = f"shap-dependence-{each.column}"
    return Chart(
        name=name,
        title=words.say("explained.dependence", column=each.column),
        caption=words.say("explained.groups"),
        svg=draw(name.replace("_", "-"), lambda figure: paint(axes(figure))),
    )


def _known(each: Explained) -> list[Group]:
    return [group for group in each.groups if group.value is not None]
