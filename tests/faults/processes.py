"""Commands in processes of their own that can be killed anywhere.

A process that imports the libraries takes seconds to start. These are forked from one that has imported them, and run
the command line as any other process would.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import alembic.command  # noqa: F401 - imported before forking, as are the others
import empulse.metrics  # noqa: F401
import lightgbm  # noqa: F401
import matplotlib.figure  # noqa: F401
import mlflow
import mlflow.store.tracking.sqlalchemy_store  # noqa: F401
import optuna  # noqa: F401
import shap  # noqa: F401
import woodelf  # noqa: F401

from pipelines.cli import app
from pipelines.commands import frame as cli_frame

CHANGING = frozenset({"os.rename", "os.remove", "os.mkdir", "os.link", "os.truncate", "shutil.rmtree"})
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code, negative where a signal ended it, and what it said."""

    code: int
    said: str


class Process:
    """A command at work. before: called in the new process, ahead of the command."""

    def __init__(
        self, arguments: list[str], log: Path, *, now: datetime, before: Callable[[], None] = lambda: None
    ) -> None:
        self.log = log
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            _become(arguments, log, now=now, before=before)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def ended(self) -> Ended:
        """Wait for its end."""
        _, status = os.waitpid(self.pid, 0)
        return Ended(os.waitstatus_to_exitcode(status), self.log.read_text(encoding="utf-8", errors="replace"))


def finished(arguments: list[str], log: Path, *, now: datetime, before: Callable[[], None] = lambda: None) -> Ended:
    """A command from its start to its end."""
    return Process(arguments, log, now=now, before=before).ended()


def killed_after(seconds: float, arguments: list[str], log: Path, *, now: datetime) -> Ended:
    """A command that is killed once so many seconds have gone, unless it has ended by then."""
    process = Process(arguments, log, now=now)
    time.sleep(seconds)
    process.kill()
    return process.ended()


def killed_at(event: int, arguments: list[str], log: Path, *, now: datetime) -> Ended:
    """A command that is killed ahead of the nth thing (from 1) that it does to a file or a database."""

    def before() -> None:
        def hit(number: int) -> None:
            if number == event:
                os.kill(os.getpid(), signal.SIGKILL)

        on_each_event(hit)

    return finished(arguments, log, now=now, before=before)


def on_each_event(hit: Callable[[int], None]) -> None:
    """Call `hit` with 1, 2, ... ahead of everything that this process does to files and databases from now on."""
    count = 0

    def happens() -> None:
        nonlocal count
        count += 1
        hit(count)

    def audited(event: str, arguments: tuple[Any, ...]) -> None:
        if event in CHANGING or (event == "open" and (arguments[2] or 0) & WRITING):
            happens()

    connect = sqlite3.connect

    def traced(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*arguments, **options)
        connection.set_trace_callback(lambda _: happens())
        return connection

    sqlite3.connect = sqlite3.dbapi2.connect = traced  # type: ignore[assignment]
    sys.addaudithook(audited)


def _become(arguments: list[str], log: Path, *, now: datetime, before: Callable[[], None]) -> None:
    """This process runs the command, and ends; it never returns."""
    code = 70
    try:
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(handle, stream)
        sys.stdout, sys.stderr = (os.fdopen(os.dup(stream), "w", buffering=1) for stream in (1, 2))
        vars(cli_frame)["datetime"] = _stopped(now)
        before()
        try:
            app(arguments)
        except SystemExit as ending:
            code = ending.code if isinstance(ending.code, int) else 1
    except BaseException:  # noqa: BLE001 - a process of its own must not go on as its parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _stopped(now: datetime) -> type[datetime]:
    """A clock that stands still, so that what a rerun writes can be compared byte by byte."""

    class Stopped(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return now.astimezone(tz)

    return Stopped
