from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from pipelines.foundation.wording.words import Words
from pipelines.prediction.charts.revenue import MOST_MONTHS, charts
from pipelines.prediction.charts.sheet import COLOURS, Chart

EN, FR = Words("en", by_contract=True), Words("fr", by_contract=True)
SHOP = Words("en")


def month(name: str, **more: Any) -> dict[str, Any]:
    """One of ten customers left and two came; of 1,000 of revenue 50 were lost, 30 gained by expansion, 40 anew."""
    row: dict[str, Any] = {
        "month": name, "new": 2, "reactivated": 1, "lost": 1, "voluntary_lost": 1, "involuntary_lost": 0,
        "customers_end": 11, "mrr_start": 1000.0, "mrr_new": 40.0, "mrr_reactivation": 10.0, "mrr_expansion": 30.0,
        "mrr_contraction": 20.0, "mrr_churned": 30.0, "mrr_end": 1030.0, "grr": 95.0, "nrr": 98.0,
        "expansion_share": 37.5, "customers_unpriced": 0, "provisional": False,
    }  # fmt: skip
    return row | more


MONTHS = [month("2024-03"), month("2024-04", nrr=101.0), month("2024-05", involuntary_lost=1, voluntary_lost=0)]
NO_MONEY = dict.fromkeys(
    ("mrr_start", "mrr_new", "mrr_reactivation", "mrr_expansion", "mrr_contraction", "mrr_churned", "mrr_end", "grr",
     "nrr", "expansion_share", "customers_unpriced", "voluntary_lost", "involuntary_lost"),
)  # fmt: skip


@pytest.fixture(scope="module")
def english() -> list[Chart]:
    return charts(MONTHS, EN, currency="EUR")


def words_in(chart: Chart) -> list[str]:
    return ["".join(text.itertext()) for text in ET.fromstring(chart.svg).iter("text")]


def bars(chart: Chart) -> list[tuple[str, float, float]]:
    """Colour, lower and upper end of each bar in units, upwards."""
    found = []
    for path, shade in re.findall(r'<path d="(M [^"]+)z ?" clip-path[^>]* style="fill: var\(--(\w+)', chart.svg):
        heights = [float(y) for y in re.findall(r"[\d.]+ ([\d.]+)", path)]
        found.append((shade, -max(heights), -min(heights)))
    return found


def test_the_charts_of_contracts_say_in_numbers_what_is_seen(english: list[Chart]) -> None:
    assert {chart.name: chart.caption for chart in english} == {
        "chart-customers-moved": (
            "From March 2024 to May 2024, 6 customers came and 3 left, 1 of them because payments failed; the last "
            "month ended with 11."
        ),
        "chart-mrr-moved": (
            "From March 2024 to May 2024, 240 EUR of monthly revenue were gained and 150 lost: 1,000 became 1,030."
        ),
        "chart-revenue-kept": (
            "In May 2024, 95.0% of the revenue was kept, and 98.0% with expansion; above 100% in 1 of 3 months."
        ),
        "chart-expansion": (
            "From March 2024 to May 2024, expansion made 37.5% of all revenue gained. Lines: 28.8% in 2020 and 32.3% "
            "in 2023, from ChartMogul\u2019s SaaS report."
        ),
    }


def test_bars_are_as_high_as_the_revenue_that_moved(english: list[Chart]) -> None:
    found = bars(english[1])
    assert [shade for shade, _, _ in found[::3]] == ["model", "bg_nbd", "logistic_regression", "high", "medium"]
    unit = (found[0][2] - found[0][1]) / 40
    heights = [(top - bottom) / unit for _, bottom, top in found[::3]]
    assert heights == pytest.approx([40, 10, 30, 30, 20], abs=0.01)
    new, back, expansion, churned, contraction = found[::3]
    assert (new[2], back[2]) == pytest.approx((back[1], expansion[1]))
    assert (new[1], churned[1]) == pytest.approx((churned[2], contraction[2]))


