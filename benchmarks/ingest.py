"""Landing a CSV file of orders, a query over it, and the same orders in many files, beside DuckDB's own copies.

Each is a process of its own: `python -m benchmarks.ingest <what> <folder>` does it there, and says what it took.
"""

from __future__ import annotations

import argparse
import json
import shutil
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
from pipelines.foundation.storage.engine import open_engine
from pipelines.foundation.storage.landed_tables import landed_tables
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
FILES = 320  # a working year of daily exports
SOURCES = {
    "file": f'path = "orders.csv"\ncolumns = {{ {MAPPED} }}',
    "files": f'path = "days/*.csv"\ncolumns = {{ {MAPPED} }}',
    "query": 'query = "orders.sql"',
}
QUERY = f"SELECT {', '.join(COLUMNS)} FROM 'orders.csv'"  # noqa: S608 - constants
TYPED = (
    "SELECT order_id, customer_id, ordered_at::TIMESTAMP AS ordered_at, amount::DECIMAL(18, 4) AS amount "
    "FROM read_csv('orders.csv', all_varchar = true) ORDER BY customer_id, ordered_at"
)


def promise(report: Report, folder: Path, *, orders: int) -> None:
    """Seconds of processor of a file, a query and many files, over those of DuckDB's copies of the same."""
    folder.mkdir()
    export(folder / "orders.csv", orders)
    split(folder / "orders.csv", folder / "days", FILES)
    took = {what: apart(what, folder) for what in PARTS}

    def speed(over: str, ours: str) -> float:
        return took[over]["processor"] / took[ours]["processor"]

    name = f"landing {{}} of {orders:,} orders: speed over DuckDB's typed and sorted copy"
    report.row(name.format("a CSV file"), speed("typed", "file"), 1 / 2, at_least=True)
    report.shown(name.format("a query"), f"{speed('typed', 'query'):.4f}", "aimed at: 0.75")
    for what, ours in (("a CSV file", "file"), ("a query", "query")):
        report.shown(f"landing {what}: over its copy as it stands, of texts", f"{speed('copy', ours):.4f}")
        report.row(f"peak memory in GiB of landing {what}", took[ours]["peak_gib"], 2, at_least=False)
    report.shown(f"landing {FILES} files, over one", f"{1 / speed('file', 'files'):.4f}", "aimed at: 2")
    report.shown(f"reading {FILES} landed files, over one", f"{1 / speed('read', 'read files'):.4f}", "aimed at: 2")
    for what, each in took.items():
        report.note(
            f"{what}: {each['processor']:.1f} s of processor, {each['wall']:.1f} s, at most {each['peak_gib']:.2f} GiB"
        )


def export(place: Path, orders: int) -> None:
    """Orders of four years, as they came; twenty of each customer."""
    duckdb.execute(
        f"""COPY (
            SELECT printf('O-%09d', i) AS order_id, printf('C-%08d', hash(i) % {max(orders // 20, 1)}) AS customer_id,
                strftime(TIMESTAMP '2021-01-01' + to_seconds(i * 126144000 // {orders}), '{FORMAT}') AS ordered_at,
                printf('%.2f', hash(i * 7 + 1) % 50000 / 100.0) AS amount
            FROM range({orders}) AS numbers(i) ORDER BY i
        ) TO '{place}' (FORMAT csv, HEADER)"""  # noqa: S608 - ours
    )


def split(export: Path, folder: Path, files: int) -> None:
    """The same lines in so many files of as many, each with the headings."""
    folder.mkdir()
    header, *lines = export.read_text().splitlines(keepends=True)
    size = -(-len(lines) // files)
    for number in range(files):
        (folder / f"{number:03}.csv").write_text("".join([header, *lines[number * size :][:size]]))


def apart(what: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.ingest", what, str(folder.absolute())]
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
        shutil.copytree(folder / "days", root / "days")
        (root / "orders.sql").write_text(QUERY)
        (root / "attrition.toml").write_text(SETTINGS.format(source=SOURCES[source], date_format=FORMAT))
        ingest(Store(root), load(root / "attrition.toml"), today=date(2025, 1, 1))

    return land


def _read(source: str) -> Callable[[Path], None]:
    """What every command does with landed files: their tables, and here the sum of each customer."""

    def read(folder: Path) -> None:
        root, engine = folder / source, open_engine("duckdb")
        tables = landed_tables(Store(root), engine, settings=load(root / "attrition.toml"))
        orders = tables["orders"]
        engine.to_pyarrow(orders.group_by("customer_id").agg(spent=orders.amount.sum()))

    return read


PARTS = {
    "copy": _copy(QUERY),
    "typed": _copy(TYPED),
    **{source: _land(source) for source in SOURCES},
    "read": _read("file"),
    "read files": _read("files"),
}


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
