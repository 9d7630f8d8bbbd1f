from __future__ import annotations

import pytest
from pydantic import ValidationError

from pipelines.foundation.settings.section import Day, PositiveSpan, Section, Share, inside


class Bounded(Section):
    days: PositiveSpan = 1
    share: Share = 0.0
    day: Day | None = None
    figure: float = 0.0
    name: str = ""


@pytest.mark.parametrize(
    "given",
    [
        {"days": 999_999_999_999},
        {"days": 10**30},
        {"days": -1},
        {"share": float("nan")},
        {"share": float("inf")},
        {"figure": float("nan")},
        {"figure": float("-inf")},
        {"day": "0001-01-01"},
        {"day": "9999-12-31"},
        {"name": "x" * 10_001},
    ],
)
def test_what_leaves_the_calendar_or_is_no_number_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Bounded.model_validate(given)


@pytest.mark.parametrize(
    "path", ["orders.csv", "*.csv", "**/*.csv", "a b/\u00e9.csv", "[ab]*.csv", "a/" * 28 + "b.csv"]
)
def test_a_path_below_the_workspace_is_taken(path: str) -> None:
    assert inside(path) == path


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("**abc/*.csv", "uses \\*\\* otherwise than once"),
        ("**/a/**/b.csv", "uses \\*\\* otherwise than once"),
        (".", "is the workspace itself; name a file in it"),
        ("x" * 5_000, "is too long"),
        ("\u00e9" * 200, "is too long"),
        ("a/" * 40 + "b", "is too long"),
        ("a\0b.csv", "holds a control character"),
        ("\x1b[2J.csv", "holds a control character"),
        ("", "leaves the workspace"),
    ],
)
def test_a_path_that_can_name_no_file_is_refused_with_the_remedy(path: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        inside(path)
