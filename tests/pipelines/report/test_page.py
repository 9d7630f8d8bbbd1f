from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from datetime import date
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from models.economics import ranking
from models.evaluation import metrics
from pipelines.foundation.wording.numbers import NOTHING, THIN, Language
from pipelines.report.embedded import script
from pipelines.report.page import Fold, Published, ReportData, render

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHARTS = [
    "chart-risk", "chart-indicators", "chart-contributions", "chart-gain", "chart-lift", "chart-calibration",
    "chart-roc", "chart-pr", "chart-roc-auc-over-time", "chart-log-loss-over-time",
]  # fmt: skip
LAPTOP, PHONE = (1366, 768), (375, 812)


def fold(day: date, predictions: pd.DataFrame) -> Fold:
    labels = predictions["label"].to_numpy(np.float64)
    found = {
        name: metrics(labels, predictions[name].to_numpy(np.float64)) for name in predictions.columns if name != "label"
    }
    model = found.pop("churn_probability")
    return Fold(
        snapshot_on=day,
        rows=len(predictions),
        train_rows=1_000,
        train_first=date(2025, 1, 1),
        train_last=date(2025, 9, 1),
        model=model,
        intervals={name: (value - 0.01, value + 0.01) for name, value in model.as_dict().items()},
        baselines=found,
    )


@cache
def predictions(rows: int, seed: int = 1) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    truth = random.beta(2, 1, rows)
    return pd.DataFrame(
        {
            "label": (random.random(rows) < truth).astype(np.int64),
            "churn_probability": truth,
            "logistic_regression": truth**1.3,
            "recency": np.clip(truth + random.normal(0, 0.2, rows), 0.01, 0.99),
            "bg_nbd": np.clip(truth + random.normal(0, 0.3, rows), 0.01, 0.99),
        }
    )


def report(language: Language = "en", *, customers: int = 2_000) -> ReportData:
    french = language == "fr"
    random = np.random.default_rng(2)
    risk = random.beta(2, 1, customers)
    codes = {
        "buying_rhythm": "rythme d'achat" if french else "buying rhythm",
        "order_value": "valeur des commandes" if french else "value of orders",
        "support": "contacts avec le service client" if french else "support contacts",
    }
    days = "aucune commande depuis {} jours" if french else "no order for {} days"
    at_risk = np.round(risk * random.lognormal(4, 1, customers), 2)
    return ReportData(
        name="shop",
        language=language,
        currency="EUR",
        as_of=date(2026, 4, 1),
        data_as_of=date(2026, 3, 31),
        lead_days=0,
        horizon_days=90,
        cohort_words="clients ayant déjà commandé" if french else "customers who ever ordered",
        model_version="abc123",
        model_rows=12_345,
        model_snapshots=(date(2025, 1, 1), date(2025, 9, 1)),
        model_rounds=137,
        verdict="promoted: log loss 0.41 against 0.43",
        by_contract=False,
        simulated=False,
        folds=[fold(date(2025, month, 1), predictions(1_000, month)) for month in (10, 11, 12)],
        predictions=predictions(1_000, 12),
        published=[Published(name="Pareto/NBD", roc_auc=0.7998, log_loss=0.4208, source="somebody, 2005")],
        importance=pd.DataFrame(
            {
                "code": list(codes),
                "label": list(codes.values()),
                "family": ["purchases", "purchases", "support"],
                "mean_contribution": [0.8, 0.15, 0.05],
                "share": [0.8, 0.15, 0.05],
            }
        ),
        spread=pd.DataFrame(
            {
                "code": np.repeat(list(codes), 300),
                "rank": np.where(random.random(900) < 0.1, np.nan, random.random(900)),
                "contribution": random.normal(size=900) * np.repeat([0.8, 0.2, 0.1], 300),
            }
        ),
        scores=pd.DataFrame(
            {
                "customer_id": [f"C-{place:05}" for place in range(customers)],
                "churn_probability": risk,
                "risk_band": np.select([risk >= 0.7, risk >= 0.4], ["high", "medium"], "low"),
                "value_at_risk": at_risk,
                "priority": ranking(at_risk, risk),
                "reason_1": [days.format(place % 90 + 2) for place in range(customers)],
                "reason_2": "",
                "reason_3": None,
            }
        ),
        bands=(0.4, 0.7),
    )


