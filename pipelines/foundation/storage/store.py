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
from pipelines.foundation.storage import ledger_schema, ledger_seal
from pipelines.foundation.storage.atomic_file import atomic_write
from pipelines.foundation.storage.workspace_paths import (
    LEDGER,
    place_of,
    refuse_leading_out,
    refuse_other_path,
    what_is_left,
)

Noted = dict[str, Any]
PATIENCE = 30.0  # seconds that another process is waited for


# What a row of the manifest holds, and what writers note there wherever they note it; of what kind none may lack it.
_FIELDS = {"sequence": int, "path": str, "kind": str, "sha256": str, "bytes": int, "detail": dict}
_NOTED: Mapping[str, Any] = {
    **dict.fromkeys(("table", "source", "source_sha256", "day", "version"), str),
    **dict.fromkeys(("rows_in", "landed", "rejected", "rows", "expired"), int),
    **dict.fromkeys(("keyed", "versions", "pseudonymised", "reduced"), bool),
    **dict.fromkeys(("exported_on", "first_known_at", "of"), str | None),
    "columns": dict,
    **dict.fromkeys(("landings", "meets"), list),
    "span": list | None,
}
_OF_A_LANDING = ("table", "source", "source_sha256", "rows_in", "landed", "rejected")
_NOTED_OF = {
    "landed": (*_OF_A_LANDING, "columns", "keyed"),
    "rejected": _OF_A_LANDING,
    "snapshot": ("day",),
    "outcome": ("day",),
}


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
        self._seen: dict[int, tuple[tuple[object, ...], StoredFile]] = {}  # by sequence: what stood there, and it read
        self._at_end: list[tuple[str, tuple[object, ...]]] = []
        refuse_leading_out(root)
        self._refuse_lost()
        with self.reading() as ledger:
            ledger_schema.refuse_triggers(ledger, self.ledger)
        while self._version() < ledger_schema.VERSION:
            with self._writing() as ledger:
                ledger_schema.step(ledger, self.ledger)
                ledger_seal.unseal(ledger)
        with self.reading() as ledger:
            ledger_schema.refuse_foreign(ledger, self.ledger)
            if not ledger_seal.holds(ledger):
                raise self.damaged("a row of it was changed by something else than attrition")

    def _refuse_lost(self) -> None:
        """SQLite takes a missing file, or an empty one, for a new database; beside what was listed in it, it was lost.

        What it alone knew must not be forgotten unsaid.
        """
        if self.ledger.exists() and self.ledger.stat().st_size:
            with self.reading() as ledger:
                if ledger.execute("SELECT 1 FROM sqlite_master").fetchone():
                    return
        left = what_is_left(self.root)
        if left:
            what = "empty" if self.ledger.exists() else "missing"
            raise IntegrityError(
                f"{self.ledger} is {what}, and only it says what {', '.join(left)} hold, which model is champion, and "
                f"what destinations were sent; restore it from a backup. If there is none, move {', '.join(left)} out "
                f"of {self.root} and run `attrition run`: all of it is made again from your own files. Leave "
                ".attrition-erased.list and .attrition-erased.key where they are, so that nobody comes back who was "
                "erased"
            )

    def _version(self) -> int:
        """The ledger's version, read without waiting for whoever writes."""
        with self.reading() as ledger:
            return ledger_schema.version_of(ledger, self.ledger)

    def damaged(self, what: str) -> IntegrityError:
        return IntegrityError(f"{self.ledger} is damaged ({what}); restore it from a backup")

    def at_end(self, statement: str, *values: object) -> None:
        """Have a statement run in the last transaction of the command (`seal`): what it ends is not over before."""
        self._at_end.append((statement, values))

    def seal(self) -> None:
        """Have whoever opens the ledger next see whether it was changed meanwhile; what we write first breaks that."""
        with self._writing() as ledger:
            for statement, values in self._at_end:
                ledger.execute(statement, values)
            ledger_seal.seal(ledger)
        self._at_end.clear()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One write transaction; committed whole or not at all.

        Raises: IntegrityError where the ledger is not a readable SQLite file, DiskError where it cannot be written now.
        """
        with self._writing() as connection:
            before = connection.total_changes
            yield connection
            if connection.total_changes > before:
                ledger_seal.unseal(connection)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
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
                connection.execute("PRAGMA trusted_schema = OFF")
                yield connection
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            raise (disk.refused(error) or self.damaged(disk.damage(error))) from None

    def put(self, path: str, write: Callable[[Path], Noted | None], *, kind: str, **detail: Any) -> StoredFile:
        """Write a file whole or not at all: temporary name, flush, rename, ledger. An older one is replaced.

        What `write` gives is noted about the file beside `detail`.
        """
        target = self.place(path)
        with atomic_write(target) as temporary:
            noted = detail | (write(temporary) or {})
            with temporary.open("rb") as handle:
                sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
                size = handle.tell()
        with self.transaction() as ledger:
            ledger.execute(
                "INSERT OR REPLACE INTO files (path, kind, sha256, bytes, detail) VALUES (?, ?, ?, ?, ?)",
                (path, kind, sha256, size, json.dumps(noted, sort_keys=True)),
            )
            row = ledger.execute("SELECT * FROM files WHERE path = ?", (path,)).fetchone()
        return self._stored(row)

    def place(self, path: str) -> Path:
        """Where a listed file lies, or will: the one way from a path to the disk.

        Raises: IntegrityError where it leads out of the workspace, or to what is not ours.
        """
        return place_of(self.root, path)

    def find(self, path: str) -> StoredFile | None:
        with self.reading() as ledger:
            row = ledger.execute("SELECT * FROM files WHERE path = ?", (path,)).fetchone()
        return None if row is None else self._stored(row)

    def present(self, path: str) -> StoredFile | None:
        """The same, None too where the file is gone from the disk: what can be made again is made again."""
        found = self.find(path)
        return found if found is not None and self.place(path).exists() else None

    def files(self, kind: str) -> list[StoredFile]:
        """Every file of a kind, in the order of recording."""
        with self.reading() as ledger:
            rows = ledger.execute("SELECT * FROM files WHERE kind = ? ORDER BY sequence", (kind,)).fetchall()
        return [self._stored(row) for row in rows]

    def verified(self, file: StoredFile) -> Path:
        """The file's place on disk, once its bytes were seen to be those written.

        Raises: IntegrityError where it is missing, cut or altered.
        """
        place = self.place(file.path)
        check_hash(place, file.sha256, size=file.bytes)
        return place

    def _stored(self, row: sqlite3.Row) -> StoredFile:
        """A row of the ledger, looked over; one that stands as it stood is not looked over again."""
        raw, fields = tuple(row), dict(row)
        before, seen = self._seen.get(fields["sequence"], (None, None))
        if seen is not None and before == raw:
            return seen
        try:
            found = StoredFile(**(fields | {"detail": json.loads(fields["detail"])}))
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            raise self.damaged(disk.damage(error)) from None
        wrong = [name for name, kind in _FIELDS.items() if type(getattr(found, name)) is not kind]
        if not wrong:
            wrong = [name for name, value in found.detail.items() if not isinstance(value, _NOTED.get(name, object))]
            wrong += [name for name in _NOTED_OF.get(found.kind, ()) if name not in found.detail]
        if wrong:
            raise self.damaged(f"{wrong[0]} of {str(found.path)[:80]!r} is none")
        refuse_other_path(self.root, found.path)
        self._seen[found.sequence] = raw, found
        return found


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


def check_hash(place: Path, sha256: str, *, size: int) -> None:
    """Raise IntegrityError, by name, unless the file holds exactly the bytes that were hashed.

    Where their number is another, however large, none of them is read.
    """
    try:
        found = f"{place.stat().st_size} bytes"
        if place.stat().st_size == size:
            with place.open("rb") as handle:
                digest = hashlib.file_digest(handle, "sha256").hexdigest()
            if digest == sha256:
                return
            found = f"sha256 {digest[:12]}"
    except FileNotFoundError:
        raise IntegrityError(f"{place} is missing; run the command that makes it again, or restore it") from None
    raise IntegrityError(
        f"{place} is not the file that was written ({found}, expected {size} bytes with sha256 {sha256[:12]}); "
        "restore it from a backup, or delete it and run the command that makes it again"
    )
