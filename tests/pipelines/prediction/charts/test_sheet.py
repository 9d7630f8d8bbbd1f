from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import date

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from pipelines.foundation.wording.words import Words
from pipelines.prediction.charts.customers import contributions, indicators, risk
from pipelines.prediction.charts.over_time import over_time
from pipelines.prediction.charts.quality import calibration, ranking
from pipelines.prediction.charts.sheet import COLOURS, Chart, axes, draw, hints

EN, FR = Words("en"), Words("fr")

# Ten customers; five left. The model finds the first leaver first, recency a stayer.
PREDICTIONS = pd.DataFrame(
    {
        "label": [1, 1, 1, 0, 1, 0, 1, 0, 0, 0],
        "churn_probability": [0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1],
        "recency": [0.5, 0.9, 0.8, 0.95, 0.6, 0.7, 0.4, 0.3, 0.2, 0.1],
    }
)
SCORES = pd.DataFrame(
    {"churn_probability": [0.1, 0.5, 0.8, 0.9], "risk_band": ["low", "medium", "high", "high"]},
)
IMPORTANCE = pd.DataFrame(
    {
        "code": ["rhythm", "value"],
        "label": ["buying rhythm", "value of orders"],
        "family": ["purchases", "purchases"],
        "mean_contribution": [0.6, 0.2],
        "share": [0.75, 0.25],
    }
)
SPREAD = pd.DataFrame(
    {
        "code": ["rhythm"] * 4 + ["value"] * 4,
        "rank": [0.25, 0.5, 0.75, 1.0, 0.5, 1.0, np.nan, np.nan],
        "contribution": [-1.0, 0.0, 0.5, 1.0, 0.2, -0.2, 0.1, 0.1],
    }
)
DAYS = [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]


def auc_over_time(model: list[float], words: Words = EN) -> Chart | None:
    return over_time(
        "roc_auc",
        days=DAYS[: len(model)],
        model=model,
        intervals=[(value - 0.02, value + 0.02) for value in model],
        baselines={"recency": [0.6] * len(model)},
        words=words,
    )


def all_charts(words: Words) -> list[Chart]:
    over = auc_over_time([0.7, 0.8, 0.75], words)
    assert over is not None
    return [
        *ranking(PREDICTIONS, words),
        calibration(PREDICTIONS, words),
        risk(SCORES, (0.4, 0.7), words),
        indicators(IMPORTANCE, words),
        contributions(SPREAD, IMPORTANCE, words),
        over,
    ]


@pytest.fixture(scope="module")
def english() -> list[Chart]:
    return all_charts(EN)


def marks(chart: Chart) -> Iterator[str]:
    """Paths, uses and images that stand for data: those not in axes, ticks or grid."""
    drawing = ET.fromstring(chart.svg)
    for group in drawing.iter("g"):
        if re.search(r"-(line2d|patch|PathCollection|LineCollection|FillBetween|image)_?\w*$", group.get("id", "")):
            yield from (ET.tostring(part, "unicode") for part in group if part.tag in ("path", "use", "g", "image"))


def words_in(chart: Chart) -> list[str]:
    return ["".join(text.itertext()) for text in ET.fromstring(chart.svg).iter("text")]


def by_name(charts: list[Chart], name: str) -> Chart:
    return next(chart for chart in charts if chart.name == name)


def test_every_chart_draws_data_labels_its_axes_and_says_what_is_seen(english: list[Chart]) -> None:
    for chart in english:
        assert len(list(marks(chart))) > 3, chart.name
        assert "nan" not in chart.svg.lower(), chart.name
        assert len(words_in(chart)) > 3, chart.name
        assert re.search(r"\d", chart.caption), chart.name
        assert chart.caption.endswith("."), chart.name
    assert len({chart.name for chart in english}) == len(english) == 9


