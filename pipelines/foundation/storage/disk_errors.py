"""What a disk refuses, in words."""

from __future__ import annotations

import errno
import os
import sqlite3

from features.errors import AttritionError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_BROKEN = {errno.EIO, errno.ESTALE, errno.ENODEV}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_IN_THE_WAY = {errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENOTEMPTY, errno.ENXIO}
_UNWRITABLE = (
    "SQLITE_READONLY",
    "SQLITE_CANTOPEN",
    "SQLITE_PERM",
    "SQLITE_IOERR_WRITE",
    "SQLITE_IOERR_FSYNC",
    "SQLITE_IOERR_TRUNCATE",
    "SQLITE_IOERR_SHM",
)
_KEPT = "What was finished is kept: {remedy}, and the same command goes on from there"


class DiskError(AttritionError):
    """The disk is full, or does not let us write; or another program holds the ledger."""


def refused(error: Exception) -> DiskError | None:
    """What is the matter and what to do; None where it is not the disk's doing.

    >>> str(refused(OSError(errno.ENOSPC, "No space left on device", "landed/a.parquet")))
    'the disk is full (landed/a.parquet). What was finished is kept: make room, and the same command goes on from there'
    """
    if isinstance(error, sqlite3.Error):
        return _refused_by_sqlite(error)
    where = f" ({error.filename})" if isinstance(error, OSError) and error.filename else ""
    number = error.errno if isinstance(error, OSError) else None
    if number in _FULL or os.strerror(errno.ENOSPC) in str(error):  # DuckDB tells it in its message alone
        return DiskError(f"the disk is full{where}. {_KEPT.format(remedy='make room')}")
    if number in _FORBIDDEN:
        return DiskError(f"writing is not allowed{where}. {_KEPT.format(remedy='see to it that this user may write')}")
    if number in _IN_THE_WAY:
        return DiskError(
            f"something else lies where a file or folder was to be{where}. "
            + _KEPT.format(remedy="move it away, or put back what belongs there")
        )
    if number in _BROKEN:
        return DiskError(f"the disk does not answer{where}. {_KEPT.format(remedy='see that it is there and whole')}")
    return None


def damage(error: Exception) -> str:
    """What is wrong with a ledger: SQLite's own words may quote a value that it cannot read.

    >>> damage(ValueError("could not convert string to float: 'C-17'"))
    'a value in it cannot be read'
    """
    name = getattr(error, "sqlite_errorname", None) or ""
    if name.startswith("SQLITE_NOTADB"):
        return "file is not a database"
    if name.startswith("SQLITE_CORRUPT"):
        return "its pages do not fit together"
    if name.startswith("SQLITE_CONSTRAINT"):
        return "two rows of it contradict each other"
    if name == "SQLITE_ERROR":
        return "a table or column that must be there is not, or is another"
    return "a value in it cannot be read"


def _refused_by_sqlite(error: sqlite3.Error) -> DiskError | None:
    name = getattr(error, "sqlite_errorname", None) or ""
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return DiskError(
            "another program holds the ledger attrition.sqlite (a backup, a browser of databases?). "
            + _KEPT.format(remedy="close it")
        )
    if name.startswith("SQLITE_FULL"):
        return DiskError(f"the disk is full (attrition.sqlite). {_KEPT.format(remedy='make room')}")
    if name.startswith(_UNWRITABLE):
        return DiskError(
            f"the ledger attrition.sqlite cannot be written ({name}). "
            + _KEPT.format(remedy="see to it that there is room and that this user may write")
        )
    return None
