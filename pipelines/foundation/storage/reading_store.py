"""A workspace's files for whoever only looks: nothing is ever written below the workspace."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from features.errors import DataError
from pipelines.foundation.storage.store import Noted, Store, StoredFile, check_hash
from pipelines.foundation.storage.workspace_paths import LEDGER


class ReadingStore(Store):
    """What is computed meanwhile lies in a folder of this process's own, which only its user can open, until it ends.

    So a workspace can be looked at while jobs run on it, and looking changes nothing.

    Raises: DataError where nothing was ever done in the workspace, or its ledger is an older release's.
    """

    def __init__(self, root: Path) -> None:
        if not (root / LEDGER).exists():
            raise DataError(f"nothing has landed in {root}; run `attrition ingest --project {root}`")
        self.scratch = Path(mkdtemp(prefix="attrition-"))  # the folder of what is computed
        weakref.finalize(self, shutil.rmtree, self.scratch, ignore_errors=True)
        self._made: dict[str, StoredFile] = {}
        super().__init__(root)

    def put(self, path: str, write: Callable[[Path], Noted | None], *, kind: str, **detail: Any) -> StoredFile:
        """Write a file that this process alone reads."""
        target = self.scratch / path
        target.parent.mkdir(parents=True, exist_ok=True)
        noted = detail | (write(target) or {})
        content = target.read_bytes()
        made = StoredFile(-len(self._made), path, kind, hashlib.sha256(content).hexdigest(), len(content), noted)
        self._made[path] = made
        return made

    def place(self, path: str) -> Path:
        return self.scratch / path if path in self._made else super().place(path)

    def find(self, path: str) -> StoredFile | None:
        return self._made.get(path) or super().find(path)

    def files(self, kind: str) -> list[StoredFile]:
        own = [file for file in self._made.values() if file.kind == kind]
        return [file for file in super().files(kind) if file.path not in self._made] + own

    def verified(self, file: StoredFile) -> Path:
        place = self.scratch / file.path if file == self._made.get(file.path) else super().place(file.path)
        check_hash(place, file.sha256, size=file.bytes)
        return place

    def seal(self) -> None:
        """Nothing to seal: the ledger is as it was."""

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """What was committed, all of one moment; SQLite refuses whatever would write."""
        with self.reading() as ledger:
            ledger.execute("PRAGMA query_only = ON")
            ledger.execute("BEGIN")
            yield ledger

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Asked for where a ledger of an older release is to be brought up to date: not by whoever only looks."""
        raise DataError(
            f"{self.ledger} is of an older release, and whoever only looks does not change it; run any command first, "
            f"such as `attrition check --project {self.root}`"
        )
        yield
