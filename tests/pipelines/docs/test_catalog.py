from __future__ import annotations

from features.training_set import FAMILIES
from pipelines.docs.catalog import PAGE, render


def test_the_page_is_in_step_with_the_catalog() -> None:
    assert PAGE.compare(PAGE.place.read_text(encoding="utf-8")) == [], PAGE.remedy


def test_every_indicator_is_told_with_its_words_and_what_null_means() -> None:
    rows = [line for line in render().splitlines() if line.startswith("| `")]
    indicators = [indicator for family in FAMILIES for indicator in family.indicators]
    assert len(rows) == len(indicators)
    for row, indicator in zip(rows, indicators, strict=True):
        assert row.startswith(f"| `{indicator.name}` |")
        assert row.endswith(f"| {indicator.null} |")
        assert indicator.en.replace("|", "\\|") in row


def test_what_is_personal_is_marked() -> None:
    marked = [line for line in render().splitlines() if "personal |" in line]
    personal = [each for family in FAMILIES for each in family.indicators if each.personal]
    assert personal
    assert len(marked) == len(personal)
