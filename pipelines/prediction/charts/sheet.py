"""What all charts of the report share: sheet, palette, and inline SVG that follows the page's light or dark colours."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from markupsafe import escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from models.curves import Curve
from pipelines.foundation.wording.words import Words

Floats = npt.NDArray[np.float64]

Mark = Literal["line", "dot", "bar", "area", "ramp"]

# Name: colour on light and on dark paper. Told apart with any kind of colour vision, and lines also by their dashes.
COLOURS = {
    "ink": ("#1c2733", "#e8edf2"),
    "soft": ("#586573", "#a7b3bf"),
    "rule": ("#dfe4e9", "#33404d"),
    "model": ("#0067a5", "#5db5ec"),
    "recency": ("#c15500", "#f2954e"),
    "logistic_regression": ("#00785c", "#41c79c"),
    "bg_nbd": ("#96508c", "#d89cc9"),
    "other": ("#6d6a52", "#b9b59a"),
    "high": ("#a63028", "#f0776c"),
    "medium": ("#d79a04", "#e8b53e"),
    "low": ("#4a8fb6", "#6db6de"),
}
SOLID = ""
DASHES = {
    "model": SOLID,
    "recency": "6 2.5",
    "logistic_regression": "1.6 1.8",
    "bg_nbd": "7 2 1.5 2",
    "other": "3 3",
    "chance": SOLID,
    "best": "1 2",
}

_HINTED = 20  # places of a curve that say their numbers
_HINT = "hint-"  # begins the id of what has a text: matplotlib knows no titles, and the id is all that it passes on
POINTS = 250  # of a drawn curve

WIDTH, HEIGHT = 4.6, 3.4  # inches; at 72 units an inch, one unit is about one pixel on a phone
LEFT, RIGHT, BOTTOM, TOP = 42, 12, 38, 24  # units round the axes: the same everywhere, so that charts in a row line up
_UNITS = 72

# Letters are measured in the font that comes with matplotlib and shown in the page's, which is narrower.
_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
    "text.color": COLOURS["ink"][0],
    "text.parse_math": False,  # a dollar sign in a label is a dollar sign
    "axes.edgecolor": COLOURS["soft"][0],
    "axes.labelcolor": COLOURS["soft"][0],
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.titlelocation": "left",
    "axes.titlesize": 10.5,
    "axes.titlecolor": COLOURS["soft"][0],
    "grid.color": COLOURS["rule"][0],
    "grid.linewidth": 0.8,
    "xtick.color": COLOURS["soft"][0],
    "ytick.color": COLOURS["soft"][0],
    "ytick.major.size": 0,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "attrition",  # the same ids at each run
}


@dataclass(frozen=True, kw_only=True)
class Key:
    """One entry of a legend, which the page sets beside the chart, where it cannot cover a line."""

    label: str
    colour: str
    mark: Mark = "line"
    dashes: str = SOLID


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A figure of the page. caption: one sentence that says in numbers what is seen."""

    name: str
    title: str
    caption: str
    svg: str
    legend: tuple[Key, ...] = ()


def draw(name: str, paint: Callable[[Figure], None], *, height: float = HEIGHT) -> str:
    """What `paint` puts on a sheet, as an SVG element that stands in a page without clashing with its neighbours."""
    with mpl.rc_context():
        mpl.rcdefaults()  # whatever this machine's own settings are
        mpl.rcParams.update(_STYLE)
        figure = Figure(figsize=(WIDTH, height))
        paint(figure)
        written = io.StringIO()
        figure.savefig(written, format="svg", dpi=200, metadata={"Date": None, "Creator": None})
    return _inline(name, written.getvalue())


def axes(figure: Figure, *, bottom: float = BOTTOM, top: float = TOP, left: float = LEFT) -> Axes:
    """Axes with margins in units."""
    width, height = (float(inches) * _UNITS for inches in figure.get_size_inches())
    return figure.add_axes(
        (left / width, bottom / height, (width - left - RIGHT) / width, (height - bottom - top) / height)
    )


def hints(sheet: Axes, places: Iterable[float], texts: Iterable[str], *, width: float) -> None:
    """What a reader is told who points at the chart: a text for each place, over a strip of so much of the axis."""
    for place, text in zip(places, texts, strict=True):
        # Not quite 0: matplotlib writes that as no filling, and a pointer meets nothing.
        strip = sheet.axvspan(place - width / 2, place + width / 2, alpha=0.001, color="black", linewidth=0, zorder=9)
        strip.set_gid(f"{_HINT}{text.encode().hex()}")


