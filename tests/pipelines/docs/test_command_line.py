from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pipelines.docs.command_line import PAGE, commands, paragraphs, render

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
    "mlflow",
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
    prose, examples, document = paragraphs(commands()[name])
    assert prose
    assert prose[0].endswith(".")
    assert examples
    assert all(example.startswith(f"attrition {name}") for example in examples)
    assert document is not None
    assert document.startswith("{")


@pytest.mark.parametrize("name", NAMES)
def test_every_argument_and_option_says_what_it_means(name: str) -> None:
    assert [parameter.name for parameter in commands()[name].params if not parameter.help] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_command_stands_in_the_documentation(name: str) -> None:
    assert f"\n## attrition {name}\n" in PAGE.place.read_text(encoding="utf-8")


def test_the_documentation_is_in_step_with_the_commands() -> None:
    assert PAGE.compare(PAGE.place.read_text(encoding="utf-8")) == [], PAGE.remedy


def test_the_page_does_not_depend_on_the_terminal() -> None:
    page = subprocess.run(
        [sys.executable, "-c", "from pipelines.docs.command_line import render; print(render(), end='')"],
        env={**os.environ, "COLUMNS": "40", "FORCE_COLOR": "1", "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert page == render()
    assert "\x1b" not in page