def test_the_lines_are_where_the_rows_put_them(english: list[Chart]) -> None:
    # Axes run from (42, 206.8) to (319.2, 24) units and from -0.02 to 1.02: the first leaver found is a fifth of all.
    roc = by_name(english, "chart-roc")
    model = re.search(r"M ([\d.]+) ([\d.]+) L ([\d.]+) ([\d.]+) [^\"]*\" [^>]*--model", roc.svg)
    assert model is not None
    x, y, _, higher = (float(number) for number in model.groups())
    width, height = 331.2 - 42 - 12, 3.4 * 72 - 38 - 24
    assert (x - 42) / width * 1.04 - 0.02 == pytest.approx(0, abs=1e-4)
    assert (3.4 * 72 - 38 - y) / height * 1.04 - 0.02 == pytest.approx(0, abs=1e-4)
    assert (3.4 * 72 - 38 - higher) / height * 1.04 - 0.02 == pytest.approx(0.2, abs=1e-4)


def test_captions_count_as_the_rows_do(english: list[Chart]) -> None:
    said = {chart.name: chart.caption for chart in english}
    assert said["chart-gain"] == (
        "The tenth at most risk holds 20.0% of all who left (Recency alone 0.0%); 20.0% at best."
    )
    assert said["chart-lift"] == (
        "In the tenth at most risk, leaving is 2.00 times as frequent as among all; 2.00 times at best."
    )
    # Of 25 pairs of a leaver and a stayer the model has 3 wrong.
    assert said["chart-roc"].startswith("In 88.0% of pairs")
    assert said["chart-pr"].startswith(
        "With half of all leavers found, 100.0% of the customers taken did leave, against 50.0%"
    )
    assert said["chart-calibration"].startswith(
        "In one group of about 10 customers, prediction and outcome differ by 4.5"
    )
    assert said["chart-risk"] == "2 of 4 customers (50.0%) are at high risk; half of all are above 65.0%."
    assert said["chart-indicators"] == "“buying rhythm” makes 75.0% of all movement; the 2 shown make 100.0%."
    assert said["chart-contributions"].startswith("For 98 of 100 customers “buying rhythm” multiplies")
    assert said["chart-roc-auc-over-time"] == (
        "Over 3 dates since 1\u00a0January 2026 the model lies between 0.700 and 0.800. "
        "On 1\u00a0March 2026 it is 0.750, with an interval from 0.730 to 0.770."
    )


def test_french_charts_write_french_numbers() -> None:
    charts = all_charts(FR)
    assert "20,0\u202f%" in by_name(charts, "chart-gain").caption
    assert "25\u202f%" in words_in(by_name(charts, "chart-roc"))
    assert any("févr." in text for text in words_in(by_name(charts, "chart-roc-auc-over-time")))
    assert any(re.fullmatch(r"0,\d+", text) for text in words_in(by_name(charts, "chart-roc-auc-over-time")))


def test_the_same_data_draw_the_same_bytes(english: list[Chart]) -> None:
    assert all_charts(EN) == english


def test_charts_stand_in_one_page_without_sharing_an_id(english: list[Chart]) -> None:
    ids = [found for chart in english for found in re.findall(r'\bid="([^"]+)"', chart.svg)]
    assert len(ids) == len(set(ids))
    for chart in english:
        own = set(re.findall(r'\bid="([^"]+)"', chart.svg))
        pointed_at = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', chart.svg))
        assert {first or second for first, second in pointed_at} <= own


def test_every_colour_follows_the_page(english: list[Chart]) -> None:
    light = {pair[0] for pair in COLOURS.values()}
    for chart in english:
        bare = re.sub(r"var\(--[a-z_]+, #[0-9a-f]{6}\)", "", chart.svg)
        assert light.isdisjoint(re.findall(r"#[0-9a-f]{6}", bare)), chart.name
        assert "font-family" not in chart.svg
        assert "<style" not in chart.svg


