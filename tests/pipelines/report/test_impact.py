"""The report's section on what the plays changed, in both languages, from literal documents."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipelines.foundation.wording.numbers import Language
from pipelines.report.page import render
from tests.pipelines.operations.plays.test_impact_words import document, figures
from tests.pipelines.report.test_page import Page, report


def page_of(language: Language, found: dict[str, Any] | None) -> str:
    return render(replace(report(language), impact=found))


@pytest.mark.parametrize(
    ("language", "heading", "said"),
    [
        ("en", "What the plays changed", "kept an estimated 14 customers (95%: 3 to 25)"),
        ("fr", "Ce que les actions ont changé", "14 clients gardés, selon l\u2019estimation"),
    ],
)
def test_what_plays_changed_stands_in_the_language_of_the_page(language: Language, heading: str, said: str) -> None:
    page = page_of(language, document(figures(), figures(play="<b>letter</b>", verdict="not_shown", p_value=0.4)))
    part = page[page.index('<section id="impact">') : page.index('<section id="customers">')]
    text = Page(part).text
    assert heading in text
    assert said in text
    assert "3" in text
    assert 'href="#impact"' in page
    assert "<b>letter" not in page
    assert len(Page(page).ids()) == len(set(Page(page).ids()))


@pytest.mark.parametrize("found", [None, document()])
def test_where_nobody_was_recommended_anything_there_is_no_section(found: dict[str, Any] | None) -> None:
    page = page_of("en", found)
    assert 'id="impact"' not in page
    assert 'href="#impact"' not in page
