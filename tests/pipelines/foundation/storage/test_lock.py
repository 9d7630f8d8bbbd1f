from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines.foundation.storage.lock import FILE_NAME, BusyError, held

ROOT = Path(__file__).parents[4]
HOLD = """
import sys
from pathlib import Path
from pipelines.foundation.storage.lock import BusyError, held

try:
    with held(Path(sys.argv[1])):
        print("held", flush=True)
        sys.stdin.readline()
except BusyError as error:
    print(error, flush=True)
"""


@contextmanager
def another_process(workspace: Path) -> Iterator[subprocess.Popen[str]]:
    """Holds the workspace until its standard input gets a line, or says why it cannot."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(workspace)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        process.kill()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_while_a_process_holds_the_workspace_another_is_told_which(tmp_path: Path) -> None:
    with another_process(tmp_path) as process:
        assert said(process) == "held"
        with pytest.raises(BusyError) as refused, held(tmp_path):
            pytest.fail("two runs hold one workspace")
        assert str(refused.value) == (
            f"another attrition run (process {process.pid}) is working in {tmp_path}; wait until it ends"
        )


def test_a_second_process_is_told_while_we_hold(tmp_path: Path) -> None:
    with held(tmp_path), another_process(tmp_path) as process:
        assert said(process).startswith("another attrition run (process ")


def test_a_process_that_was_killed_lets_go(tmp_path: Path) -> None:
    with another_process(tmp_path) as process:
        assert said(process) == "held"
        process.kill()
        process.wait()
        with held(tmp_path):
            pass


def test_the_workspace_is_free_again_after_the_block_even_when_it_raised(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), held(tmp_path):
        _ = 1 / 0
    with held(tmp_path):
        pass
    assert (tmp_path / FILE_NAME).exists()


def test_other_workspaces_are_not_held(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with held(tmp_path / "a"), held(tmp_path / "b"):
        pass
