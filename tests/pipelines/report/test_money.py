"""The report's section on money, in both languages: rankings, forecast, outcomes, segments, who has given notice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from models.economics import Play
from pipelines.foundation.wording.numbers import Language
from pipelines.foundation.wording.words import Words
from pipelines.prediction.charts import money as charts_of_money
from pipelines.report.data import Modelled, Money, ReportData
from pipelines.report.page import render
from tests.pipelines.report.test_page import LAPTOP, PHONE, Page, report

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

FIGURES = {"roc_auc": 0.81, "log_loss": 0.2, "calibration_slope": 0.97, "positives": 90}
FOLD: dict[str, Any] = {
    "rows": 1_000,
    "model": FIGURES,
    "baselines": {"logistic_regression": FIGURES | {"roc_auc": 0.79}},
    "empc": {"profit": 3.25, "share": 0.2},
}
SEGMENT = {
    "column": "value_tier", "segment": "<C>", "rows": 199, "calibration": 2.56, "lift": 0.3, "worse": ["calibration"],
}  # fmt: skip
OUTLOOK: dict[str, Any] = {
    "next": {
        "customers_lost": {"expected": 23.0, "low": 14.0, "high": 32.0},
        "nrr": {"expected": 1.02, "low": 0.97, "high": 1.06},
    },
    "past": [{}, {}, {}],
    "coverage": {"customers_lost": 2 / 3, "nrr": 1.0},
}


def with_money(language: Language = "en", *, announced: int = 4, **changes: Any) -> ReportData:
    plain = report(language)
    value = np.where(np.arange(len(plain.predictions)) % 10 == 0, 900.0, 90.0)
    found = Money(
        play=Play(contact_cost=1.0, offer_cost=10.0, success_rate=0.3),
        kept=4.0,
        outlook=OUTLOOK,
        modelled=[
            Modelled(kind="churn", newest=FOLD, worse=[], leading=["usage", "support"]),
            Modelled(kind="expansion", newest=None, worse=[SEGMENT], leading=[]),
        ],
        announced_customers=announced,
        announced_mrr=312.5,
    )
    return replace(plain, predictions=plain.predictions.assign(value=value), money=replace(found, **changes))


def section(page: str) -> str:
    return page[page.index('<section id="money">') : page.index('<section id="quality">')]


def test_the_section_says_what_is_at_stake() -> None:
    whole = render(with_money())
    page = Page(section(whole))
    assert page.figures() == ["chart-reached", "chart-profit"]
    for said in (
        "Customers lost 23 14 to 32 2 of 3 intervals held what came",
        "Net revenue retention of those at risk 102.0% 97.0% to 106.0% 3 of 3 intervals held what came",
        "left 9.0% 0.810 0.790 0.2000 0.2000 0.97 usage, support",
        "stayed, pays more not tested yet",
        "Value tier: <C> 199 2.56 30.0% calibration",
        "the expected maximum profit is 3.25 EUR a customer, reached by contacting 20.0% of them",
        "4 customers have already given notice; 312.50 EUR of recurring revenue a month leave with them.",
    ):
        assert said in page.text, said
    assert "<C>" not in section(whole)  # escaped, as every value
    assert 'href="#money"' in whole


def test_one_announced_customer_is_one() -> None:
    assert "one customer has already given notice" in Page(section(render(with_money(announced=1)))).text


def test_the_french_page_says_it_in_french() -> None:
    text = Page(section(render(with_money("fr")))).text
    for said in (
        "Clients perdus",
        "départ",
        "d'abord par valeur à risque",
        "4 clients ont déjà résilié",
        "utilisation",
    ):
        assert said in text.replace("\u2019", "'"), said


def test_without_money_the_section_is_left_out() -> None:
    assert 'id="money"' not in render(report())


def test_where_nothing_is_known_of_value_no_chart_is_drawn() -> None:
    plain = with_money()
    unknown = replace(plain, predictions=plain.predictions.assign(value=np.nan))
    assert Page(section(render(unknown))).figures() == []


def test_the_caption_tells_what_each_ranking_reaches() -> None:
    found = with_money()
    chart = charts_of_money.reached(found.predictions, Words("en"))
    lost = charts_of_money.lost(found.predictions)
    tenth = len(lost) // 10
    for order in charts_of_money.rankings(found.predictions).values():
        reached = lost[np.argsort(-order, kind="stable")[:tenth]].sum() / lost.sum()
        assert f"{reached:.1%}" in chart.caption


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_nothing_is_wider_than_the_screen(browser: Browser, tmp_path: Path, size: tuple[int, int]) -> None:
    place = tmp_path / "report.html"
    place.write_text(render(with_money()), encoding="utf-8")
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.goto(place.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.close()
