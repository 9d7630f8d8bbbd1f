"""A page for each customer: what it is told, and what a browser makes of it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.foundation.wording.numbers import THIN
from pipelines.foundation.wording.words import Words
from pipelines.report import customer_pages
from pipelines.report.customer_pages import document
from pipelines.report.listing import listed
from pipelines.report.page import render
from tests.pipelines.report.page_case import CALL, opened, violations, with_facts
from tests.pipelines.report.test_page import LAPTOP, PHONE, report

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

NASTY = "</script><b>&\u2028\u202e%41#/é {first}"


@pytest.fixture(scope="module")
def html() -> str:
    return render(with_facts())


def test_everything_is_in_the_order_of_the_list() -> None:
    data = with_facts()
    rows = listed(data)
    told = document(data, rows, Words("en"))
    json.dumps(told, allow_nan=False)
    assert [day for _, day in told["days"]] == ["1\xa0Feb\xa026", "1\xa0Mar\xa026", "1\xa0Apr\xa026"]
    for place, row in enumerate(rows.to_dict("records")):
        assert told["past"][2][place] == round(1000 * row["churn_probability"])
        assert (told["past"][1][place] == -1) == (int(row["customer_id"][2:]) % 4 == 3)
    assert told["parts"][0][:3] == [125, -50, 0]
    assert told["average"] == 40
    (orders,) = told["tables"]
    assert orders["per"] == [2] * len(rows)
    assert orders["week"][:4] == [4, 20, 4, 20]
    assert orders["events"][:4] == [3, 1, 3, 1]
    assert told["weeks"][0] == "25\xa0Mar\xa026"


def test_nobody_held_out_or_opted_out_is_in_it() -> None:
    data = replace(with_facts(), opted_out=frozenset({"C-00009"}))
    page = render(data)
    assert not any(name in page for name in ("C-00000", "C-00001", "C-00009"))
    assert len(document(data, listed(data), Words("en"))["past"][0]) == 227


def test_of_many_the_first_are_kept_and_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(customer_pages, "DETAILED", 5)
    monkeypatch.setattr(customer_pages, "EXPLAINED", 3)
    data = with_facts()
    told = document(data, listed(data), Words("en"))
    assert told["kept"] == 5
    assert [len(told["past"][0]), len(told["parts"]), len(told["tables"][0]["per"])] == [5, 3, 5]
    assert "the first 3 customers" in told["words"]["not_explained"]


def test_a_link_of_the_list_opens_the_page_and_back_leads_to_the_link(
    html: str, browser: Browser, tmp_path: Path
) -> None:
    with opened(browser, html, tmp_path) as page:
        link = page.locator("#most-at-risk tbody a").nth(2)
        name = link.inner_text()
        link.focus()
        page.keyboard.press("Enter")
        page.locator("#customer h2", has_text=name).wait_for()
        assert page.evaluate("document.activeElement.textContent") == name
        assert page.title().startswith(name)
        assert page.locator("#summary").is_hidden()
        page.get_by_role("link", name="Back to the list").press("Enter")
        page.locator("#most-at-risk").wait_for()
        assert page.locator("#customer").is_hidden()
        assert page.evaluate("document.activeElement.textContent") == name
        assert not page.title().startswith(name)


def test_the_page_says_what_is_known(html: str, browser: Browser, tmp_path: Path) -> None:
    row = listed(with_facts()).set_index("customer_id").loc["C-00014"]
    share = f"{row['churn_probability']:.1%}"
    with opened(browser, html, tmp_path, anchor="#customer=C-00014") as page:
        text = page.locator("#customer").inner_text()
        for said in (
            f"Probability of leaving {share}",
            *CALL,
            str(row["reason_1"]),
            f"1\xa0Apr\xa026\t{share}",
            "+1.25",
        ):
            assert said in text, said
        bars = page.locator("#customer .waterfall tbody tr").all_inner_texts()
        assert [re.split(r"\s*\t\s*", bar) for bar in bars[:3]] == [
            ["Average customer", "0.40"],
            ["buying rhythm", "+1.25"],
            ["value of orders", "\u22120.50"],
        ]
        assert [bar.split("\t")[0] for bar in bars[-2:]] == ["All others", "This customer"]
        assert bars[-1].endswith("1.60")
        assert page.locator("#customer .point title").all_text_contents()[-1] == f"1\xa0Apr\xa026: {share}"
        assert page.locator("#customer .weeks title").all_text_contents() == [
            "Week from 25\xa0Feb\xa026: 3",
            "Week from 5\xa0Nov\xa025: 1",
        ]


def test_what_was_not_kept_is_said(monkeypatch: pytest.MonkeyPatch, browser: Browser, tmp_path: Path) -> None:
    monkeypatch.setattr(customer_pages, "DETAILED", 1)
    monkeypatch.setattr(customer_pages, "EXPLAINED", 1)
    data = with_facts(customers=10)
    last = listed(data)["customer_id"].iloc[-1]
    with opened(browser, render(data), tmp_path, anchor=f"#customer={last}") as page:
        text = page.locator("#customer").inner_text()
        assert "are kept for the first 1 customers" in text
        assert "This is kept for the first 1 customers" in text


@pytest.mark.parametrize("anchor", ["#customer=C-00000", "#customer=%", "#customer="])
def test_whoever_is_not_listed_has_no_page(anchor: str, html: str, browser: Browser, tmp_path: Path) -> None:
    with opened(browser, html, tmp_path, anchor=anchor) as page:
        assert "Nobody in the list" in page.locator("#customer").inner_text()


def test_without_facts_the_page_says_what_the_list_does(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, render(report(customers=5)), tmp_path, anchor="#customer=C-00003") as page:
        assert "Probability of leaving" in page.locator("#customer").inner_text()


def test_what_a_source_holds_is_shown_and_not_run(browser: Browser, tmp_path: Path) -> None:
    data = report(customers=1)
    nasty = replace(data, scores=data.scores.assign(customer_id=NASTY, reason_1=NASTY))
    facts = with_facts(customers=1).customers
    assert facts is not None
    facts = replace(facts, parts=facts.parts.set_axis([NASTY]).rename(columns={"buying rhythm": NASTY}))
    with opened(browser, render(replace(nasty, customers=facts)), tmp_path) as page:
        page.locator("#most-at-risk tbody a").click()
        page.locator("#customer h2").wait_for()
        assert page.locator("#customer h2").text_content() == NASTY
        assert page.locator("#customer .told li").text_content() == NASTY
        assert page.locator("#customer .waterfall th", has_text="</script><b>&").count() == 1
        assert page.locator("#customer .what b, #customer .told b").count() == 0


def test_french_pages_are_french(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, render(with_facts("fr")), tmp_path, anchor="#customer=C-00014") as page:
        text = page.locator("#customer").inner_text()
        for said in ("Retour à la liste", "Que faire", "Le risque dans le temps", "Client moyen", "+1,25", f"{THIN}%"):
            assert said in text, said
        for said in ("Back", "risk", "Week", "Average", "customer"):
            assert said not in text


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(
    html: str, size: tuple[int, int], scheme: Any, browser: Browser, tmp_path: Path
) -> None:
    with opened(browser, html, tmp_path, size=size, anchor="#customer=C-00014", color_scheme=scheme) as page:
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
