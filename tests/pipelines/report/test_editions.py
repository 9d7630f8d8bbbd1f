"""The page in two languages: the same figures in other words, changed by a button, and one language at a time."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipelines.operations.plays.recommend import plan_of
from pipelines.report.editions import Edition, play_texts, worded
from pipelines.report.page import render
from tests.pipelines.operations.plays.recommend_case import play, workspace
from tests.pipelines.report.page_case import CALL, opened, violations, with_facts
from tests.pipelines.report.test_page import LAPTOP, PHONE

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from pipelines.foundation.wording.numbers import Language
    from pipelines.report.data import ReportData

APPEL = ("Appeler", "Demander ce qui manque.")


def edition(language: Language, data: ReportData) -> Edition:
    calls = CALL if language == "en" else APPEL
    return Edition(
        language=language,
        cohort="customers who ever ordered" if language == "en" else "clients ayant déjà commandé",
        verdict=data.verdict,
        labels=dict(zip(data.importance["code"], data.importance["label"], strict=True)),
        plays={"call": calls, "mail": ("Write", "Say hello.") if language == "en" else ("Écrire", "Saluer.")},
        terms=[],
        reasons=data.scores[["reason_1", "reason_2", "reason_3"]],
    )


@pytest.fixture(scope="module")
def both() -> tuple[ReportData, ReportData]:
    english, french = (edition(language, with_facts(language)) for language in ("en", "fr"))
    plain = with_facts()
    assert plain.customers is not None
    by_code = plain.customers.parts.rename(columns={"buying rhythm": "buying_rhythm"})
    plain = replace(plain, customers=replace(plain.customers, parts=by_code))
    return worded(plain, english, french), worded(plain, french, english)


@pytest.fixture(scope="module")
def html(both: tuple[ReportData, ReportData]) -> str:
    return render(*both)


def test_what_is_the_same_in_both_stands_there_once(html: str, both: tuple[ReportData, ReportData]) -> None:
    ids = both[0].scores["customer_id"]
    shared = html.partition('id="list-data">')[2].partition("</script>")[0]
    assert sum(f'"{name}"' in shared for name in ids) == len(ids) - 2  # but who is held out
    assert html.count(f'"{ids.iloc[60]}"') == 1
    for one in both:
        assert len(render(one)) < len(html) < 2 * len(render(one))


def test_without_another_language_there_is_nothing_to_change(both: tuple[ReportData, ReportData]) -> None:
    alone = render(both[0])
    assert "<template" not in alone
    assert 'id="other-language"' not in alone


def test_without_its_script_the_page_stays_in_its_language(html: str, browser: Browser, tmp_path: Path) -> None:
    with opened(browser, html, tmp_path, java_script_enabled=False) as page:
        assert page.locator("#other-language").is_hidden()
        assert "Clients" not in page.locator("body").inner_text()


def text(page: Page) -> str:
    """All that is to be read, but the button itself."""
    page.add_style_tag(content=".other-language { display: none }")
    found = page.locator("body").inner_text()
    page.evaluate("document.head.lastElementChild.remove()")
    return found


@pytest.mark.parametrize("first", [0, 1])
def test_a_button_changes_every_word_and_no_figure(
    first: int, both: tuple[ReportData, ReportData], browser: Browser, tmp_path: Path
) -> None:
    mine, other = both[first], both[1 - first]
    alone, cells = [], []
    for each in (mine, other):
        with opened(browser, render(each), tmp_path) as page:
            alone.append(text(page))
            cells.append([figures(cell) for cell in page.locator("td").all_inner_texts()])
    assert cells[0] == cells[1]
    with opened(browser, render(mine, other), tmp_path) as page:
        button = page.locator("#other-language")
        assert button.inner_text() == ("Français", "English")[first]
        assert button.get_attribute("lang") == other.language
        assert text(page) == alone[0]
        button.click()
        assert page.locator("html").get_attribute("lang") == other.language
        page.keyboard.press("Enter")  # the button keeps the focus
        assert page.locator("html").get_attribute("lang") == mine.language
        assert text(page) == alone[0]
        button.click()
        assert text(page) == alone[1]
        assert page.title() == {"en": "shop: customers at risk", "fr": "shop\xa0: clients à risque"}[other.language]


def figures(found: str) -> list[str]:
    """The numbers of a text, whichever marks and spaces its language writes them with."""
    return re.findall(r"\d+", re.sub(r"(?<=\d)[.,\u202f\xa0](?=\d)", "", found))


def test_search_and_filter_stay_as_they_were(html: str, browser: Browser, tmp_path: Path) -> None:
    with opened(browser, html, tmp_path) as page:
        page.locator("#list-search").fill("C-0001")
        page.locator('[data-filter="band"]').select_option("2")
        page.wait_for_function("document.querySelectorAll('#most-at-risk tbody tr').length < 10")
        english = page.locator("#most-at-risk tbody th").all_text_contents()
        page.locator("#other-language").click()
        assert page.locator("#most-at-risk tbody th").all_text_contents() == english
        assert page.locator("#list-search").input_value() == "C-0001"
        page.locator("#most-at-risk thead button").nth(1).click()  # each is pressed once, not twice
        assert page.locator('[aria-sort="ascending"]').count() == 1


def test_a_customers_page_is_read_in_the_other_language_and_back(html: str, browser: Browser, tmp_path: Path) -> None:
    with opened(browser, html, tmp_path) as page:
        page.locator("#most-at-risk tbody a").nth(2).click()
        heading = page.locator("#customer h2").inner_text()
        page.locator("#other-language").click()
        assert page.locator("#customer h2").inner_text() == heading
        told = page.locator("#customer").inner_text()
        assert "rythme d\u2019achat" in told or "rythme d'achat" in told
        assert "buying rhythm" not in told
        page.go_back()
        page.locator("#most-at-risk").wait_for()
        assert "Clients" in page.locator("h1").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_axe_finds_nothing_after_the_change(
    scheme: str, size: tuple[int, int], html: str, browser: Browser, tmp_path: Path
) -> None:
    with opened(browser, html, tmp_path, size=size, color_scheme=scheme) as page:
        page.locator("#other-language").click()
        assert violations(page) == []


def test_where_nobody_may_be_named_there_is_no_list_and_no_error(
    both: tuple[ReportData, ReportData], browser: Browser, tmp_path: Path
) -> None:
    everybody = frozenset(both[0].scores["customer_id"])
    english, french = (replace(each, opted_out=everybody) for each in both)
    with opened(browser, render(english, french), tmp_path) as page:  # which fails where the console says anything
        assert page.locator("#most-at-risk").count() == 0


def test_plays_are_called_what_their_file_calls_them_in_each_language(tmp_path: Path) -> None:
    plan = plan_of(workspace(tmp_path, play("call"), play("message")))
    assert play_texts(plan, "en") == {"call": ("Call", "Do it."), "message": ("Message", "Do it.")}
    assert play_texts(plan, "fr") == {"call": ("Le call", "Faire."), "message": ("Le message", "Faire.")}
