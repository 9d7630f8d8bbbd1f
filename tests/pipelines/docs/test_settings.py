from __future__ import annotations

import pytest
from pydantic import BaseModel

from pipelines.docs.settings import PAGE, render, sections
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.settings.sources import DatabaseSource, FileSource, QuerySource

SECTIONS = {
    name: type(value)
    for name, value in Settings.model_construct(currency="EUR", sources=()).__dict__.items()
    if isinstance(value, BaseModel)
}


def told(title: str) -> str:
    return render().split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_the_page_is_in_step_with_the_template() -> None:
    assert PAGE.compare(PAGE.place.read_text(encoding="utf-8")) == [], PAGE.remedy


def test_sections_are_found() -> None:
    assert {"cohort", "outcome", "training", "delivery", "privacy", "schedule"} <= set(SECTIONS)


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_every_setting_of_a_section_stands_with_its_meaning(name: str) -> None:
    section = told(f"`[{name}]`")
    for setting in SECTIONS[name].model_fields:
        line = next(line for line in section.splitlines() if line.startswith(f"| `{setting}` | "))
        assert len(line.split(" | ")[2].rstrip(" |")) > 8


def test_settings_at_the_top_and_of_every_kind_of_source_stand_there() -> None:
    top = set(Settings.model_fields) - set(SECTIONS) - {"fetches", "sources", "destinations", "references"}
    assert all(f"| `{setting}` | " in told("At the top") for setting in top)
    fields = {name for kind in (FileSource, QuerySource, DatabaseSource) for name in kind.model_fields}
    assert all(f"| `{name}` | " in told("`[sources]`") for name in fields - {"kind", "columns", "dialect"})


def test_what_has_no_default_is_marked_as_needed() -> None:
    assert '| `currency` | needed, as `"EUR"` |' in told("At the top")
    assert '| `url` | needed, as `"postgresql://' in told("`[sources]`")
    assert "needed" not in told("`[cohort]`")


def test_lines_of_a_settings_file_are_taken_apart() -> None:
    cohort, systems = sections(
        "# Who is at risk.\n[cohort]\n# Days; see docs/sources.md and orders-*.csv.\nactive_days = 365\n# first = 2\n"
        "\n# Systems, one block each.\n#\n#   [[systems]]\n#   kind = 1\n\n"
    )
    assert (cohort.name, cohort.comment) == ("cohort", ["# Who is at risk."])
    assert cohort.settings == [
        ("active_days", "`365`", "Days; see [sources.md](sources.md) and orders-\\*.csv."),
        ("first", "unset, or as `2`", "see above"),
    ]
    assert systems.name == "systems"