def test_the_expansion_of_others_is_drawn_and_named_with_its_source(english: list[Chart]) -> None:
    assert [entry.label for entry in english[3].legend] == [
        "Expansion share", "ChartMogul 2020 (28.8%)", "ChartMogul 2023 (32.3%)"
    ]  # fmt: skip


def test_what_never_happened_has_no_entry_in_the_legend() -> None:
    quiet = [row | {"reactivated": 0, "mrr_reactivation": 0.0} for row in MONTHS]
    for chart in charts(quiet, EN, currency="EUR")[:2]:
        assert "Reactiv" not in " ".join(entry.label for entry in chart.legend)


def test_a_shop_has_a_chart_of_customers_alone() -> None:
    (chart,) = charts([row | NO_MONEY for row in MONTHS], SHOP, currency="EUR")
    assert [entry.label for entry in chart.legend] == ["New", "Reactivated", "Lost", "Difference"]
    assert chart.caption == "From March 2024 to May 2024, 6 customers came and 3 left; the last month ended with 11."


def test_a_first_month_has_nothing_to_keep() -> None:
    first = month("2024-03", mrr_start=0.0, grr=None, nrr=None, expansion_share=None)
    assert [chart.name for chart in charts([first], EN, currency="EUR")] == ["chart-customers-moved", "chart-mrr-moved"]
    assert [chart.name for chart in charts([first, *MONTHS], EN, currency="EUR")][2:] == [
        "chart-revenue-kept", "chart-expansion"
    ]  # fmt: skip


def test_months_without_a_known_price_are_in_no_chart_of_revenue() -> None:
    unknown = month("2024-02") | NO_MONEY | {"voluntary_lost": 1, "involuntary_lost": 0}
    customers, revenue, *_ = charts([unknown, *MONTHS], EN, currency="EUR")
    assert customers.caption.startswith("From February 2024 to May 2024, 8 customers came")
    assert revenue.caption.startswith("From March 2024 to May 2024, 240 EUR of monthly revenue were gained")
    assert [chart.name for chart in charts([unknown], EN, currency="EUR")] == ["chart-customers-moved"]


def test_no_months_make_no_charts() -> None:
    assert charts([], EN, currency="EUR") == []


def test_the_newest_two_years_are_drawn() -> None:
    many = [month(f"{year}-{number:02}") for year in (2021, 2022, 2023) for number in range(1, 13)]
    chart = charts(many, EN, currency="EUR")[0]
    assert chart.caption.startswith("From January 2022 to December 2023, ")
    assert len({(bottom, top) for _, bottom, top in bars(chart)}) > 1
    assert len(bars(chart)) % MOST_MONTHS == 0


def test_french_charts_are_french() -> None:
    found = charts(MONTHS, FR, currency="EUR")
    assert found[2].caption == (
        "En mai 2024, 95,0\u202f% du revenu a été conservé, et 98,0\u202f% avec l\u2019expansion\u202f; plus de "
        "100\u202f% en 1 mois sur 3."
    )
    assert [entry.label for entry in found[2].legend][:2] == [
        "Rétention brute du revenu (GRR)", "Rétention nette du revenu (NRR)"
    ]  # fmt: skip
    assert "mars 24" in [text.replace("\xa0", " ") for text in words_in(found[0])]
    assert "d\u2019après le rapport SaaS de ChartMogul" in found[3].caption


def test_every_colour_follows_the_page_and_every_mark_has_a_number(english: list[Chart]) -> None:
    light = {pair[0] for pair in COLOURS.values()}
    for chart in english:
        bare = re.sub(r"var\(--[a-z_]+, #[0-9a-f]{6}\)", "", chart.svg)
        assert light.isdisjoint(re.findall(r"#[0-9a-f]{6}", bare)), chart.name
        assert "nan" not in chart.svg.lower(), chart.name


def test_the_same_rows_draw_the_same_bytes(english: list[Chart]) -> None:
    assert charts(MONTHS, EN, currency="EUR") == english
