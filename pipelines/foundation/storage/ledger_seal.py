"""The ledger's seal: what every row of it sums up to, written when a command ended, so that a changed byte is seen.

SQLite notices pages that do not fit together, not a value that is another one. What we change breaks the seal in the
same transaction, so a ledger without one is that of a command that was killed, and holds. It is no proof against
whoever writes a ledger on purpose: they may write its seal, too.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator

from pipelines.foundation.storage.sql_text import identifier

_APART = ("scores", "seal")  # the scores of a run are many, and have a digest of their own


def seal(ledger: sqlite3.Connection) -> None:
    """Seal the ledger as it is, in the transaction that is open."""
    ledger.execute("DELETE FROM seal")
    ledger.execute("INSERT INTO seal VALUES (?)", (_sum(ledger),))


def unseal(ledger: sqlite3.Connection) -> None:
    """Break the seal, in the transaction that is open; nothing where the ledger is of a version that had none."""
    if _has_one(ledger):
        ledger.execute("DELETE FROM seal")


def holds(ledger: sqlite3.Connection) -> bool:
    """Whether no row was changed past us since the ledger was sealed; True, too, where it is not sealed."""
    if not _has_one(ledger):
        return True
    ledger.execute("BEGIN")  # a row that is written meanwhile is not seen
    try:
        found = ledger.execute("SELECT * FROM seal").fetchall()
        return not found or [tuple(row) for row in found] == [(_sum(ledger),)]
    finally:
        ledger.execute("ROLLBACK")


def _has_one(ledger: sqlite3.Connection) -> bool:
    return ledger.execute("SELECT 1 FROM sqlite_master WHERE name = 'seal'").fetchone() is not None


def _sum(ledger: sqlite3.Connection) -> str:
    """Rows in any order: SQLite may put them into another."""
    total = sum(int.from_bytes(hashlib.sha256(row).digest()) for row in _rows(ledger))
    return f"{total % (1 << 256):064x}"


def _rows(ledger: sqlite3.Connection) -> Iterator[bytes]:
    tables = ledger.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    for (name,) in tables.fetchall():
        if name not in _APART:
            for row in ledger.execute(f"SELECT * FROM {identifier(name)}"):  # noqa: S608 - quoted
                yield repr((name, *row)).encode("utf-8", "surrogatepass")
