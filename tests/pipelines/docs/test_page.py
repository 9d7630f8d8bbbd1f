from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.docs import page as docs_page
from pipelines.docs.page import DocsPage

PAGE = DocsPage("animals.md", "the animals", "pipelines.animals", lambda: "# Animals\ncat\ndog\n")


def test_a_page_that_differs_is_shown_with_what_differs() -> None:
    differences = PAGE.compare("# Animals\ncat\ncow\n")
    assert "-cow" in differences
    assert "+dog" in differences
    assert PAGE.compare("# Animals\ncat\ndog\n") == []


def test_a_missing_page_is_out_of_step() -> None:
    assert PAGE.compare(None)


def test_check_fails_with_the_remedy_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "animals.md"
    old.write_text("# Animals\n")
    monkeypatch.setattr(docs_page, "DOCS", tmp_path)
    assert PAGE.main(["--check"]) == 1
    assert "write it anew with `python -m pipelines.animals`" in capsys.readouterr().err
    assert old.read_text() == "# Animals\n"
    assert PAGE.main([]) == 0
    assert PAGE.main(["--check"]) == 0


def test_an_unknown_argument_is_refused() -> None:
    assert PAGE.main(["--chek"]) == 2
