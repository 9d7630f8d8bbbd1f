"""Lands literal files in a workspace of a test, and shows what became of every row."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import pyarrow.parquet as pq
import pytest

from features.errors import DataError
from pipelines.data.landing.ingest import IngestResult, ingest, landed_tables
from pipelines.foundation.settings.dialect import Dialect
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.settings.sources import FileSource, Source
from pipelines.foundation.storage.store import Store

LANDED_ON = date(2026, 1, 1)
HEADER = "order_id,customer_id,ordered_at,amount\n"
ROW = "A-1,C-1,2024-01-02,11.77\n"
ORDER_COLUMNS = {name: name for name in ("order_id", "customer_id", "ordered_at", "amount")}
UNNAMED = {name: name for name in ORDER_COLUMNS if name != "order_id"}


@dataclass(frozen=True)
class Landed:
    result: IngestResult
    rows: list[dict[str, Any]]
    rejects: list[dict[str, Any]]

    def values(self, *names: str) -> list[Any]:
        """Of each landed row, in the order of the source: one value, or a tuple of several."""
        rows = sorted(self.rows, key=lambda row: row["source_row"])
        return [row[names[0]] if len(names) == 1 else tuple(row[name] for name in names) for row in rows]

    @property
    def reasons(self) -> dict[int, str]:
        return {row["source_row"]: row["reason"] for row in self.rejects}

    def raw(self, source_row: int) -> Any:
        return json.loads(next(row["raw_row"] for row in self.rejects if row["source_row"] == source_row))


def settings(*sources: Source, time_zone: str = "UTC") -> Settings:
    return Settings(currency="EUR", time_zone=time_zone, sources=sources)


def source(path: str = "orders.csv", **changes: Any) -> Source:
    dialect = {name: changes.pop(name) for name in list(changes) if name in Dialect.model_fields}
    dialect |= {"time_zone": changes.pop("source_zone", None)}
    given = {"table": "orders", "columns": ORDER_COLUMNS, "max_rejected_share": 1.0} | changes
    return FileSource(path=path, dialect=Dialect(**dialect), **given)


def land(
    root: Path, content: bytes | str, *, path: str = "orders.csv", time_zone: str = "UTC", **changes: Any
) -> Landed:
    """Write a file and ingest it; every row is allowed to be rejected unless `changes` say otherwise."""
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(content.encode() if isinstance(content, str) else content)
    return land_file(root, path, time_zone=time_zone, **changes)


def land_file(root: Path, path: str, *, time_zone: str = "UTC", **changes: Any) -> Landed:
    store, sources = Store(root), [source(path, **changes)]
    if changes.get("table", "orders") not in ("orders", "order_lines"):  # without orders there are no settings
        (root / "orders.csv").write_text(HEADER + ROW)
        sources.insert(0, source())
    result = ingest(store, settings(*sources, time_zone=time_zone), today=LANDED_ON)[-1]
    return Landed(result, newest(store, "landed"), newest(store, "rejected"))


def newest(store: Store, kind: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(store.verified(store.files(kind)[-1])).to_pylist()
    return rows


def refusal(root: Path, content: bytes | str, **changes: Any) -> str:
    """The words with which a file is refused; nothing of it has landed."""
    with pytest.raises(DataError) as refused:
        land(root, content, **changes)
    assert Store(root).files("landed") == []
    return str(refused.value)


def statuses(store: Store, wanted: Settings) -> list[str]:
    return [result.status for result in ingest(store, wanted, today=LANDED_ON)]


def table(store: Store, name: str = "orders", wanted: Settings | None = None) -> list[dict[str, Any]]:
    """The rows of a landed table that hold, in the order in which they landed."""
    found = landed_tables(store, ibis.duckdb.connect(), settings=wanted)[name]
    if "known_until" in found.columns:
        found = found.filter(found.known_until.isnull()).drop("known_until")
    rows: list[dict[str, Any]] = found.order_by("landed_order", "source_row").to_pyarrow().to_pylist()
    return rows


def files_of(root: Path) -> dict[str, bytes]:
    """Every file below a workspace but its ledger."""
    return {
        place.relative_to(root).as_posix(): place.read_bytes()
        for place in root.rglob("*")
        if place.is_file() and not place.name.startswith("attrition.sqlite")
    }