def line_hints(
    sheet: Axes,
    places: Floats,
    heads: Sequence[str],
    lines: Mapping[str, Floats],
    words: Words,
    *,
    written: Callable[[float], str],
    width: float,
) -> None:
    """`hints` with the value of each line there, behind what the line is called; of a line that has one."""
    texts = [
        f"{head}{words.say('line.colon')}"
        + ", ".join(f"{name} {written(float(found[k]))}" for name, found in lines.items() if np.isfinite(found[k]))
        for k, head in enumerate(heads)
    ]
    hints(sheet, places, texts, width=width)


def curve_hints(sheet: Axes, found: Mapping[str, Curve], words: Words, *, written: Callable[[float], str]) -> None:
    """`line_hints` of curves over shares, by what they are called: at every twentieth."""
    places = np.linspace(0.0, 1.0, _HINTED + 1)[1:]
    lines = {name: np.array([curve.at(place) for place in places]) for name, curve in found.items()}
    heads = [words.percent(float(place)) for place in places]
    line_hints(sheet, places, heads, lines, words, written=written, width=1 / _HINTED)


def colour(name: str) -> str:
    """The light colour of that name; the page exchanges it for the dark one where the reader prefers that."""
    return COLOURS[_colour_name(name)][0]


def line_style(name: str) -> dict[str, Any]:
    """How the line of the model, of a baseline, of chance or of the best possible looks in every chart."""
    width, level = {"model": (2.2, 3), "chance": (1.0, 1), "best": (1.0, 1)}.get(name, (1.5, 2))
    dashes = [float(length) / width for length in DASHES.get(name, DASHES["other"]).split()]
    return {
        "color": colour(name),
        "linewidth": width,
        "linestyle": (0, dashes) if dashes else "solid",
        "zorder": level,
        "solid_capstyle": "round",
    }


def key(name: str, label: str) -> Key:
    """The legend's entry for such a line."""
    return Key(label=label, colour=_colour_name(name), dashes=DASHES.get(name, DASHES["other"]))


def curve_lines(sheet: Axes, found: Mapping[str, Curve]) -> None:
    """Curves by the name of their line, with no more points than can be told apart at this size."""
    for name, curve in found.items():
        thin = curve.thinned(POINTS)
        sheet.plot(thin.x, thin.y, **line_style(name))


def one_chart(name: str, paint: Callable[[Axes], None], caption: str, legend: tuple[Key, ...], words: Words) -> Chart:
    """A chart on one pair of axes, with its title in words."""
    place = f"chart-{name.replace('_', '-')}"
    svg = draw(place, lambda figure: paint(axes(figure)))
    return Chart(name=place, title=words.say(f"{name}.title"), caption=caption, svg=svg, legend=legend)


def percent_ticks(axis: Any, words: Words, *, digits: int = 0, at_most: int = 5) -> None:
    """Shares written as percentages."""
    axis.set_major_locator(MaxNLocator(at_most, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: words.percent(value, digits)))


def number_ticks(axis: Any, words: Words, *, at_most: int = 5, whole: bool = False) -> None:
    """Ticks with as many decimals as their distance needs."""
    axis.set_major_locator(MaxNLocator(at_most, steps=[1, 2, 2.5, 5, 10], integer=whole))

    def written(value: float, _: int | None) -> str:
        places = {len(f"{tick:.6f}".rstrip("0").partition(".")[2]) for tick in axis.get_majorticklocs()}
        return words.number(value, 0 if whole else max(places))

    axis.set_major_formatter(FuncFormatter(written))


def _colour_name(name: str) -> str:
    return "soft" if name in ("chance", "best") else name if name in COLOURS else "other"


def _titled(found: re.Match[str]) -> str:
    return f"<g><title>{escape(bytes.fromhex(found[1]).decode())}</title>"


def _inline(name: str, document: str) -> str:
    """Without what only a file of its own needs; ids made unique in the page, palette colours made its variables."""
    svg = document[document.index("<svg") :]
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\s*<style type="text/css">.*?</style>', "", svg, flags=re.DOTALL)
    svg = re.sub(r'^<svg [^>]*?width="([\d.]+)pt" height="([\d.]+)pt"[^>]*>', r'<svg viewBox="0 0 \1 \2">', svg)
    svg = re.sub(r"font-family: [^;\"]*; ?", "", svg)
    svg = re.sub(rf'<g id="{_HINT}([0-9a-f]+)">', _titled, svg)
    svg = re.sub(r'\bid="|xlink:href="#|url\(#', lambda found: f"{found[0]}{name}-", svg)
    svg = re.sub(r"(?<=[\dLMz]) ?\n", " ", svg)
    for variable, (light, _) in COLOURS.items():
        svg = svg.replace(light, f"var(--{variable}, {light})")
    return svg.replace("xlink:href", "href")
