"""Notebooks run for the site: with outputs, with a word on the data, and without a path of this machine."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from pipelines.docs.notebooks import main, run
from pipelines.docs.site import NOTEBOOKS, stage

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def test_a_notebook_is_run_and_taken_by_the_site(finished_workspace: Path, tmp_path: Path) -> None:
    mine, executed = tmp_path / "notebooks", tmp_path / "executed"
    mine.mkdir()
    (mine / "first_look.ipynb").write_bytes((NOTEBOOKS / "first_look.ipynb").read_bytes())
    assert run(finished_workspace, notebooks=mine, executed=executed) == 1
    ran = nbformat.read(executed / "first_look.ipynb", as_version=4)
    assert ran.metadata["ran_on"] == "the workspace shop."
    assert any(cell.get("outputs") for cell in ran.cells)
    stage(tmp_path / "source", notebooks=mine, executed=executed)
    shown = (tmp_path / "source" / "notebooks" / "first_look.ipynb").read_text(encoding="utf-8")
    assert "Ran on:** the workspace shop." in shown
    assert not any(cell.get("outputs") for cell in nbformat.read(mine / "first_look.ipynb", as_version=4).cells)


def test_what_it_does_not_know_ends_with_how_it_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "WORKSPACE" in capsys.readouterr().err
