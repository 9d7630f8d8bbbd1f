"""What a query of a layout sees and how what it gives is read, by hand: no reader of the product is asked."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from features.tables import TABLES
from tests.layouts.shop import ZONE, Figures

LAYOUTS = Path(__file__).parent.parent.parent / "pipelines" / "data" / "layouts"
_FILE = re.compile(r"FROM\s+'([^']+)'", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?\d+(\.\d{1,4}0*)?")

Row = dict[str, object]


def query(layout: str, name: str) -> str:
    return (LAYOUTS / layout / name).read_text(encoding="utf-8")


def run(sql: str, folder: Path, *, delimiter: str = ",") -> list[Row]:
    """The rows of a query over the files of a folder; every file is named once, in a WITH clause at the top."""
    names = _FILE.findall(sql)
    assert len(names) == len(set(names)), "a file is named in more than one place"
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for number, name in enumerate(names):
            _view(connection, f"file_{number}", sorted(folder.glob(name)), delimiter)
            sql = sql.replace(f"'{name}'", f"file_{number}")
        found = connection.execute(sql)
        headings = [column[0] for column in found.description or ()]
        return [dict(zip(headings, values, strict=True)) for values in found.fetchall()]


def _view(connection: duckdb.DuckDBPyConnection, name: str, paths: Sequence[Path], delimiter: str) -> None:
    assert paths, f"no file for {name}"
    if paths[0].suffix == ".parquet":
        listed = ", ".join(f"'{path}'" for path in paths)
        connection.execute(f"CREATE VIEW {name} AS FROM read_parquet([{listed}])")
        return
    columns: dict[str, list[str | int | None]] = {}
    for path in paths:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            for number, row in enumerate(csv.DictReader(handle, delimiter=delimiter), start=1):
                for heading, cell in row.items():
                    columns.setdefault(heading, []).append((cell or "").strip() or None)
                columns.setdefault("source_file", []).append(path.name)
                columns.setdefault("source_row", []).append(number)
    types = {heading: pa.int64() if heading == "source_row" else pa.string() for heading in columns}
    table = pa.table({heading: pa.array(cells, types[heading]) for heading, cells in columns.items()})
    connection.register(f"{name}_cells", table)
    connection.execute(f"CREATE VIEW {name} AS FROM {name}_cells")


def figures(
    rows: Sequence[Row],
    table: str,
    *,
    date_format: str,
    guests: Sequence[str] = (),
    zone: ZoneInfo = ZONE,
    written_in: tzinfo | None = None,
) -> Figures:
    """Rows of a table by month of `zone`, read strictly: what is no number or no date is refused with its row.

    guests: what stands for nobody known, beside an empty value. written_in: the zone of times without offset; None:
    `zone`.
    """
    contract = TABLES[table]
    strange = set(rows[0] if rows else ()) - {column.name for column in contract.columns}
    if strange:
        raise TypeError(f"{table} has no {sorted(strange)}")
    found = Figures()
    for row in rows:
        if row["customer_id"] is None or row["customer_id"] in guests:
            found.guests += 1
            continue
        lacks = any(column.required and row.get(column.name, "made") is None for column in contract.columns)
        try:
            read = {
                column.name: _read(column.kind, row.get(column.name), date_format, written_in or zone)
                for column in contract.columns
            }
        except ValueError:
            lacks = True
        if lacks:
            found.rejected.add(str(row.get("order_id", row["customer_id"])))
            continue
        _count(found, read, contract.happened_at, zone)
    return found


def _count(found: Figures, read: Mapping[str, object], happened_at: str, zone: ZoneInfo) -> None:
    def month(name: str) -> str | None:
        at = read.get(name)
        return f"{at.astimezone(zone):%Y-%m}" if isinstance(at, datetime) else None

    def money(name: str) -> Decimal:
        value = read.get(name)
        return value if isinstance(value, Decimal) else Decimal()

    value = money("quantity") * money("unit_price") if "unit_price" in read else money("amount")
    found.add(month(happened_at) or "", str(read["customer_id"]), value)
    if refunded := month("refunded_at"):
        found.refunds[refunded] = found.refunds.get(refunded, Decimal()) + money("refunded_amount")
    if cancelled := month("cancelled_at"):
        found.cancelled[cancelled] = found.cancelled.get(cancelled, 0) + 1


def _read(kind: str, value: object, date_format: str, zone: tzinfo) -> datetime | Decimal | str | None:
    if value is None or kind in {"text", "currency"}:
        if not isinstance(value, str | None):
            raise TypeError(f"{value!r} is no text")
        return value
    if kind == "timestamp":
        # Without an offset it is a local time, which the next line says.
        at = value if isinstance(value, datetime) else datetime.strptime(str(value), date_format)  # noqa: DTZ007
        return at.replace(tzinfo=zone).astimezone(UTC) if at.tzinfo is None else at
    if isinstance(value, float):
        raise TypeError("money and quantities are exact")
    if not _NUMBER.fullmatch(str(value)):
        raise ValueError(f"{value} is no number")
    return Decimal(str(value))


def compare(found: Figures, right: Figures) -> None:
    """Everything that is told by hand, to the cent and by month."""
    assert found.rows == right.rows
    assert found.guests == right.guests
    assert found.rejected == right.rejected
    assert found.buyers == right.buyers
    assert found.money == right.money
    assert found.refunds == right.refunds
    assert found.cancelled == right.cancelled
