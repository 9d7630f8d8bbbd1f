"""Seconds and peak memory of the usage family's snapshots, beside one bare group-by over the same file.

Run as `python -m benchmarks.snapshots WHAT FOLDER ...`: what is measured has a process of its own, so that its peak
memory is its own. The last line printed is JSON.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from time import perf_counter, process_time
from typing import TypeVar
from zoneinfo import ZoneInfo

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.memory import peak_gib
from benchmarks.usage_rows import CONTRACT, LANDED, ORDERS, customer_ids, write_usage
from features.asof import as_of
from features.catalog import Group, Lookbacks
from features.training_set import families, part
from features.windows import together
from models.matrix import ENTITY
from pipelines.data.snapshots.measured import MeasuredTables
from pipelines.foundation.storage.engine import open_engine, parquet_table
from pipelines.foundation.workspace.compiled_queries import CompiledQueries
from pipelines.foundation.workspace.console import Console

REPEATS = 3
AHEAD = 12  # snapshots that are said to be asked for before the first is
UTC = ZoneInfo("UTC")
Made = TypeVar("Made")
SPANS = Lookbacks(lookback_days=(7, 30, 90, 365), horizon_days=30)
GROUPS = [group for family in families([CONTRACT.name]) if family.name == "usage" for group in family.groups]
COLUMNS = [name for group in GROUPS for name in group.columns(SPANS.lookback_days)]


@dataclass(frozen=True)
class Seconds:
    """By the clock and, where others use the machine too, of processor."""

    wall: float
    processor: float


def timed(work: Callable[[], Made]) -> tuple[Made, Seconds]:
    wall, processor = perf_counter(), process_time()
    made = work()
    return made, Seconds(perf_counter() - wall, process_time() - processor)


def bare(place: Path) -> Seconds:
    """The fastest of three: count and sum per customer, by the engine as the product opens it."""
    engine = open_engine("duckdb")
    query = f"SELECT customer_id, count(*), sum(quantity) FROM '{place}' GROUP BY customer_id"  # noqa: S608 - our file
    times = [timed(lambda: engine.raw_sql(query).to_arrow_table())[1] for _ in range(REPEATS)]
    return Seconds(min(each.wall for each in times), min(each.processor for each in times))


def features(place: Path, customers: int, measured: MeasuredTables) -> Callable[[date], pa.Table]:
    """What gives a day's features of everybody, as `features` of data/snapshots puts them together on DuckDB."""
    engine = open_engine("duckdb")
    tables = {CONTRACT.name: parquet_table(engine, [place], list(CONTRACT.landed))}
    # A workspace's cohort needs orders or subscriptions; its queries need no more of it than this.
    compiled = CompiledQueries(engine, UTC)
    everybody = pa.table({ENTITY: customer_ids(customers)})
    cohort = compiled.rows_of("everybody", everybody)

    def of(day: date) -> pa.Table:
        found = everybody
        taken = measured.take(day, everybody[ENTITY])
        computed = {name: compiled.rows_of(f"measured_{name}", rows, copied=False) for name, rows in taken.items()}
        for group in GROUPS:
            make = partial(_part, group, tables, cohort, computed)
            columns = compiled.run(group, make, day, needs_day=False)
            assert columns[ENTITY].equals(everybody[ENTITY])
            for name in columns.column_names[1:]:
                found = found.append_column(name, columns[name])
        return found

    return of


def _part(
    group: Group, tables: Mapping[str, ir.Table], cohort: ir.Table, computed: Mapping[str, ir.Table], day: date
) -> ir.Table:
    return part(group, replace(as_of(tables, day, zone=UTC), computed=computed), cohort, SPANS)


def in_attrition(folder: Path, *, customers: int, days: Sequence[date]) -> list[Seconds]:
    """What each snapshot took, out of one engine as in a run; the pass for the first twelve is part of the first."""
    declared = together(group.windows for group in GROUPS if group.windows is not None)
    measured = MeasuredTables(
        windows=declared,
        files={CONTRACT.name: [folder / LANDED]},
        lookback_days=SPANS.lookback_days,
        zone=UTC,
        folder=folder / "measured",
    )
    of = features(folder / LANDED, customers, measured)
    ahead = list(days[:AHEAD])
    _, passed = timed(partial(measured.prepare, ahead))
    first, *others = _each(folder, "attrition", days, of)
    return [Seconds(first.wall + passed.wall, first.processor + passed.processor), *others]


def in_pandas(folder: Path, *, customers: int, days: Sequence[date]) -> list[Seconds]:
    """The same in pandas, which reads the file once: that is part of the first snapshot's seconds."""
    from benchmarks import snapshots_in_pandas

    usage = cache(lambda: snapshots_in_pandas.read(folder / LANDED))

    def of(day: date) -> pa.Table:
        frame = snapshots_in_pandas.features(usage(), day, SPANS.lookback_days, everybody=customer_ids(customers))
        return pa.Table.from_pandas(frame)

    return _each(folder, "pandas", days, of)


def main() -> None:
    """Make rows or measure one thing."""
    parser = argparse.ArgumentParser(prog="benchmarks.snapshots", description=__doc__)
    parser.add_argument("what", choices=["rows", "bare", "attrition", "pandas"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--events", type=int, default=0, help="rows to make")
    parser.add_argument("--customers", type=int, default=0)
    parser.add_argument("--files", nargs="+", choices=list(ORDERS), default=list(ORDERS), help="orders of the rows")
    parser.add_argument("--days", type=date.fromisoformat, nargs="+", default=[], help="snapshots")
    asked = parser.parse_args()
    times: list[Seconds] = []
    if asked.what == "rows":
        _write(asked.folder, asked.files, events=asked.events, customers=asked.customers)
    elif asked.what == "bare":
        times = [bare(asked.folder / name) for name in asked.files]
    else:
        measure = in_attrition if asked.what == "attrition" else in_pandas
        times = measure(asked.folder, customers=asked.customers, days=asked.days)
    versions = {"pandas": version("pandas")}
    print(json.dumps({"times": [asdict(each) for each in times], "peak_gib": peak_gib(), "versions": versions}))


def _write(folder: Path, files: Sequence[str], *, events: int, customers: int) -> None:
    with Console().stage("rows", steps=len(files)) as step:
        for name in files:
            write_usage(folder, name, events=events, customers=customers)
            step(f"{events:,} in {name}")


def _each(folder: Path, name: str, days: Sequence[date], of: Callable[[date], pa.Table]) -> list[Seconds]:
    """What each day took; the values are left in files, for whoever compares them."""
    times = []
    (folder / name).mkdir(exist_ok=True)
    with Console().stage(name, steps=len(days)) as step:
        for day in days:
            found, seconds = timed(partial(of, day))
            times.append(seconds)
            pq.write_table(found, folder / name / f"{day}.parquet")
            step(f"snapshot of {day}")
    return times


if __name__ == "__main__":
    main()
