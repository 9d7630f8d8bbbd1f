"""Landed files: which of them hold, and their rows as tables."""

from __future__ import annotations

import re
from typing import Any

import ibis.expr.types as ir

from features.errors import IntegrityError
from features.tables import TABLES
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.storage.engine import parquet_table
from pipelines.foundation.storage.store import Store, StoredFile

LANDED, REJECTED = "landed", "rejected"

_GLOB = {"**/": "(.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def current(store: Store) -> list[StoredFile]:
    """The landed files that hold, in the order of recording.

    Of several landings of one content (its mapping was changed) the newest holds. Rows whose key was made up cannot be
    matched with those of another file, so a later content of the same path replaces them; rows with a key of their own
    stay, as versions.
    """
    newest: dict[tuple[str, str], StoredFile] = {}
    for file in store.files(LANDED):
        newest[file.detail["table"], file.detail["source_sha256"]] = file
    holding = sorted(newest.values(), key=lambda file: file.sequence)
    last = {(file.detail["table"], file.detail["source"]): file.sequence for file in holding}
    return [
        file
        for file in holding
        if file.detail["keyed"] or last[file.detail["table"], file.detail["source"]] == file.sequence
    ]


def landing(store: Store, path: str, *, table: str, source: str) -> StoredFile | None:
    """The landed file at `path`, if it holds and nothing was landed from its source since."""
    files = current(store)
    since = max(
        (file.sequence for file in files if (file.detail["table"], file.detail["source"]) == (table, source)), default=0
    )
    return next((file for file in files if file.path == path and file.sequence >= since), None)


def landed_files(store: Store, *, settings: Settings | None = None) -> list[StoredFile]:
    """The landed files that tables are made of; with `settings`, without those that no source names any longer."""
    return [file for file in current(store) if settings is None or _named(file, settings)]


def landed_tables(store: Store, connection: Any, *, settings: Settings | None = None) -> dict[str, ir.Table]:
    """One table per contract table that has landed files: its landed columns and `landed_order`.

    landed_order (int64): the position of the row's file in the order of recording; of two versions known at the same
    moment the later landed one holds. With `settings`, files that none of its sources names any longer are left out.

    Raises: IntegrityError where a landed file is missing, altered, or of an earlier contract.
    """
    files: dict[str, list[StoredFile]] = {}
    for file in landed_files(store, settings=settings):
        files.setdefault(file.detail["table"], []).append(file)
    return {name: _table(store, connection, name, found) for name, found in files.items()}


def _table(store: Store, connection: Any, name: str, files: list[StoredFile]) -> ir.Table:
    landed = TABLES[name].landed
    for file in files:
        if file.detail["columns"] != landed:
            raise IntegrityError(
                f"{file.path} was landed under an earlier contract of {name}; put its source {file.detail['source']} "
                "back and run `attrition ingest`"
            )
    return parquet_table(connection, [store.verified(file) for file in files], list(landed))


def _named(file: StoredFile, settings: Settings) -> bool:
    table, path = file.detail["table"], file.detail["source"]
    return any(source.table == table and _matches(path, source.path) for source in settings.sources)


def _matches(path: str, glob: str) -> bool:
    """Whether a path that may be gone by now is one that `Path.glob` would have found."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^]]+])", glob)
    pattern = "".join(
        _GLOB.get(part, part.replace("[!", "[^") if part[:1] == "[" else re.escape(part)) for part in parts
    )
    return path == glob or re.fullmatch(pattern, path) is not None
