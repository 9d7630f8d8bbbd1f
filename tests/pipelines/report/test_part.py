from __future__ import annotations

import re
from dataclasses import replace

import pytest

from pipelines.report import page
from pipelines.report.page import PARTS, render
from pipelines.report.part import Part
from tests.pipelines.report.test_page import report


def sections(html: str) -> tuple[list[str], list[str]]:
    """Names in the contents, and ids of the sections, in the order of the page."""
    return re.findall(r'<a href="#([a-z]+)">', html), re.findall(r'<section id="([a-z]+)">', html)


def test_the_contents_list_what_is_on_the_page_in_its_order() -> None:
    contents, found = sections(render(report()))
    assert contents == found == ["summary", "today", "quality", "time", "customers", "definitions"]
    assert [part.name for part in PARTS if part.name in found] == found


def test_a_part_is_one_line_and_stands_where_the_line_does(monkeypatch: pytest.MonkeyPatch) -> None:
    again = replace(next(part for part in PARTS if part.name == "definitions"), name="retention")
    monkeypatch.setattr(page, "PARTS", (again, *PARTS))
    assert sections(render(report()))[0][:2] == ["retention", "summary"]


def test_a_part_with_nothing_to_tell_is_left_out_of_the_page_and_its_contents(monkeypatch: pytest.MonkeyPatch) -> None:
    first, *others = PARTS
    silent = Part(name=first.name, render=lambda *_: None, template=first.template)
    monkeypatch.setattr(page, "PARTS", (silent, *others))
    assert sections(render(report())) == (["today", "quality", "time", "customers", "definitions"],) * 2


def test_what_a_part_tells_its_template_is_escaped() -> None:
    html = render(replace(report(), data_as_of=None, cohort_words="<b>bold</b>"))
    assert "<b>bold</b>" not in html
    assert "&lt;b&gt;bold&lt;/b&gt;" in html
