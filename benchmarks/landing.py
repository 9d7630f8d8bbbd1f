"""Landing a CSV file of orders, and a query over it, beside DuckDB's own copy of it to Parquet.

Each is a process of its own: `python -m benchmarks.landing <what> <folder>` does it there, and says what it took.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from time import perf_counter

import duckdb

from benchmarks.memory import peak_gib
from benchmarks.report import Report
from pipelines.data.landing.ingest import ingest
from pipelines.foundation.settings.settings import load
from pipelines.foundation.storage.store import Store

ROOT = Path(__file__).parent.parent
FORMAT = "%Y-%m-%d %H:%M:%S"
COLUMNS = ("order_id", "customer_id", "ordered_at", "amount")
SETTINGS = """
currency = "EUR"
time_zone = "Europe/Paris"
[[sources]]
table = "orders"
{source}
dialect = {{ date_format = "{date_format}" }}
"""
MAPPED = ", ".join(f'{name} = "{name}"' for name in COLUMNS)
SOURCES = {
    "file": f'path = "orders.csv"\ncolumns = {{ {MAPPED} }}',
    "query": 'query = "orders.sql"',
}
QUERY = f"SELECT {', '.join(COLUMNS)} FROM 'orders.csv'"  # noqa: S608 - constants
TYPED = (
    "SELECT order_id, customer_id, ordered_at::TIMESTAMP AS ordered_at, amount::DECIMAL(18, 4) AS amount "
    "FROM read_csv('orders.csv', all_varchar = true) ORDER BY customer_id, ordered_at"
)


def promise(report: Report, folder: Path, *, orders: int) -> None:
    """Seconds of processor of a file and of a query, over those of DuckDB's copy of the same."""
    folder.mkdir()
    _export(folder / "orders.csv", orders)
    took = {what: _apart(what, folder) for what in PARTS}
    for what, ours, at_least in (("a CSV file", "file", 1 / 2), ("a query over it", "query", 3 / 4)):
        name = f"landing {what} of {orders:,} orders: speed over DuckDB's copy to Parquet"
        speed = took["copy"]["processor"] / took[ours]["processor"]
        report.shown(name, f"{speed:.4f}", f"aimed at: {at_least:g}")
        beside = took["typed"]["processor"] / took[ours]["processor"]
        report.shown("the same over its typed and sorted copy", f"{beside:.4f}")
        report.row(f"peak memory in GiB of landing {what}", took[ours]["peak_gib"], 2, at_least=False)
    for what, each in took.items():
        report.note(
            f"{what}: {each['processor']:.1f} s of processor, {each['wall']:.1f} s, at most {each['peak_gib']:.2f} GiB"
        )


def _export(place: Path, orders: int) -> None:
    """Orders of four years, as they came; twenty of each customer."""
    duckdb.execute(
        f"""COPY (
            SELECT printf('O-%09d', i) AS order_id, printf('C-%08d', hash(i) % {max(orders // 20, 1)}) AS customer_id,
                strftime(TIMESTAMP '2021-01-01' + to_seconds(i * 126144000 // {orders}), '{FORMAT}') AS ordered_at,
                printf('%.2f', hash(i * 7 + 1) % 50000 / 100.0) AS amount
            FROM range({orders}) AS numbers(i) ORDER BY i
        ) TO '{place}' (FORMAT csv, HEADER)"""  # noqa: S608 - ours
    )


def _apart(what: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.landing", what, str(folder.absolute())]
    said: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout)  # noqa: S603 - ours
    return said


def _copy(query: str) -> Callable[[Path], None]:
    def copy(folder: Path) -> None:
        with duckdb.connect(config={"memory_limit": "2GB", "temp_directory": str(folder / "spilled")}) as connection:
            connection.execute(f"SET file_search_path = '{folder}'")
            connection.execute(f"COPY ({query}) TO '{folder / 'copy.parquet'}' (FORMAT parquet, COMPRESSION zstd)")

    return copy


def _land(source: str) -> Callable[[Path], None]:
    def land(folder: Path) -> None:
        root = folder / source
        root.mkdir()
        (root / "orders.csv").hardlink_to(folder / "orders.csv")
        (root / "orders.sql").write_text(QUERY)
        (root / "attrition.toml").write_text(SETTINGS.format(source=SOURCES[source], date_format=FORMAT))
        ingest(Store(root), load(root / "attrition.toml"), today=date(2025, 1, 1))

    return land


PARTS = {"copy": _copy(QUERY), "typed": _copy(TYPED), "file": _land("file"), "query": _land("query")}


def main() -> None:
    """Do one of them, and say what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=PARTS)
    parser.add_argument("folder", type=Path)
    chosen = parser.parse_args()
    before, start = _processor(), perf_counter()
    PARTS[chosen.what](chosen.folder)
    wall, processor = perf_counter() - start, _processor() - before
    print(json.dumps({"wall": wall, "processor": processor, "peak_gib": peak_gib()}))


def _processor() -> float:
    return sum(sum(getrusage(who)[:2]) for who in (RUSAGE_SELF, RUSAGE_CHILDREN))


if __name__ == "__main__":
    main()
