"""What landed before the file that lands now, read once a run however many files land in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.contract import Table
from pipelines.data.landing.typed_rows import TypedRows
from pipelines.foundation.storage.landings import LANDED
from pipelines.foundation.storage.meeting import name_in_meets
from pipelines.foundation.storage.sql_text import identifier, identifiers, parquet
from pipelines.foundation.storage.store import Store, StoredFile


@dataclass(frozen=True)
class _Keys:
    """The keys of a landed file. place: its number among all; span: the least and the greatest first part of its keys.

    lengths: the least and the greatest length of that: as texts, 9 lies beyond 10.
    """

    place: int
    span: tuple[str, str]
    lengths: tuple[int, int]

    def touches(self, other: _Keys) -> bool:
        """Whether a key of one may be a key of the other."""
        return _touch(self.span, other.span) and _touch(self.lengths, other.lengths)


class LandedBefore:
    """What landed of each table. connection: holds hashes of keys, 12 bytes a row."""

    def __init__(self, store: Store, connection: duckdb.DuckDBPyConnection) -> None:
        self._store, self._connection = store, connection
        self._places = count()
        self._keys: dict[str, dict[str, _Keys | None]] = {}  # by table and file; None: without rows
        self._codes: dict[tuple[str, str], frozenset[str]] = {}
        connection.execute("CREATE TABLE keys (place INTEGER, hash UBIGINT)")

    def meeting(self, rows: TypedRows, contract: Table) -> list[str]:
        """The landed files of a table, of any source, that may hold a key of some rows, by name.

        Only these are held against the rows, now and ever after: equal keys have equal hashes.
        Raises: IntegrityError where a landed file was altered.
        """
        known = self._keys.setdefault(contract.name, {})
        keyed = [file for file in self._store.files(LANDED) if file.detail["keyed"]]
        files = {name_in_meets(file): file for file in keyed if file.detail["table"] == contract.name}
        gone = list[str]()
        for name in files.keys() - known.keys():
            if self._store.place(files[name].path).exists():
                known[name] = self._read(files[name], contract, place=next(self._places))
            else:
                gone.append(name)  # what it held is not known
        arriving = "typed WHERE why IS NULL"
        own = _keys(rows.ask(_range_sql(contract, arriving)), place=-1)
        near = {keys.place: name for name, keys in known.items() if keys and own and keys.touches(own)}
        if not near:
            return sorted(gone)
        hashes = rows.ask_all(f"SELECT hash({identifiers(contract.key)}) AS hash FROM {arriving}")  # noqa: S608 - quoted
        self._connection.register("arriving", hashes)
        found = self._connection.execute("SELECT DISTINCT place FROM keys SEMI JOIN arriving USING (hash)").fetchall()
        self._connection.unregister("arriving")
        return sorted([*gone, *(near[place] for (place,) in found if place in near)])

    def codes(self, column: str, files: Sequence[StoredFile]) -> frozenset[str]:
        """The values that a code column has in some landed files; of one that is gone none.

        Raises: IntegrityError where a landed file was altered.
        """
        return frozenset().union(*(self._codes_of(file, column) for file in files))

    def _codes_of(self, file: StoredFile, column: str) -> frozenset[str]:
        if (file.path, column) not in self._codes:
            there = self._store.place(file.path).exists()
            read = pq.read_table(self._store.verified(file), columns=[column])[column] if there else pa.array([])
            self._codes[file.path, column] = frozenset(pc.unique(read).to_pylist()) - {None}
        return self._codes[file.path, column]

    def _read(self, file: StoredFile, contract: Table, *, place: int) -> _Keys | None:
        rows = parquet(self._store.verified(file))
        hashes = f"SELECT {place}, hash({identifiers(contract.key)}) FROM {rows}"  # noqa: S608 - quoted
        self._connection.execute(f"INSERT INTO keys {hashes}")
        return _keys(self._connection.execute(_range_sql(contract, rows)).fetchone(), place=place)


def _range_sql(contract: Table, rows: str) -> str:
    first = identifier(contract.key[0])
    return f"SELECT min({first}), max({first}), min(length({first})), max(length({first})) FROM {rows}"  # noqa: S608 - quoted


def _keys(found: Sequence[Any] | None, *, place: int) -> _Keys | None:
    if found is None or found[0] is None:
        return None
    least, greatest, shortest, longest = found
    return _Keys(place, (least, greatest), (shortest, longest))


def _touch(one: tuple[Any, Any], other: tuple[Any, Any]) -> bool:
    return bool(one[0] <= other[1] and other[0] <= one[1])
