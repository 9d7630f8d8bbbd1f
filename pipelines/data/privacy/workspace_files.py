"""Files that are made from landed rows and can be made again: which customers stand in them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import duckdb
import pyarrow.parquet as pq

from models import artifact
from pipelines.foundation.identity.objections import ID
from pipelines.foundation.storage.sql_text import PARQUET
from pipelines.foundation.storage.store import Store, StoredFile

# These are rewritten row by row, or hold nobody.
_TREATED_APART = ("landed", "rejected", "scores", "delivery", "report", "model")

_COUNT = f"SELECT {ID}, count(*) FROM {PARQUET} WHERE {ID} IN (SELECT unnest(?::VARCHAR[])) GROUP BY ALL"  # noqa: S608 - constants


def made_files(store: Store) -> list[StoredFile]:
    """Every Parquet file of the ledger that is on the disk, names customers, and is made from others."""
    return [
        file
        for file in _made(store)
        if store.place(file.path).exists() and ID in pq.read_schema(store.verified(file)).names
    ]


def gone_files(store: Store) -> list[StoredFile]:
    """Entries of Parquet files that are made from others and are on the disk no more: removing one was broken off."""
    return [file for file in _made(store) if not store.place(file.path).exists()]


def _made(store: Store) -> list[StoredFile]:
    with store.transaction() as ledger:
        kinds = [row["kind"] for row in ledger.execute("SELECT DISTINCT kind FROM files ORDER BY kind").fetchall()]
    wanted = [kind for kind in kinds if kind not in _TREATED_APART]
    return [file for kind in wanted for file in store.files(kind) if file.path.endswith(".parquet")]


def rows_of(store: Store, file: StoredFile, names: Collection[str]) -> dict[str, int]:
    """How many rows of a file with a column customer_id each of some customers has; a file that is gone has none."""
    place = store.place(file.path)
    if not place.exists():
        return {}
    with duckdb.connect() as connection:
        return dict(connection.execute(_COUNT, [str(store.verified(file)), list(names)]).fetchall())


def models(store: Store) -> Iterator[dict[str, Any]]:
    """Every model of every outcome that has a local copy: version, outcome, and the days of its snapshots."""
    with store.transaction() as ledger:
        rows = ledger.execute("SELECT version, outcome FROM versions ORDER BY sequence").fetchall()
    for row in rows:
        stored = store.present(f"models/{row['version']}/model.json")
        if stored is not None:
            text = store.verified(stored).read_text(encoding="utf-8", errors="replace")
            days = artifact.snapshots({artifact.MODEL: text})
            yield {"version": row["version"], "outcome": row["outcome"], "days": days}
