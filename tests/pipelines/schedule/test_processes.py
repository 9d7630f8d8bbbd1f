from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from features.errors import AttritionError
from pipelines.schedule import processes
from pipelines.schedule.processes import running

WAITS = ["-c", "import time; print('up', flush=True); time.sleep(600)"]
# Does not listen to TERM, and neither does what it starts.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([
    sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
])
time.sleep(0.5)
print(child.pid, flush=True)
time.sleep(600)
"""


def soon(what: Callable[[], bool], *, seconds: float = 15.0) -> bool:
    deadline = time.monotonic() + seconds
    while not what() and time.monotonic() < deadline:
        time.sleep(0.05)
    return what()


def alive(process: int) -> bool:
    """Whether it still works: who ended and was not asked for its exit code does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_process_writes_into_its_log_and_is_gone_after_the_block(tmp_path: Path) -> None:
    with running({"waits": WAITS}, home=tmp_path, environment={}) as (child,):
        assert soon(lambda: child.log.read_text() == "up\n")
        child.refuse_ended()
        assert alive(child.process.pid)
    assert not alive(child.process.pid)
    assert child.log == tmp_path / "logs" / "waits.log"


def test_who_does_not_listen_is_ended_with_what_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_PATIENCE_SECONDS", 0.5)
    with running({"stubborn": ["-c", STUBBORN]}, home=tmp_path, environment={}) as (child,):
        assert soon(lambda: child.log.read_text().endswith("\n"))
        grandchild = int(child.log.read_text())
        assert alive(grandchild)
    assert not alive(child.process.pid)
    assert not alive(grandchild)


def test_nothing_is_left_when_the_block_raises(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), running({"waits": WAITS}, home=tmp_path, environment={}) as (child,):
        _ = 1 / 0
    assert not alive(child.process.pid)


def test_a_part_that_ends_by_itself_is_told_with_its_last_lines(tmp_path: Path) -> None:
    command = ["-c", "import os, sys; print('line of ' + os.environ['WHO']); sys.exit(3)"]
    with running({"daemon": command}, home=tmp_path, environment={"WHO": "mine"}) as (child,):
        assert soon(lambda: child.process.poll() is not None)
        with pytest.raises(AttritionError) as told:
            child.refuse_ended()
    assert "the daemon ended by itself (exit code 3)" in str(told.value)
    assert str(told.value).endswith(f"of {child.log}:\n  line of mine")


def test_a_process_group_of_its_own_keeps_the_terminals_ctrl_c_for_us(tmp_path: Path) -> None:
    with running({"waits": WAITS}, home=tmp_path, environment={}) as (child,):
        assert os.getpgid(child.process.pid) == child.process.pid != os.getpgid(0)
