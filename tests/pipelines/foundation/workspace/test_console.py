from __future__ import annotations

import pytest
from rich.table import Table

from pipelines.foundation.workspace.console import Console

WRITTEN = "[bold]C-17[/bold] [schedule] [x] :fire: [link=http://a.example]b[/link]"


def test_what_is_said_is_said_as_it_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    Console().say(WRITTEN)
    table = Table("name [of] it")
    table.add_row(WRITTEN)
    Console().rich.print(table, crop=False, width=120)
    said = capsys.readouterr().err
    assert said.count(WRITTEN) == 2
    assert "name [of] it" in said


def test_a_bar_names_what_it_does_as_it_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    with Console().stage("ingest") as step:
        step(WRITTEN)
    assert "ingest" in capsys.readouterr().err
