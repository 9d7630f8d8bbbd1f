"""Two runs at once: one works, the other says so and ends, and the workspace is that of one run."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

from pipelines.commands.frame import MISTAKE
from tests.faults.processes import Process
from tests.faults.state import state
from tests.faults.world import NOW, Stage, copy

QUICK = ("ingest", "promotion", "scoring", "delivery", "snapshots", "erasing", "expiring")


def test_of_two_runs_at_once_one_wins_and_the_other_ends_in_words(
    prepared: list[Stage], races: int, tmp_path: Path
) -> None:
    stages = itertools.cycle(stage for stage in prepared if stage.name in QUICK)
    for _, stage in zip(range(races), stages, strict=False):
        race(stage, tmp_path)


def test_of_two_trainings_at_once_one_wins_and_the_other_ends_in_words(prepared: list[Stage], tmp_path: Path) -> None:
    for stage in (stage for stage in prepared if stage.name == "training"):
        race(stage, tmp_path)


def race(stage: Stage, folder: Path) -> None:
    """Start the same command twice at one moment."""
    command = copy(stage, folder / "raced")
    start, go = os.pipe()

    def wait(start: int = start, go: int = go) -> None:
        os.close(go)
        os.read(start, 1)  # returns once nobody holds the other end

    both = [Process(command, folder / f"log-{number}", now=NOW, before=wait) for number in (1, 2)]
    os.close(start)
    os.close(go)
    won, lost = sorted((process.ended() for process in both), key=lambda ended: ended.code)
    assert (won.code, lost.code) == (0, MISTAKE), f"{stage.command}: {won}, {lost}"
    assert "another attrition run (process " in lost.said
    assert "Traceback" not in lost.said
    assert state(folder / "raced") == stage.after, stage.command
