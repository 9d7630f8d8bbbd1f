"""The same command with the same inputs: the same files and rows, byte for byte, wherever and whenever it runs."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

from tests.faults.processes import finished
from tests.faults.state import Rows, state
from tests.faults.world import NOW, Stage


def test_a_command_that_has_run_changes_nothing_when_it_runs_again(prepared: list[Stage], tmp_path: Path) -> None:
    for stage in prepared:
        if stage.command != ["rollback"]:  # asked for twice, it goes back twice
            again = Path(shutil.copytree(stage.done, tmp_path / f"{stage.eve.name}"))
            ended = finished([*stage.command, "--project", str(again)], tmp_path / "log", now=NOW + timedelta(hours=3))
            assert ended.code == 0, ended.said
            assert state(again) == stage.after, stage.command


def test_the_whole_run_gives_the_same_bytes_in_another_folder(prepared: list[Stage], tmp_path: Path) -> None:
    eve, found = prepared[0].eve, list[Rows]()
    for name in ("here", "there and elsewhere"):
        shop = Path(shutil.copytree(eve, tmp_path / name / "shop"))
        ended = finished(["run", "--project", str(shop)], tmp_path / "log", now=NOW)
        assert ended.code == 0, ended.said
        found.append(state(shop))
    assert found[0] == found[1]
