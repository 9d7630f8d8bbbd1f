"""A disk that is full at some moment of each stage, and a ledger that another program holds."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.commands.frame import MISTAKE
from pipelines.foundation.storage.workspace_paths import LEDGER
from tests.faults.processes import Ended, Process, finished
from tests.faults.state import broken, scores, state
from tests.faults.world import NOW, Stage, champion, copy

SIZE = 64 << 20
KIB = 1 << 10
STAGES = 10  # of tests.faults.world


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file system of its own, small enough to be filled."""
    place = tmp_path_factory.mktemp("disk")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a disk that can be filled needs the right to mount one: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path, *, free: int) -> Path:
    """Leave so many bytes of a disk."""
    found = os.statvfs(disk)
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(max(0, found.f_bavail * found.f_frsize - free)))
    return ballast


def size(folder: Path) -> int:
    return sum(place.stat().st_size for place in folder.rglob("*") if place.is_file())


def test_every_stage_meets_a_full_disk(prepared: list[Stage]) -> None:
    assert len(prepared) == STAGES


@pytest.mark.may_skip("filling a disk needs the right to mount one")
@pytest.mark.parametrize("number", range(STAGES))
def test_a_full_disk_is_said_in_words_and_the_same_command_goes_on_once_there_is_room(
    prepared: list[Stage], small_disk: Path, number: int, tmp_path: Path
) -> None:
    stage, chance = prepared[number], random.Random(number)
    need, work, refused = size(stage.done) - size(stage.eve) + 400 * KIB, small_disk / "shop", 0
    for share in (0.0, chance.uniform(0, 0.5), chance.uniform(0.5, 1)):
        (small_disk / "ballast").unlink(missing_ok=True)
        command = copy(stage, work)
        ballast = fill(small_disk, free=int(need * share))
        full = finished(command, tmp_path / "log", now=NOW)
        assert full.code in (0, MISTAKE), f"{need * share:,.0f} bytes left: {full.said}"
        if full.code:
            assert "the disk is full" in full.said or "see to it that there is room" in full.said
            assert "the same command goes on from there" in full.said
            refused += 1
        ballast.unlink()
        assert broken(work) == []
        assert scores(work) in (scores(stage.eve), scores(stage.done))
        if not full.code and stage.command == ["rollback"]:  # done but for MLflow; again, it would go further back
            command = ["promote", champion(work), "--project", str(work)]
        resumed = finished(command, tmp_path / "log", now=NOW)
        assert resumed.code == 0, resumed.said
        assert state(work) == stage.after
        shutil.rmtree(work)
    assert refused, "the disk was never too small"


def held_ledger(prepared: list[Stage], folder: Path, *, seconds: float) -> Ended:
    """Scoring while another program holds the ledger for so long; here a command waits for a second, not for 30."""
    stage = next(stage for stage in prepared if stage.name == "scoring")
    command = copy(stage, folder / "shop")
    connect, (start, go) = sqlite3.connect, os.pipe()

    def impatient() -> None:
        sqlite3.connect = lambda place, **options: connect(place, **options | {"timeout": 1.0})  # type: ignore[assignment]
        os.close(go)
        os.read(start, 1)

    # Forked ahead of the lock: a process must not take over what SQLite knows of another's.
    process = Process(command, folder / "log", now=NOW, before=impatient)
    with closing(connect(folder / "shop" / LEDGER, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        os.close(go)
        time.sleep(seconds)
    return process.ended()


def test_a_ledger_that_another_program_holds_is_told_of(prepared: list[Stage], tmp_path: Path) -> None:
    ended = held_ledger(prepared, tmp_path, seconds=2)
    assert ended.code == MISTAKE
    assert "another program holds the ledger attrition.sqlite" in ended.said
    assert "the same command goes on from there" in ended.said


def test_a_ledger_that_is_free_again_soon_is_waited_for(prepared: list[Stage], tmp_path: Path) -> None:
    ended = held_ledger(prepared, tmp_path, seconds=0.6)
    assert ended.code == 0, ended.said