def test_labels_are_text_whatever_they_hold() -> None:
    nasty = IMPORTANCE.assign(
        label=["<script>alert('$1')</script>", "orders below $5 and above $9, with a label of no end"]
    )
    chart = indicators(nasty, EN)
    assert "<script" not in chart.svg
    assert "<script>alert('$1')</script>" in words_in(chart)
    assert "orders below $5 and above $9, with a label of no…" in words_in(chart)


def test_indicators_that_move_nothing_are_not_drawn() -> None:
    rows = pd.concat(
        [IMPORTANCE, IMPORTANCE.assign(code=["returns", "tenure"], label=["returns", "tenure"], share=0.0)]
    )
    assert {"returns", "tenure"}.isdisjoint(words_in(indicators(rows, EN)))


def test_contributions_are_pixels_and_weigh_little() -> None:
    random = np.random.default_rng(1)
    codes = [f"indicator_{place}" for place in range(12)]
    spread = pd.DataFrame(
        {"code": np.repeat(codes, 3_000), "rank": random.random(36_000), "contribution": random.normal(size=36_000)}
    )
    importance = pd.DataFrame({"code": codes, "label": codes, "share": 1 / 12})
    chart = contributions(spread, importance, EN)
    assert 'href="data:image/png;base64,' in chart.svg.replace("\n", "")
    assert len(chart.svg) < 500_000  # at worst: noise without any order


def test_contributions_that_are_all_nothing_are_drawn() -> None:
    flat = SPREAD.assign(contribution=0.0, rank=np.nan)
    assert "by 1.0 to 1.0" in contributions(flat, IMPORTANCE, EN).caption


def test_all_customers_of_the_example_draw_small_charts() -> None:
    random = np.random.default_rng(2)
    truth = random.beta(4, 1.2, 23_570)
    many = pd.DataFrame(
        {"label": (random.random(23_570) < truth).astype(int), "churn_probability": truth, "recency": truth**2}
    )
    for chart in [*ranking(many, EN), calibration(many, EN)]:
        assert len(chart.svg) < 60_000, chart.name


def test_calibration_needs_no_second_outcome() -> None:
    one = pd.DataFrame({"label": [1], "churn_probability": [0.9]})
    assert calibration(one, EN).caption.startswith("In one group of about one customer, ")


def test_two_customers_are_enough_for_curves() -> None:
    two = pd.DataFrame({"label": [0, 1], "churn_probability": [0.5, 0.5]})
    assert [chart.name for chart in ranking(two, EN)] == ["chart-gain", "chart-lift", "chart-roc", "chart-pr"]


def test_one_customer_has_a_risk_chart() -> None:
    assert risk(SCORES.tail(1), (0.4, 0.7), EN).caption == (
        "1 of 1 customer (100.0%) is at high risk; half of all are above 90.0%."
    )


def test_a_test_without_both_outcomes_leaves_a_hole_in_time() -> None:
    chart = auc_over_time([0.7, np.nan, 0.75])
    assert chart is not None
    assert chart.caption.startswith("Over 2 dates since")
    assert "nan" not in chart.svg.lower()


def test_one_test_is_one_point() -> None:
    chart = auc_over_time([0.7])
    assert chart is not None
    assert chart.caption == "On 1\u00a0January 2026 it is 0.700, with an interval from 0.680 to 0.720."
    assert "1\u00a0Jan\u00a026" in words_in(chart)


def test_tests_that_never_had_both_outcomes_have_no_chart() -> None:
    assert auc_over_time([np.nan, np.nan]) is None


def test_whoever_points_at_a_place_is_told_its_text() -> None:
    def paint(figure: Figure) -> None:
        sheet = axes(figure)
        sheet.set_xlim(0, 3)
        hints(sheet, [1.0, 2.0], ["<b>one</b> & 1", "deux\u202f%"], width=1)

    svg = draw("chart-hints", paint)
    assert re.findall("<title>(.*?)</title>", svg) == ["&lt;b&gt;one&lt;/b&gt; &amp; 1", "deux\u202f%"]
    assert "hint-" not in svg
