"""The workspace's files and its SQLite ledger: nothing is read that is not byte for byte what was written."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from features.errors import IntegrityError
from pipelines.foundation.storage import disk_errors as disk
from pipelines.foundation.storage import ledger_schema
from pipelines.foundation.storage.atomic_file import atomic_write

LEDGER = "attrition.sqlite"
PATIENCE = 30.0  # seconds that another process is waited for

_LISTED = ("landed", "models", "scores")  # folders that exist only once the ledger does


@dataclass(frozen=True)
class StoredFile:
    """A file of the manifest. sequence: order of recording; detail: what its writer noted about it."""

    sequence: int
    path: str
    kind: str
    sha256: str
    bytes: int
    detail: Mapping[str, Any]


class Store:
    """The files below one workspace. A file exists for us only once the ledger lists it with its hash.

    Opened, the ledger has every table of `ledger_schema`, whichever release made it.
    Raises: IntegrityError where it is damaged or of a newer release, DiskError where it cannot be opened now.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ledger = root / LEDGER
        self._refuse_emptied()
        while self._version() < ledger_schema.VERSION:
            with self.transaction() as ledger:
                ledger_schema.step(ledger, self.ledger)

    def _refuse_emptied(self) -> None:
        """SQLite takes an empty file for a new database; beside files that were listed in it, it was cut."""
        empty = self.ledger.exists() and not self.ledger.stat().st_size
        if empty and any((self.root / name).is_dir() for name in _LISTED):
            raise self.damaged("empty")

    def _version(self) -> int:
        """The ledger's version, read without waiting for whoever writes."""
        with self.reading() as ledger:
            return ledger_schema.version_of(ledger, self.ledger)

    def damaged(self, what: str) -> IntegrityError:
        return IntegrityError(f"{self.ledger} is damaged ({what}); restore it from a backup")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One write transaction; committed whole or not at all.

        Raises: IntegrityError where the ledger is not a readable SQLite file, DiskError where it cannot be written now.
        """
        with self._connected() as connection:
            _log_ahead(connection)
            connection.execute("PRAGMA synchronous = FULL")
            connection.row_factory = sqlite3.Row
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """What was committed, without waiting for whoever writes; each statement sees what is there then."""
        with self._connected() as connection:
            connection.row_factory = sqlite3.Row
            yield connection

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """A connection; what SQLite refuses is told in words."""
        try:
            with closing(sqlite3.connect(self.ledger, timeout=PATIENCE, isolation_level=None)) as connection:
                yield connection
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            raise (disk.refused(error) or self.damaged(disk.damage(error))) from None

    def put(self, path: str, write: Callable[[Path], None], *, kind: str, **detail: Any) -> StoredFile:
        """Write a file whole or not at all: temporary name, flush, rename, ledger. An older one is replaced."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(target) as temporary:
            write(temporary)
            with temporary.open("rb") as handle:
                sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
                size = handle.tell()
        with self.transaction() as ledger:
            ledger.execute(
                "INSERT OR REPLACE INTO files (path, kind, sha256, bytes, detail) VALUES (?, ?, ?, ?, ?)",
                (path, kind, sha256, size, json.dumps(detail, sort_keys=True)),
            )
            row = ledger.execute("SELECT * FROM files WHERE path = ?", (path,)).fetchone()
        return self._stored(row)

    def find(self, path: str) -> StoredFile | None:
        with self.reading() as ledger:
            row = ledger.execute("SELECT * FROM files WHERE path = ?", (path,)).fetchone()
        return None if row is None else self._stored(row)

    def present(self, path: str) -> StoredFile | None:
        """The same, None too where the file is gone from the disk: what can be made again is made again."""
        found = self.find(path)
        return found if found is not None and (self.root / path).exists() else None

    def files(self, kind: str) -> list[StoredFile]:
        """Every file of a kind, in the order of recording."""
        with self.reading() as ledger:
            rows = ledger.execute("SELECT * FROM files WHERE kind = ? ORDER BY sequence", (kind,)).fetchall()
        return [self._stored(row) for row in rows]

    def verified(self, file: StoredFile) -> Path:
        """The file's place on disk, once its bytes were seen to be those written.

        Raises: IntegrityError where it is missing, cut or altered.
        """
        place = self.root / file.path
        check_hash(place, file.sha256)
        return place

    def _stored(self, row: sqlite3.Row) -> StoredFile:
        fields = dict(row)
        try:
            return StoredFile(**(fields | {"detail": json.loads(fields["detail"])}))
        except (ValueError, TypeError, LookupError) as error:
            raise self.damaged(disk.damage(error)) from None


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Have SQLite write to a log first, so that readers are not locked out. A ledger keeps to it once it was told so.

    SQLite waits for other processes in everything but this.
    """
    until = monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > until:
                raise
            sleep(0.01)
        else:
            return


def check_hash(place: Path, sha256: str) -> None:
    """Raise IntegrityError, by name, unless the file holds exactly the bytes that were hashed."""
    try:
        with place.open("rb") as handle:
            found = hashlib.file_digest(handle, "sha256").hexdigest()
    except FileNotFoundError:
        raise IntegrityError(f"{place} is missing; run the command that makes it again, or restore it") from None
    if found != sha256:
        raise IntegrityError(
            f"{place} is not the file that was written (sha256 {found[:12]}, expected {sha256[:12]}); "
            "restore it from a backup, or delete it and run the command that makes it again"
        )
