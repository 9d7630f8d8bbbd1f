"""Ledgers as they may be found, what they hold, and processes that open them."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from pipelines.foundation.storage.workspace_paths import LEDGER

# Adding a column a second time fails, so a step that is taken twice is seen.
SECOND = ("ALTER TABLE posted ADD COLUMN posted_at TEXT", "ALTER TABLE enforced RENAME TO enforced_lists")

# Opens the ledger of a folder once the folder holds a file `go`. Arguments: the folder, ahead of which statement the
# process is killed (0: of none), and the statements of a step more.
_OPENS = """
import os, signal, sqlite3, sys, time
from pathlib import Path
from pipelines.foundation.storage import ledger_schema
from pipelines.foundation.storage.store import Store

folder, kill_at, more = Path(sys.argv[1]), int(sys.argv[2]), tuple(sys.argv[3:])
if more:
    ledger_schema.STEPS = (*ledger_schema.STEPS, more)
    ledger_schema.VERSION += 1
connect, count = sqlite3.connect, 0

def ahead(_):
    global count
    count += 1
    if count == kill_at:
        os.kill(os.getpid(), signal.SIGKILL)

def traced(*arguments, **options):
    connection = connect(*arguments, **options)
    connection.set_trace_callback(ahead)
    return connection

sqlite3.connect = traced
print("ready", flush=True)
while not (folder / "go").exists():
    time.sleep(0.001)
Store(folder)
"""


def opening(folder: Path, *, kill_at: int = 0, more: Sequence[str] = ()) -> subprocess.Popen[str]:
    """A process that is about to open the ledger of a folder."""
    found = subprocess.Popen(
        [sys.executable, "-S", "-c", _OPENS, str(folder), str(kill_at), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[4],
    )
    assert found.stdout is not None
    assert found.stdout.readline() == "ready\n", found.communicate()[1]
    return found


def shape(folder: Path) -> dict[str, str]:
    """What makes each table and index of a ledger, without the spaces."""
    with closing(sqlite3.connect(folder / LEDGER)) as ledger:
        rows = ledger.execute("SELECT name, sql FROM sqlite_master").fetchall()
    return {name: re.sub(r"\s+", "", sql or "") for name, sql in rows}


def content(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """The rows of every table of a ledger that has any, in the order of writing."""
    with closing(sqlite3.connect(folder / LEDGER)) as ledger:
        names = [name for (name,) in ledger.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {name: ledger.execute(f"SELECT * FROM {name} ORDER BY rowid").fetchall() for name in names}
    return {name: rows for name, rows in found.items() if rows}


def version(folder: Path) -> int:
    with closing(sqlite3.connect(folder / LEDGER)) as ledger:
        return int(ledger.execute("PRAGMA user_version").fetchone()[0])


def write(folder: Path, script: str) -> None:
    """Run a script of SQL statements on the ledger of a folder, past our own code."""
    folder.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(folder / LEDGER)) as ledger:
        ledger.executescript(script)


def files(folder: Path) -> dict[str, bytes]:
    return {place.name: place.read_bytes() for place in folder.iterdir() if place.is_file()}
