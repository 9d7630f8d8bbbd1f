from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines import cli_docs
from pipelines.cli_docs import PLACE, commands, compare, paragraphs, render

NAMES = [
    "init",
    "check",
    "ingest",
    "snapshots",
    "backtest",
    "train",
    "score",
    "explain",
    "report",
    "run",
    "deliver",
    "outbox",
    "kpis",
    "impact",
    "indicators",
    "audit",
    "simulate",
    "models",
    "promote",
    "rollback",
    "monitor",
    "erase",
    "expire",
    "schedule",
    "crm setup",
    "crm check",
]


def test_every_command_of_the_walk_is_there() -> None:
    assert list(commands()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_command_says_what_it_does_shows_an_example_and_documents_its_json(name: str) -> None:
    prose, example, document = paragraphs(commands()[name])
    assert prose
    assert prose[0].endswith(".")
    assert example is not None
    assert example.startswith(f"attrition {name}")
    assert document is not None
    assert document.startswith("{")


@pytest.mark.parametrize("name", NAMES)
def test_every_argument_and_option_says_what_it_means(name: str) -> None:
    assert [parameter.name for parameter in commands()[name].params if not parameter.help] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_command_stands_in_the_documentation(name: str) -> None:
    assert f"\n## attrition {name}\n" in PLACE.read_text(encoding="utf-8")


def test_the_documentation_is_in_step_with_the_commands() -> None:
    assert compare(PLACE.read_text(encoding="utf-8")) == [], cli_docs.REMEDY


def test_a_page_that_differs_is_shown_with_what_differs() -> None:
    differences = compare(render().replace("## attrition train\n", "## attrition tram\n"))
    assert "-## attrition tram" in differences
    assert "+## attrition train" in differences


def test_a_missing_page_is_out_of_step() -> None:
    assert compare(None)


def test_check_fails_with_the_remedy_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "command-line.md"
    old.write_text("# Command line\n")
    monkeypatch.setattr(cli_docs, "PLACE", old)
    assert cli_docs.main(["--check"]) == 1
    assert cli_docs.REMEDY in capsys.readouterr().err
    assert old.read_text() == "# Command line\n"
    assert cli_docs.main([]) == 0
    assert cli_docs.main(["--check"]) == 0


def test_an_unknown_argument_is_refused() -> None:
    assert cli_docs.main(["--chek"]) == 2


def test_the_page_does_not_depend_on_the_terminal() -> None:
    page = subprocess.run(
        [sys.executable, "-c", "from pipelines.cli_docs import render; print(render(), end='')"],
        env={**os.environ, "COLUMNS": "40", "FORCE_COLOR": "1", "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert page == render()
    assert "\x1b" not in page
