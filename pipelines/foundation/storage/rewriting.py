"""Files of the store rewritten with fewer rows, or deleted, so that a break at any moment can be made up for."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from features.errors import AttritionError
from pipelines.foundation.storage.atomic_file import atomic_write
from pipelines.foundation.storage.store import Store, StoredFile


def rewrite(store: Store, file: StoredFile, write: Callable[[Path], object], **detail: object) -> None:
    """Put other bytes in the place of a listed file. It keeps its position in the order of recording.

    What is about to be there is noted first: broken off between file and ledger, `settle` completes it.
    """
    note = json.dumps({**file.detail, **detail}, sort_keys=True)
    with atomic_write(store.place(file.path)) as temporary:
        write(temporary)
        sha256, size = _sha256(temporary), temporary.stat().st_size
        with store.transaction() as ledger:
            ledger.execute("INSERT OR REPLACE INTO rewrites VALUES (?, ?, ?, ?)", (file.path, sha256, size, note))
    settle(store)


def settle(store: Store) -> None:
    """Let the ledger say what lies on the disk, where a rewriting was broken off in between.

    Whoever takes the workspace to write does this first, so that nothing else needs to.
    """
    with store.transaction() as ledger:
        for path, sha256, size, detail in ledger.execute("SELECT path, sha256, bytes, detail FROM rewrites").fetchall():
            place = store.place(path)
            if place.exists() and _sha256(place) == sha256:
                ledger.execute(
                    "UPDATE files SET sha256 = ?, bytes = ?, detail = ? WHERE path = ?", (sha256, size, detail, path)
                )
        ledger.execute("DELETE FROM rewrites")


def delete_file(store: Store, path: str) -> None:
    """Delete a file and its entry. The file goes first: an entry without a file is no more than work to do again."""
    store.place(path).unlink(missing_ok=True)
    with store.transaction() as ledger:
        ledger.execute("DELETE FROM files WHERE path = ?", (path,))


def scrub(store: Store) -> None:
    """Leave nothing of deleted rows in the bytes of the ledger: neither in its free pages nor in its log.

    Raises: AttritionError where another process reads the ledger all the while.
    """
    with closing(sqlite3.connect(store.ledger, timeout=30, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        try:
            connection.execute("VACUUM")
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise  # a full disk, say, which is told as it is everywhere
            busy = 1
    if busy:
        raise AttritionError(
            f"{store.ledger} is being read by another process, so deleted rows may still be found in its bytes; close "
            "whatever reads it and run the same command again"
        )


def _sha256(place: Path) -> str:
    with place.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
