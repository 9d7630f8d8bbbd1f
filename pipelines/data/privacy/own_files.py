"""Files below a workspace that are not ours: the company's exports, lists and notes. They are named, never changed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.foundation.storage.sql_text import PARQUET, identifier, quoted
from pipelines.foundation.storage.store import Store
from pipelines.foundation.storage.workspace_paths import is_ours


def foreign_files(store: Store) -> Iterator[Path]:
    """Every file that we did not write. Links are passed over: what they lead to is here, too, or is elsewhere."""
    with store.transaction() as ledger:
        listed = {row["path"] for row in ledger.execute("SELECT path FROM files").fetchall()}
    for place in sorted(store.root.rglob("*")):
        name = place.relative_to(store.root)
        # What lies in delivery/ unlisted is a copy that somebody made.
        ours = (
            (is_ours(name) and name.parts[0] != "delivery")
            or name.as_posix() in listed
            or name.name.startswith("attrition.toml")
        )
        if place.is_file() and not place.is_symlink() and not ours:
            yield place


def lines_naming(place: Path, names: Collection[str]) -> dict[str, int]:
    """How many rows (Parquet) or lines (anything else) of a file name each of some customers; a whole value or word."""
    try:
        return _parquet(place, names) if place.suffix.lower() in (".parquet", ".pq") else _text(place, names)
    except (pa.ArrowException, duckdb.Error, OSError):  # not what its ending says: nothing of ours reads it either
        return {}


def _parquet(place: Path, names: Collection[str]) -> dict[str, int]:
    texts = [field.name for field in pq.read_schema(place) if not pa.types.is_nested(field.type)]
    found: dict[str, int] = {}
    with duckdb.connect() as connection:
        for name in names if texts else ():
            holds = " OR ".join(f"trim({identifier(column)}::VARCHAR) = {quoted(name)}" for column in texts)
            row = connection.execute(f"SELECT count(*) FROM {PARQUET} WHERE {holds}", [str(place)]).fetchone()  # noqa: S608 - quoted
            if row and row[0]:
                found[name] = row[0]
    return found


def _text(place: Path, names: Collection[str]) -> dict[str, int]:
    """Looked for as bytes, in the encodings that exports have."""
    patterns = {
        name: re.compile(b"|".join(rb"(?<![\w-])" + re.escape(text) + rb"(?![\w-])" for text in _written(name)))
        for name in names
    }
    found = dict.fromkeys(names, 0)
    with place.open("rb") as handle:
        for line in handle:
            for name, pattern in patterns.items():
                found[name] += bool(pattern.search(line))
    return {name: count for name, count in found.items() if count}


def _written(name: str) -> set[bytes]:
    doubled = name.replace('"', '""')
    return {
        text.encode(encoding)
        for text in {name, doubled}
        for encoding in ("utf-8", "cp1252", "utf-16-le")
        if encoding != "cp1252" or _fits(text)
    }


def _fits(text: str) -> bool:
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True
