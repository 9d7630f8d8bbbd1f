"""The report's section on retention, with and without contracts, in both languages."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.foundation.wording.numbers import NOTHING, Language
from pipelines.report.data import ReportData, Retention
from pipelines.report.page import render
from tests.pipelines.prediction.charts.test_cohorts import points
from tests.pipelines.prediction.charts.test_revenue import MONTHS, NO_MONEY
from tests.pipelines.report.test_page import LAPTOP, PHONE, Page, report

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

RATES = {
    "retention_rate": 90.0, "attrition_rate": 10.0, "attrition_rate_of_total": 8.33, "net_negative_churn": False,
    "repeat_rate": None,
}  # fmt: skip
CHARTS = ["chart-customers-moved", "chart-mrr-moved", "chart-revenue-kept", "chart-expansion", "chart-cohorts"]


def with_retention(language: Language = "en", **changes: Any) -> ReportData:
    retention = Retention(
        months=[row | RATES | changes for row in MONTHS],
        cohorts=[*points("2024-Q1", 10, 9, 7), *points("2024-Q2", 10, 8)],
        until=date(2024, 6, 15),
        terms=[("A term", "What it means.")],
    )
    return replace(report(language), by_contract=changes.get("mrr_end", 1) is not None, retention=retention)


def retention_of(page: str) -> str:
    return page[page.index('<section id="retention">') : page.index('<section id="quality">')]


def test_the_section_has_every_chart_with_its_text_and_the_newest_months() -> None:
    whole = render(with_retention())
    page = Page(retention_of(whole))
    assert page.figures() == CHARTS
    for tag, attributes in page.tags:
        if tag == "figure":
            assert attributes["role"] == "img"
            assert any(letter.isdigit() for letter in attributes["aria-label"] or "")
    assert "Compared are the two ends of each calendar month, here from March 2024 to May 2024. " in page.text
    assert "Full months only: the data are complete before 15\N{NO-BREAK SPACE}June 2024." in page.text
    assert "Retention rate 90.0% 90.0% 90.0%" in page.text
    assert "Net revenue retention (NRR) 98.0% 101.0% 98.0%" in page.text
    assert "Net negative churn no no no" in page.text
    assert 'href="#retention"' in whole
    assert "A term What it means." in Page(whole).text
    assert len(Page(whole).ids()) == len(set(Page(whole).ids()))


def test_a_shop_has_no_revenue_and_its_repeat_rate() -> None:
    shop: dict[str, Any] = NO_MONEY | {"net_negative_churn": None, "repeat_rate": 12.0}
    data = with_retention("en", **shop)
    assert data.retention is not None
    again, active = points("2024-Q1", 0, 3, 4), points("2024-Q1", 10, 6, 5)
    told = replace(data.retention, again=again, active=active, active_days=90)
    page = Page(retention_of(render(replace(data, retention=told))))
    assert page.figures() == ["chart-customers-moved", "chart-cohorts-again", "chart-cohorts-active"]
    assert "Who stayed and who left" in page.text
    assert "Of the 10 customers whose first order was in 2024-Q1, 40.0% had ordered again after 2 months" in page.text
    assert "50.0% had ordered within the 90 days before, 2 months later" in page.text
    assert "Repeat rate 12.0% 12.0% 12.0%" in page.text
    assert "GRR" not in page.text


def test_a_company_without_known_prices_has_its_rates_of_revenue_empty() -> None:
    unknown = NO_MONEY | {
        "net_negative_churn": None,
        "voluntary_lost": 1,
        "involuntary_lost": 0,
        "customers_unpriced": 12,
    }
    page = Page(retention_of(render(with_retention("en", **unknown))))
    assert page.figures() == ["chart-customers-moved", "chart-cohorts"]
    assert f"Gross revenue retention (GRR) {NOTHING} {NOTHING} {NOTHING}" in page.text


def test_figures_that_rest_on_some_of_the_prices_say_so() -> None:
    assert "no price was known" not in render(with_retention())
    told = "Of up to 3 customers in a month no price was known: their revenue is in no amount"
    assert told in Page(retention_of(render(with_retention(customers_unpriced=3)))).text


def test_what_there_is_nothing_to_divide_by_is_a_dash() -> None:
    assert f"Gross revenue retention (GRR) {NOTHING}" in Page(retention_of(render(with_retention(grr=None)))).text


def test_a_month_that_may_change_is_told() -> None:
    assert "The newest month may still change" not in render(with_retention())
    assert "The newest month may still change" in render(with_retention(provisional=True))


def test_french_pages_are_french() -> None:
    text = Page(retention_of(render(with_retention("fr")))).text
    for said in ("Taux de rétention", "Taux d\u2019attrition", "Attrition négative nette non", "2024-T1"):
        assert said in text
    for said in ("Retention", "rate", "customers", "Month", "share"):
        assert said not in text


def test_without_a_full_month_there_is_no_section() -> None:
    page = render(report())
    assert 'id="retention"' not in page
    assert 'href="#retention"' not in page


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_browser_shows_the_section_whole(
    language: Language, size: tuple[int, int], browser: Browser, tmp_path: Path
) -> None:
    place = tmp_path / "report.html"
    place.write_text(render(with_retention(language)), encoding="utf-8")
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    try:
        page.goto(place.as_uri())
        boxes = [page.locator(f"#{name} > svg").bounding_box() for name in CHARTS]
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        table = page.locator("#retention-figures").bounding_box()
    finally:
        page.close()
    for box in (*boxes, table):
        assert box is not None
        assert box["width"] > 250
        assert box["x"] + box["width"] <= size[0]
