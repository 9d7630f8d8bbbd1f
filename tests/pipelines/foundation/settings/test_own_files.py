"""Names of files with own indicators, and what is said of others."""

from __future__ import annotations

import pytest

from pipelines.foundation.settings.own_files import own_file, refuse_twice


def test_a_python_file_below_the_workspace_is_taken() -> None:
    assert own_file("rules/my_indicators.py") == "rules/my_indicators.py"
    assert own_file("./mine.py") == "mine.py"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("/tmp/mine.py", "leaves the workspace"),
        ("../mine.py", "leaves the workspace"),
        ("rules/*.py", "is a pattern"),
        ("mine.toml", "does not end in .py"),
        ("", "leaves the workspace"),
    ],
)
def test_other_names_are_refused_with_the_remedy(name: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        own_file(name)


def test_a_file_is_named_once() -> None:
    assert refuse_twice(("a.py", "b.py")) == ("a.py", "b.py")
    with pytest.raises(ValueError, match=r"'a\.py' is named twice"):
        refuse_twice(("a.py", "a.py"))