class Page(HTMLParser):
    """What a reader of the HTML finds: tags, ids and texts, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if data.strip() and self.tags[-1][0] not in ("style", "script"):
            self.texts.append(data.strip())

    def ids(self) -> list[str]:
        return [attributes["id"] or "" for _, attributes in self.tags if "id" in attributes]

    def figures(self) -> list[str]:
        return [attributes["id"] or "" for tag, attributes in self.tags if tag == "figure"]

    @property
    def text(self) -> str:
        return " ".join(self.texts)


@pytest.fixture(scope="module")
def english() -> str:
    return render(report())


@pytest.fixture(scope="module")
def french() -> str:
    return render(report("fr"))


def test_every_chart_is_there_with_a_label_for_those_who_do_not_see(english: str) -> None:
    page = Page(english)
    assert page.figures() == CHARTS
    for tag, attributes in page.tags:
        if tag == "figure":
            assert attributes["role"] == "img"
            assert re.search(r"\d", attributes["aria-label"] or "")
    assert len(page.ids()) == len(set(page.ids()))


def test_the_summary_counts_customers_in_words(english: str) -> None:
    data, text = report(), Page(english).text
    high, medium, low = (int((data.scores["risk_band"] == band).sum()) for band in ("high", "medium", "low"))
    assert "2,000 customers were scored as of 1\xa0April 2026 (customers who ever ordered)." in text
    assert f"{high:,} are at high risk of leaving, {medium} at medium and {low} at low risk." in text
    assert "of them not to order from 1\xa0April 2026 to 29\xa0June 2026" in text
    worst = data.predictions.nlargest(100, "churn_probability")["label"].sum()
    left = data.predictions["label"].sum()
    assert (
        f"of the 100 customers at most risk, {worst} did leave; as many picked at random would have held "
        f"{round(left / 10)}, the best possible pick 100."
    ) in text
    assert "Pareto/NBD as published 0.800 and 0.421" in text
    assert "buying rhythm (80%), value of orders (15%), support contacts (5%)" in text
    assert "Calibrated means" in text


def test_the_figures_stand_beside_baselines_and_published_ones(english: str) -> None:
    data, text = report(), Page(english).text
    model = data.folds[-1].model
    assert (
        f"Model with 95% intervals {model.roc_auc:.4f} {model.roc_auc - 0.01:.4f}{NOTHING}{model.roc_auc + 0.01:.4f}"
        in text
    )
    for name, said in {
        "recency": "Recency alone",
        "logistic_regression": "Logistic regression",
        "bg_nbd": "BG/NBD",
    }.items():
        assert f"{said} baseline {data.folds[-1].baselines[name].roc_auc:.4f}" in text
    assert f"Pareto/NBD somebody, 2005 0.7998 {NOTHING} 0.4208 {NOTHING}" in text


def test_the_first_fifty_by_priority_are_in_a_table_with_their_reasons(english: str) -> None:
    first = report().scores.sort_values("priority")
    assert not first["churn_probability"].is_monotonic_decreasing
    shares = [f"{share:.1%}" if share < 0.9995 else "over 99.9%" for share in first["churn_probability"]]
    text = Page(english).text.partition("2,000 customers by priority")[2]
    assert "The first 50 are shown" in text
    for place in range(50):
        name, band = first["customer_id"].iloc[place], first["risk_band"].iloc[place].title()
        value = first["value_at_risk"].iloc[place]
        assert f"{place + 1} {name} {value:,.0f} {shares[place]} {band}" in text
    assert f"{band} {first['reason_1'].iloc[49]}" in text
    assert first["customer_id"].iloc[50] not in text


def test_definitions_give_exact_days_and_provenance_the_model(english: str) -> None:
    text = Page(english).text
    assert "No order from 1\xa0April 2026 to 29\xa0June 2026, both days included" in text
    assert "churn_probability, from 0 to 1, here from 0% to 100%. Higher is worse." in text
    assert "12,345 rows of 2 snapshots, 1\xa0January 2025 to 1\xa0September 2025; 137 rounds of boosting" in text
    assert "Model abc123" in text
    assert "promoted: log loss 0.41 against 0.43" in text
    assert "Amounts in EUR" in text


def test_french_pages_are_french_with_french_numbers(french: str) -> None:
    page = Page(french)
    assert ("html", {"lang": "fr"}) in page.tags
    assert page.figures() == CHARTS
    assert f"2{THIN}000 clients évalués" in page.text
    assert "du 1er\xa0avril 2026 au 29\xa0juin 2026" in page.text
    assert f"(80{THIN}%)" in page.text
    for said in ("Summary", "customers", "probability of", "Model ", "None"):
        assert said not in page.text


def test_the_same_data_make_the_same_page(english: str) -> None:
    assert render(report()) == english


def test_what_a_source_holds_is_shown_not_run() -> None:
    nasty = "<script>alert('x')</script>"
    data = report(customers=5)
    scores = data.scores.assign(customer_id=[f"{nasty}{place}" for place in range(5)], reason_1=f"{nasty} & more")
    page = render(
        replace(
            data,
            name=nasty,
            scores=scores,
            verdict=nasty,
            cohort_words=nasty,
            model_version=nasty,
            currency=nasty,
            published=[Published(name=nasty, roc_auc=0.8, log_loss=0.4, source=nasty)],
            importance=data.importance.assign(label=nasty, family=nasty),
        )
    )
    assert re.findall("<script[^>]*>", page) == re.findall("<script[^>]*>", render(data))
    assert page.count("&lt;script&gt;") >= 20
    assert nasty + "0" in Page(page).texts


def test_a_page_loads_nothing_and_forbids_it(english: str) -> None:
    page = Page(english)
    assert "default-src 'none'" in english
    assert not {"img", "iframe", "object", "embed", "form"} & {tag for tag, _ in page.tags}
    digest = base64.b64encode(hashlib.sha256(script().encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in english
    assert [attributes.get("type") for tag, attributes in page.tags if tag == "script"] == ["application/json"] * 4 + [
        None
    ]
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    for tag, attributes in page.tags:
        for name in ("src", "href", "xlink:href", "srcset", "action"):
            assert (attributes.get(name) or "#").startswith(("#", "data:")), (tag, attributes)
    assert not re.search(r"@import|url\((?!#)", english)


def test_every_chart_says_its_numbers_to_who_points_at_it(english: str) -> None:
    """But one that writes them beside its bars, and one of thousands of dots."""
    drawn = re.findall(r'<figure[^>]* id="([^"]+)"(.*?)</figure>', english, re.DOTALL)
    silent = {name for name, inside in drawn if "<title>" not in inside}
    assert silent == {"chart-indicators", "chart-contributions"}
    gain = dict(drawn)["chart-gain"]
    assert re.search(r"<title>10%: Model [\d.]+%, Recency alone [\d.]+%", gain)


def test_without_a_matured_test_the_page_says_so() -> None:
    page = Page(render(replace(report(), folds=[], predictions=pd.DataFrame())))
    assert page.figures() == CHARTS[:3]
    assert "Nothing has matured yet" in page.text
    assert page.text.count("there are no figures yet") == 2
    assert "did leave" not in page.text


@pytest.mark.parametrize(
    ("label", "said"), [(1, "all 50 customers tested left"), (0, "none of the 50 customers tested left")]
)
def test_a_test_with_one_outcome_says_so_and_still_shows_calibration(label: int, said: str) -> None:
    one = predictions(50).assign(label=label)
    page = Page(render(replace(report(), folds=[fold(date(2025, 12, 1), one)], predictions=one)))
    assert page.figures() == [*CHARTS[:3], "chart-calibration"]
    assert said in page.text
    assert "curves of ranking cannot be drawn" in page.text
    assert "nothing can be drawn over time" in page.text
    assert "nan" not in page.text.lower()


def test_one_test_with_one_outcome_among_others_leaves_a_hole() -> None:
    data = report()
    hole = fold(date(2025, 11, 1), predictions(50).assign(label=1))
    page = Page(render(replace(data, folds=[data.folds[0], hole, data.folds[2]])))
    assert page.figures() == CHARTS
    assert "Over 2 dates since" in page.text


def test_predictions_that_were_not_kept_are_missed_in_words() -> None:
    page = Page(render(replace(report(), predictions=pd.DataFrame())))
    assert "The predictions of this test were not kept" in page.text
    assert page.figures() == [*CHARTS[:3], *CHARTS[-2:]]


def test_one_customer_is_not_many() -> None:
    text = Page(render(report(customers=1))).text
    assert "1 customer was scored" in text
    assert "One customer by priority" in text
    assert "1 client évalué" in Page(render(report("fr", customers=1))).text


def test_a_page_about_nobody_says_so() -> None:
    data = report()
    page = Page(render(replace(data, scores=data.scores.head(0))))
    assert "There is nobody to score as of 1\xa0April 2026" in page.text
    assert "Nobody was scored." in page.text
    assert "chart-risk" not in page.figures()


def test_missing_reasons_are_said() -> None:
    data = report(customers=3)
    empty = pd.Series(["", None, " "], dtype=object)
    without = data.scores.drop(columns=["reason_2", "reason_3"]).assign(reason_1=empty)
    text = Page(render(replace(data, scores=without))).text
    assert "No reasons were stored with these scores." in text
    assert text.count("no reason stored") == 3


def test_a_model_without_indicators_has_no_drivers() -> None:
    data = report()
    page = Page(render(replace(data, importance=data.importance.assign(share=0.0), spread=data.spread.head(0))))
    assert "The model uses no indicator" in page.text
    assert "There is no sample" in page.text
    assert "What moves the risks most" not in page.text


def test_simulated_data_are_called_so_first(english: str) -> None:
    texts = Page(render(replace(report(), simulated=True))).texts
    body = texts[texts.index("Simulated data: these customers do not exist.") :]
    assert body.index("Customers at risk of leaving") < 4
    assert "The data are simulated" in " ".join(body)
    assert "imulated" not in Page(english).text


def test_old_data_are_warned_of() -> None:
    assert "31 days before the day scored" in Page(render(replace(report(), data_as_of=date(2026, 3, 1)))).text
    assert "There are no data before" in Page(render(replace(report(), data_as_of=None))).text


def test_a_baseline_that_does_as_well_is_named() -> None:
    better = predictions(1_000).assign(recency=lambda frame: np.where(frame["label"] == 1, 0.9, 0.1))
    text = Page(render(replace(report(), folds=[fold(date(2025, 12, 1), better)], predictions=better))).text
    assert "“Recency alone” does as well or better on the newest test" in text


def test_badly_calibrated_probabilities_are_named() -> None:
    def told(power: float) -> str:
        off = predictions(5_000)
        odds = (off["churn_probability"] / (1 - off["churn_probability"])) ** power
        off = off.assign(churn_probability=odds / (1 + odds))
        return Page(render(replace(report(), folds=[fold(date(2025, 12, 1), off)], predictions=off))).text

    assert "too extreme" in told(2.0).partition("Risk today, and")[0]
    assert "too cautious" in told(0.5).partition("Risk today, and")[0]


def test_a_large_shop_makes_a_page_that_can_be_mailed() -> None:
    many = predictions(23_570)
    page = render(replace(report(customers=23_570), folds=[fold(date(2025, 12, 1), many)], predictions=many))
    assert len(page.encode()) < 1_200_000  # everybody is listed: 27 bytes each


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_browser_shows_it_whole(
    language: str, size: tuple[int, int], browser: Browser, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    place = tmp_path / "report.html"
    page_text = request.getfixturevalue({"en": "english", "fr": "french"}[language])
    place.write_text(page_text, encoding="utf-8")
    said: list[str] = []
    asked: list[str] = []
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    try:
        page.goto(place.as_uri())
        sizes = {
            figure.get_attribute("id"): figure.locator("> svg").bounding_box()
            for figure in page.locator("figure").all()
        }
        widest = page.evaluate("document.documentElement.scrollWidth")
        smallest = page.evaluate(
            "Math.min(...[...document.querySelectorAll('figure text')].map(t => t.getBoundingClientRect().height))"
        )
    finally:
        page.close()
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [place.as_uri()]
    assert list(sizes) == CHARTS
    for name, box in sizes.items():
        assert box is not None, name
        assert box["width"] > 250, name
        assert box["height"] > 100, name
    assert widest <= size[0]
    assert smallest > 8


def test_no_width_makes_the_page_wider_than_itself(browser: Browser, english: str, tmp_path: Path) -> None:
    place = tmp_path / "report.html"
    place.write_text(english, encoding="utf-8")
    page = browser.new_page()
    widest = {}
    try:
        page.goto(place.as_uri())
        for width in (320, 375, 540, 720, 900, 1030, 1920):
            page.set_viewport_size({"width": width, "height": 800})
            widest[width] = page.evaluate("document.documentElement.scrollWidth")
    finally:
        page.close()
    assert [width for width, needed in widest.items() if needed > width] == []


def test_charts_side_by_side_start_on_one_line_and_heads_stay_in_sight(
    browser: Browser, english: str, tmp_path: Path
) -> None:
    place = tmp_path / "report.html"
    place.write_text(english, encoding="utf-8")
    page = browser.new_page(viewport={"width": LAPTOP[0], "height": LAPTOP[1]}, color_scheme="dark")
    try:
        page.goto(place.as_uri())
        tops = [page.locator(f"#{name} > svg").bounding_box() for name in CHARTS[3:6]]
        page.locator("#most-at-risk tbody tr").nth(30).scroll_into_view_if_needed()
        head = page.locator("#most-at-risk thead th").first.bounding_box()
        ink = page.evaluate("getComputedStyle(document.querySelector('#chart-roc text')).fill")
        paper = page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor")
    finally:
        page.close()
    assert len({round(box["y"]) for box in tops if box is not None}) == 1
    assert head is not None
    assert 0 <= head["y"] < 20
    assert luminance(ink) - luminance(paper) > 100


def luminance(colour: str) -> float:
    return sum(float(number) for number in re.findall(r"[\d.]+", colour)[:3]) / 3


@pytest.mark.parametrize("name", ["chart-risk", "chart-roc-auc-over-time"])
def test_a_chart_says_its_numbers_where_it_is_pointed_at(
    name: str, browser: Browser, english: str, tmp_path: Path
) -> None:
    place = tmp_path / "report.html"
    place.write_text(english, encoding="utf-8")
    page = browser.new_page(viewport={"width": LAPTOP[0], "height": LAPTOP[1]})
    try:
        page.goto(place.as_uri())
        chart = page.locator(f"#{name} > svg")
        chart.scroll_into_view_if_needed()
        box = chart.bounding_box()
        assert box is not None
        said = page.evaluate(
            "([x, y]) => document.elementFromPoint(x, y).closest('g:has(> title)')?.firstChild.textContent",
            [box["x"] + box["width"] * 0.55, box["y"] + box["height"] * 0.5],
        )
    finally:
        page.close()
    wanted = {
        "chart-risk": r"5\d\.\d% to 5\d\.\d%: \d+ customers",
        "chart-roc-auc-over-time": r"1 Nov 25: Model 0\.\d{3}, ",
    }
    assert re.match(wanted[name], said.replace("\xa0", " "))
