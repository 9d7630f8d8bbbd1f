"""Whatever a later file brings, snapshots before it stay as they were; and pieces of one delivery are that delivery."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.asof import as_of
from features.contract import Table
from features.tables import TABLES
from pipelines.data.landing.ingest import ingest
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.settings.sources import FileSource, Source
from pipelines.foundation.storage.landed_tables import landed_tables
from pipelines.foundation.storage.store import Store
from tests.features.histories import random_row
from tests.features.world_case import PARIS

CUSTOMERS = [f"c{number}" for number in range(60)]
LANDED = (date(2024, 3, 1), date(2024, 5, 1), date(2024, 6, 15))
DAYS = (date(2023, 9, 1), date(2024, 2, 28), date(2024, 3, 1), date(2024, 4, 30), date(2024, 5, 1))
KINDS = {"text": pa.string(), "currency": pa.string(), "integer": pa.int64(), "boolean": pa.bool_()}
SHOP = ("customer_id", "ordered_at", "amount")
Row = dict[str, Any]

# Sixty histories of each table, in each of which two files come later; `make histories WORLDS=4` looks at 12,960.
WORLDS = int(os.environ.get("WORLDS", "0"))
WAYS: tuple[Literal["rows", "period", "state"], ...] = ("rows", "period", "state")
CASES = [
    (table, way, world)
    for number, table in enumerate(TABLES)
    for way in (WAYS if WORLDS else WAYS[number % 3 :][:1])
    for world in range(max(WORLDS, 1))
]


def rows_of(source: random.Random, table: str, customers: Sequence[str]) -> list[Row]:
    """Random rows as an export has them, one per key: declared columns alone."""
    contract = TABLES[table]
    rows = [random_row(source, table, each) for each in customers for _ in range(source.randint(0, 4))]
    declared = [{column.name: row[column.name] for column in contract.columns} for row in rows]
    return list(
        {tuple(row[name] for name in contract.key) or number: row for number, row in enumerate(declared)}.values()
    )


def exported_later(source: random.Random, table: str, rows: Sequence[Row]) -> list[Row]:
    """The next export: rows kept, told otherwise, continued, left out, repeated and added, in another order."""
    contract, after = TABLES[table], list[Row]()
    for row in rows:
        chance = source.random()
        if chance < 0.15:
            continue
        other = random_row(source, table, row.get("customer_id", ""))
        lasting = (*contract.key, "customer_id")
        if chance < 0.3:
            names = [column.name for column in contract.columns if column.name not in lasting]
            after.append(row | {name: other[name] for name in source.sample(names, source.randint(1, len(names)))})
        elif chance < 0.45:
            names = [column.name for column in contract.columns if column.known_at]
            after.append(row | {name: other[name] for name in names if row[name] is None})
        else:
            after += [row] * (2 if chance > 0.95 and not contract.key else 1)
    keys = {tuple(row[name] for name in contract.key) for row in after}
    new = rows_of(source, table, CUSTOMERS[:30])
    after += [row for row in new if not contract.key or tuple(row[name] for name in contract.key) not in keys]
    source.shuffle(after)
    return after


@dataclass(frozen=True)
class Delivery:
    """A workspace of one table, into which files land."""

    root: Path
    table: str
    source: Source

    @property
    def settings(self) -> Settings:
        """With a shop that has sold nothing yet beside it: settings ask for one."""
        shop = FileSource(table="orders", path="shop.csv", columns={name: name for name in SHOP})
        sources = (self.source,) if self.table == "orders" else (self.source, shop)
        return Settings(currency="EUR", time_zone="Europe/Paris", sources=sources)

    def land(self, name: str, rows: Sequence[Row], on: date) -> None:
        pq.write_table(as_parquet(TABLES[self.table], rows), self.root / name)
        (self.root / "shop.csv").write_text(",".join(SHOP) + "\n")
        ingest(Store(self.root), self.settings, today=on)

    def known(self, days: Sequence[date]) -> dict[date, list[tuple[Any, ...]]]:
        """By day: the rows as they were known, every declared value as text, in one order."""
        contract, engine = TABLES[self.table], ibis.duckdb.connect()
        tables = landed_tables(Store(self.root), engine, settings=self.settings)
        names = [column.name for column in contract.columns]
        found: dict[date, list[tuple[Any, ...]]] = {}
        for day in days:
            table = as_of({self.table: tables[self.table]}, day, zone=PARIS)[self.table]
            found[day] = sorted(
                tuple(map(str, row.values())) for row in engine.to_pyarrow(table.select(*names)).to_pylist()
            )
        return found


def as_parquet(contract: Table, rows: Sequence[Row]) -> pa.Table:
    columns = {}
    for column in contract.columns:
        values = [row[column.name] for row in rows]
        if column.kind == "timestamp":
            columns[column.name] = pa.array(
                [None if each is None else each.replace(tzinfo=UTC) for each in values], pa.timestamp("us", "UTC")
            )
        elif column.kind in ("money", "number"):
            columns[column.name] = pa.array(
                [None if each is None else Decimal(str(round(each, 4))) for each in values], pa.decimal128(18, 4)
            )
        else:
            columns[column.name] = pa.array(values, KINDS[column.kind])
    return pa.table(columns)


def delivery(root: Path, table: str, **changes: Any) -> Delivery:
    root.mkdir(exist_ok=True)
    columns = {column.name: column.name for column in TABLES[table].columns}
    return Delivery(
        root, table, FileSource(table=table, path="*.parquet", columns=columns, max_rejected_share=0.0, **changes)
    )


@pytest.mark.parametrize(("table", "new_file", "world"), CASES)
def test_a_later_file_changes_no_snapshot_before_the_one_it_follows(
    table: str, new_file: str, world: int, tmp_path: Path
) -> None:
    source = random.Random(f"{table} {new_file} {world}")
    into, rows = delivery(tmp_path, table, new_file=new_file), rows_of(source, table, CUSTOMERS)
    for number, on in enumerate(LANDED):
        days = [day for day in DAYS if number and day <= LANDED[number - 1]][-2:]
        before = into.known(days) if number else {}
        into.land("same.parquet" if source.random() < 0.5 else f"{number}.parquet", rows, on)
        assert into.known(days) == before
        rows = exported_later(source, table, rows)


@pytest.mark.parametrize(("table", "world"), sorted({(table, world) for table, _, world in CASES}))
def test_pieces_of_one_delivery_are_that_delivery_in_whichever_order_they_overlap(
    table: str, world: int, tmp_path: Path
) -> None:
    days, source = (DAYS[0], DAYS[-1], date(2024, 6, 16)), random.Random(f"{table} {world}")
    rows = rows_of(source, table, CUSTOMERS)
    rows = [row for number, row in enumerate(rows) if row not in rows[:number]]  # torn apart, a repeat would be none
    whole, pieces = (delivery(tmp_path / name, table) for name in ("whole", "pieces"))
    whole.land("all.parquet", rows, LANDED[0])
    starts = sorted(source.sample(range(1, max(len(rows), 3)), 2))
    ends = (*starts, len(rows))
    cuts = [rows[max(0, start - 20) : end + 20] for start, end in zip((0, *starts), ends, strict=True)]
    source.shuffle(cuts)
    for number, piece in enumerate(cuts):
        pieces.land(f"{number}.parquet", source.sample(piece, len(piece)), LANDED[0])
    assert pieces.known(days) == whole.known(days)
