from __future__ import annotations

import errno
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.foundation.storage import disk_errors as disk


def named(name: str) -> sqlite3.Error:
    error = sqlite3.OperationalError("as SQLite says it")
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a.parquet"), "the disk is full (a.parquet). "),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "the disk is full. "),
        (RuntimeError("IO Error: could not write: No space left on device"), "the disk is full. "),
        (PermissionError(errno.EACCES, "Permission denied", "landed"), "writing is not allowed (landed). "),
        (OSError(errno.EROFS, "Read-only file system"), "writing is not allowed. "),
        (named("SQLITE_FULL"), "the disk is full (attrition.sqlite). "),
        (named("SQLITE_BUSY"), "another program holds the ledger attrition.sqlite "),
        (
            named("SQLITE_READONLY_DIRECTORY"),
            "the ledger attrition.sqlite cannot be written (SQLITE_READONLY_DIRECTORY). ",
        ),
        (named("SQLITE_IOERR_SHMSIZE"), "the ledger attrition.sqlite cannot be written (SQLITE_IOERR_SHMSIZE). "),
    ],
)
def test_what_the_disk_refuses_is_said_with_the_remedy(error: Exception, said: str) -> None:
    found = disk.refused(error)
    assert found is not None
    assert str(found).startswith(said)
    assert str(found).endswith(", and the same command goes on from there")


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(errno.ENOENT, "No such file", "orders.csv"),
        ValueError("no"),
        named("SQLITE_CORRUPT"),
        named("SQLITE_IOERR_SHORT_READ"),
    ],
)
def test_what_is_not_the_disks_doing_is_left_to_others(error: Exception) -> None:
    assert disk.refused(error) is None


def test_a_ledger_that_may_grow_no_more_is_told_as_a_full_disk(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as ledger:
        ledger.execute("CREATE TABLE t (x)")
        ledger.execute("PRAGMA max_page_count = 3")
        with pytest.raises(sqlite3.OperationalError) as full:
            ledger.execute("INSERT INTO t VALUES (zeroblob(100000))")
    assert str(disk.refused(full.value)).startswith("the disk is full (attrition.sqlite). ")
