"""The list of customers in a browser: searched, filtered, sorted and turned by keys, and told to who does not see."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.foundation.wording.numbers import Language
from pipelines.report.listing import listed
from pipelines.report.page import render
from tests.pipelines.report.page_case import opened, violations, with_facts
from tests.pipelines.report.test_page import LAPTOP, PHONE, report

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

NASTY = ["</script><b>", "<!--", "<script>", "a\"'`&amp;", "\u2028line", "\u202eright-to-left", "{first}", "é", "E"]


@pytest.fixture(scope="module")
def html() -> str:
    return render(with_facts())


def rows(page: Page) -> list[str]:
    found: list[str] = page.evaluate("[...document.querySelectorAll('#most-at-risk tbody tr')].map(r => r.innerText)")
    return found


def ids(page: Page) -> list[str]:
    return page.locator("#most-at-risk tbody th").all_text_contents()


def counted(page: Page, text: str) -> None:
    """Wait until the live region says it; an error where it never does."""
    page.locator("#list-count", has_text=text).wait_for(timeout=5_000)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_script_draws_what_stands_there_without_it(language: Language, browser: Browser, tmp_path: Path) -> None:
    text = render(with_facts(language))
    with opened(browser, text, tmp_path, java_script_enabled=False) as page:
        plain = rows(page)
        assert page.locator("#list-tools").is_hidden()
        assert page.locator("#list-static").is_visible()
    with opened(browser, text, tmp_path) as page:
        assert rows(page) == plain
        assert len(plain) == 50
        assert page.locator("#list-tools").is_visible()
        assert page.locator("#list-static").count() == 0


def test_a_search_finds_ids_and_reasons_whatever_the_case_and_accents(
    html: str, browser: Browser, tmp_path: Path
) -> None:
    with opened(browser, html, tmp_path) as page:
        page.get_by_label("Search customer or reason").press_sequentially("c-00200")
        counted(page, "Shown: 1 to 1 of 1 (listed in all: 228)")
        assert ids(page) == ["C-00200"]
        page.get_by_label("Search customer or reason").fill("NO ORDER FOR 17 days")
        counted(page, "1 to 3 of 3 ")
        assert set(ids(page)) == {"C-00015", "C-00105", "C-00195"}
        page.get_by_label("Search customer or reason").fill("nobody is called this")
        counted(page, "No customer in the list fits.")
        assert ids(page) == []


def test_filters_hold_together_and_turn_pages_by_keys(html: str, browser: Browser, tmp_path: Path) -> None:
    wanted = listed(with_facts())
    high = wanted[wanted["risk_band"] == "high"]["customer_id"].tolist()
    with opened(browser, html, tmp_path) as page:
        page.get_by_label("Search customer or reason").focus()
        page.keyboard.press("Tab")
        page.keyboard.press("h")  # of the choices, "High"
        counted(page, f"1 to 50 of {len(high)} ")
        assert ids(page) == high[:50]
        after = page.get_by_role("button", name="Next")
        after.focus()
        page.keyboard.press("Enter")
        counted(page, "Shown: 51 to ")
        assert ids(page) == high[50:100]
        assert page.evaluate("document.activeElement.id") == "list-after"
        page.get_by_label("Country").select_option("France")
        both = [name for name in high if int(name[2:]) % 3 == 0]
        counted(page, f"1 to {len(both)} of {len(both)} ")
        assert ids(page) == both
        page.locator("[data-filter=play]").select_option("none recommended")
        assert ids(page) == [name for name in both if int(name[2:]) % 7]


@pytest.mark.parametrize(
    ("head", "key"), [("Value at risk (EUR)", "value_at_risk"), ("Probability of leaving", "churn_probability")]
)
def test_a_head_sorts_by_its_column_and_back(head: str, key: str, html: str, browser: Browser, tmp_path: Path) -> None:
    known = listed(with_facts()).round({"churn_probability": 3})  # of equal figures, priority decides
    down = known.sort_values(key, ascending=False, kind="stable")["customer_id"].tolist()
    with opened(browser, html, tmp_path) as page:
        assert page.locator("[aria-sort=ascending]").inner_text().startswith("No.")
        page.get_by_role("button", name=head).press("Enter")
        assert page.locator("[aria-sort=descending]").inner_text().startswith(head)
        assert page.locator("[aria-sort=ascending]").count() == 0
        assert ids(page)[:5] == down[:5]
        page.get_by_role("button", name=head).press("Enter")
        least = known[known[key] == known[key].min()]["customer_id"].tolist()
        assert ids(page)[: len(least)] == least


def test_every_column_sorts(html: str, browser: Browser, tmp_path: Path) -> None:
    with opened(browser, html, tmp_path) as page:
        for place, said in {1: "C-00002", 5: "rising", 6: "Call in person", 7: "no order for 2 days"}.items():
            head = page.locator("#most-at-risk thead button").nth(place)
            head.click()
            assert said in rows(page)[0], said
            if place > 1:
                head.click()
                assert said not in rows(page)[0]


def test_what_nothing_is_known_of_comes_last_however_sorted(html: str, browser: Browser, tmp_path: Path) -> None:
    with opened(browser, html, tmp_path) as page:
        head = page.get_by_role("button", name="Play")
        for _ in range(2):
            head.click()
            assert "\u2013" not in page.locator("#most-at-risk tbody td.play").first.inner_text()


def test_what_a_source_holds_is_shown_and_not_run(browser: Browser, tmp_path: Path) -> None:
    data = report(customers=len(NASTY))
    texts = {"customer_id": NASTY, "reason_1": [f"{each} in a reason" for each in NASTY]}
    with opened(browser, render(replace(data, scores=data.scores.assign(**texts))), tmp_path) as page:
        assert sorted(ids(page)) == sorted(NASTY)
        assert page.locator("#most-at-risk b").count() == 0
        for each in NASTY:
            page.get_by_label("Search customer or reason").fill(each)
            page.locator("#most-at-risk tbody th", has_text=each).first.wait_for()
        page.get_by_label("Search customer or reason").fill("nobody")
        counted(page, "No customer in the list fits.")
        page.get_by_label("Search customer or reason").fill("É")
        counted(page, "1 to 9 of 9")  # every reason has an e


@pytest.mark.parametrize("size", [LAPTOP, PHONE, (800, 900)], ids=["laptop", "phone", "tablet"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(html: str, size: tuple[int, int], scheme: Any, browser: Browser, tmp_path: Path) -> None:
    with opened(browser, html, tmp_path, size=size, color_scheme=scheme) as page:
        assert violations(page) == []


@pytest.mark.parametrize("language", ["en", "fr"])
def test_no_width_makes_the_list_wider_than_the_screen(language: Language, browser: Browser, tmp_path: Path) -> None:
    data = with_facts(language)
    mails = data.scores.assign(customer_id=[f"{name}@mail.example.com" for name in data.scores["customer_id"]])
    with opened(browser, render(replace(data, scores=mails)), tmp_path) as page:
        for width in (320, 375, 540, 720, 1000, 1024, 1030, 1200, 1920):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_what_is_printed_is_what_is_shown(html: str, browser: Browser, tmp_path: Path) -> None:
    with opened(browser, html, tmp_path) as page:
        page.get_by_label("Search customer or reason").fill("C-0020")
        counted(page, "of 10 ")
        page.emulate_media(media="print")
        assert len(ids(page)) == 10
        assert page.locator("#list-count").is_visible()
        assert page.locator("#list-tools").is_hidden()
        assert page.locator("#list-pages").is_hidden()


def test_a_hundred_thousand_customers_are_usable_in_two_seconds(browser: Browser, tmp_path: Path) -> None:
    text = render(with_facts(customers=100_000))
    assert len(text.encode()) < 6_000_000
    with opened(browser, text, tmp_path) as page:
        counted(page, "1 to 50 of 99,998")
        assert page.evaluate("performance.timing.domContentLoadedEventEnd - performance.timing.navigationStart") < 2_000
        page.get_by_label("Search customer or reason").fill("C-99999")
        counted(page, "1 to 1 of 1 ")
