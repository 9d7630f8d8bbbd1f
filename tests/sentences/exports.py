"""A workspace's exported files as rows of the contracts, read by plain Python: what the oracles look at."""

from __future__ import annotations

import csv
import math
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq

from features.contract import ROW_CLOCKS, Table
from features.tables import TABLES
from tests.features.oracles.known import Row, known_world
from tests.features.oracles.vantage import Vantage, standing_at

Settings = Mapping[str, Any]
SPACES = {" ", "\u00a0", "\u202f"}


def settings_of(root: Path) -> Settings:
    return tomllib.loads((root / "attrition.toml").read_text(encoding="utf-8"))


def vantage_of(settings: Settings) -> Vantage:
    """From where a workspace is scored whose settings say the day."""
    outcome = settings["outcome"]
    return Vantage(
        day=date.fromisoformat(str(settings["as_of"])),
        zone=ZoneInfo(settings["time_zone"]),
        lookbacks=tuple(settings["lookback_days"]),
        horizon_days=outcome["lead_days"] + outcome["horizon_days"],
    )


def known_rows(root: Path) -> dict[str, list[Row]]:
    """By table, what the files of a workspace say that was known at its day."""
    settings = settings_of(root)
    zone = ZoneInfo(settings["time_zone"])
    world: dict[str, list[Row]] = {}
    for source in settings["sources"]:
        rows = world.setdefault(source["table"], [])
        for place in sorted(root.glob(source["path"])):
            rows += exported(place, source, zone)
    with standing_at(vantage_of(settings)):
        return known_world(world)


def exported(place: Path, source: Settings, zone: ZoneInfo) -> Iterator[Row]:
    """The rows of one file, with the contract's names and types; moments in UTC without a mark."""
    contract, dialect = TABLES[source["table"]], source.get("dialect", {})
    wanted = source["columns"]
    readers = {name: partial(_READERS[kind], zone=zone, dialect=dialect) for name, kind in _kinds(contract).items()}
    raw = _parquet(place) if place.suffix == ".parquet" else _csv(place, dialect)
    for number, row in enumerate(raw, start=1):
        read: Row = {
            name: None if _empty(row[theirs]) else readers[name](row[theirs]) for name, theirs in wanted.items()
        }
        for column in contract.columns:
            if column.made_when_absent and column.name not in wanted:
                read[column.name] = f"row {number}"
        yield read | {"source_row": number, "landed_order": 0}


def _kinds(contract: Table) -> dict[str, str]:
    return {column.name: column.kind for column in (*contract.columns, *ROW_CLOCKS)}


def _parquet(place: Path) -> list[Row]:
    found: list[Row] = pq.read_table(place).to_pylist()
    return found


def _csv(place: Path, dialect: Settings) -> Iterator[Row]:
    with place.open(encoding=dialect.get("encoding", "utf-8"), newline="") as handle:
        yield from csv.DictReader(handle, delimiter=dialect.get("delimiter", ","))


def _empty(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value)) or value != value  # noqa: PLR0124 - not a time


def _moment(value: Any, *, zone: ZoneInfo, dialect: Settings) -> datetime:
    if isinstance(value, str):
        value = datetime.strptime(value, dialect.get("date_format", "%Y-%m-%d"))  # noqa: DTZ007 - local until here
    local: datetime = value.replace(tzinfo=zone)
    return local.astimezone(UTC).replace(tzinfo=None)


def _number(value: Any, *, zone: ZoneInfo, dialect: Settings) -> Decimal:
    if isinstance(value, str):
        group = dialect.get("thousands", "")
        kept = "".join(sign for sign in value if not (sign == group or (group == " " and sign in SPACES)))
        value = kept.replace(dialect.get("decimal", "."), ".")
    return Decimal(str(value))


def _integer(value: Any, *, zone: ZoneInfo, dialect: Settings) -> int:
    return int(value)


def _flag(value: Any, *, zone: ZoneInfo, dialect: Settings) -> bool:
    assert isinstance(value, bool), "the exports that are read here keep flags as such"
    return value


def _text(value: Any, *, zone: ZoneInfo, dialect: Settings) -> str:
    return str(value)


_READERS: Mapping[str, Callable[..., Any]] = {
    "timestamp": _moment,
    "money": _number,
    "number": _number,
    "integer": _integer,
    "boolean": _flag,
    "text": _text,
    "currency": _text,
}
