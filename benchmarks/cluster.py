"""A company that one machine still holds, scored by DuckDB and on a cluster: the same figures, by whom, in what memory.

The company is simulated; its uses are repeated, some seconds apart, until there are as many as asked for.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pandas as pd

from benchmarks.report import Report
from benchmarks.servers import Cluster, object_store, sail, spark_cluster
from pipelines.foundation.settings.settings import FILE_NAME, load
from pipelines.foundation.settings.template import render
from pipelines.foundation.simulation.simulate import simulate

ATTRITION = Path(sys.executable).parent / "attrition"
TOLERANCE = 1e-9
MONTHS = 18
BUCKET = "lake"
# Two snapshots and no folds give a model to score with; that it is a good one is measured elsewhere.
SMALLER: Mapping[str, Mapping[str, object]] = {
    "outcome": {"also": ()},
    "snapshots": {"every_days": 91, "at_most": 2},
    "backtest": {"folds": 1, "bootstrap_samples": 20},
}
OPTIONS = {"spark.sql.shuffle.partitions": "4"}


def promise(report: Report, folder: Path, *, customers: int, events: int) -> None:
    """Columns and scores by DuckDB and by a cluster of two workers, and by Sail from a store of objects."""
    sizes = (events // 10, events)
    made = {size: company(folder / f"company-{size}", customers=customers, events=size) for size in sizes}
    drivers = {}
    with spark_cluster(folder / "cluster") as cluster:
        for size, finished in made.items():
            root = on(finished, folder / f"cluster-{size}", remote=cluster.remote, shared=str(folder), options=OPTIONS)
            seconds, drivers[size] = scored(root)
            name = f"{customers:,} customers, {size:,} uses, two workers"
            _alike(report, name, finished, root)
            report.note(
                f"{name}: a snapshot and its scores {seconds:.0f} s, the command's peak {drivers[size]:.2f} GiB"
            )
    grown = drivers[sizes[1]] / drivers[sizes[0]]
    report.row(f"the command's peak memory, {sizes[1]:,} uses over {sizes[0]:,}", grown, 1.1, at_least=False)
    busy = by_worker(cluster)
    report.row("work of the idler worker over the busier's, by Spark", min(busy) / max(busy), 0.5, at_least=True)
    report.note("Spark's own seconds of tasks by worker: " + ", ".join(f"{each:,.0f}" for each in busy))
    root = folder / "killed" / "workspace"
    with spark_cluster(folder / "killing") as cluster:
        root = on(made[sizes[0]], folder / "killed", remote=cluster.remote, shared=str(root.parent), options=OPTIONS)
        running = start(root)
        while running.poll() is None and len(list(root.parent.glob("attrition-parts/*/*/_SUCCESS"))) < 5:
            time.sleep(0.1)
        cluster.kill_worker()
        said = running.communicate()
    assert running.returncode == 0, said
    report.row(
        "a worker killed: columns and scores that differ", len(differences(made[sizes[0]], root)), 0, at_least=False
    )
    with object_store(folder, BUCKET) as found, sail(folder, found) as remote:
        root = on(made[events], folder / "sail", remote=remote, shared=f"s3://{BUCKET}/attrition", options={})
        seconds, _ = scored(root, found)
        _alike(report, f"Sail from s3://, {events:,} uses", made[events], root)
        report.note(f"Sail from s3://: {seconds:.0f} s")


def _alike(report: Report, name: str, here: Path, there: Path) -> None:
    report.row(f"{name}: columns and scores that differ", len(differences(here, there)), 0, at_least=False)


def company(root: Path, *, customers: int, events: int) -> Path:
    """A simulated company with so many uses, landed, trained and scored by DuckDB."""
    simulate(root, customers=customers, months=MONTHS, seed=5)
    place, more = root / "usage.parquet", root / "more.parquet"
    with duckdb.connect() as connection:
        named = f"read_parquet('{place}')"
        (rows,) = connection.execute(f"SELECT count(*) FROM {named}").fetchone() or (0,)  # noqa: S608 - ours
        times = -(-events // rows)
        connection.execute(
            f"COPY (SELECT * REPLACE (used_at - to_seconds(n * 7) AS used_at) FROM {named}, range({times}) t(n) "  # noqa: S608
            f"LIMIT {events}) TO '{more}' (FORMAT parquet)"
        )
    more.replace(place)
    settings = load(root / FILE_NAME)
    sections = {name: getattr(settings, name).model_copy(update=changes) for name, changes in SMALLER.items()}
    (root / FILE_NAME).write_text(render(settings.model_copy(update=sections)), encoding="utf-8")
    for stage in ("ingest", "train", "score"):
        running = start(root, stage)
        said = running.communicate()
        assert running.returncode == 0, said
    return root


def on(finished: Path, folder: Path, *, shared: str, options: Mapping[str, str], **place: str) -> Path:
    """A copy of a workspace without its snapshots, to be computed elsewhere."""
    root = folder / "workspace"
    shutil.copytree(finished, root)
    shutil.rmtree(root / "snapshots")
    told = {"kind": "spark", "shared": shared, **place}
    lines = [f"{name} = {json.dumps(value)}" for name, value in told.items()]
    table = ", ".join(f"{json.dumps(name)} = {json.dumps(value)}" for name, value in options.items())
    section = "\n".join(["[engine]", *lines, f"options = {{{table}}}"])
    text = (root / FILE_NAME).read_text(encoding="utf-8")
    text, replaced = re.subn(r"^\[engine\]\n(?:[^\[].*\n)*", section + "\n\n", text, flags=re.MULTILINE)
    assert replaced == 1
    (root / FILE_NAME).write_text(text, encoding="utf-8")
    return root


def start(root: Path, *words: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """A command of ours; `score` where none is named."""
    return subprocess.Popen(  # noqa: S603 - ours
        [str(ATTRITION), *(words or ("score",)), "--project", str(root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | dict(environment or {}),
    )


def scored(root: Path, environment: Mapping[str, str] | None = None) -> tuple[float, float]:
    """Seconds that `score` took, and the most memory that its process held, in GiB."""
    begun, peak = time.monotonic(), 0.0
    running = start(root, environment=environment)
    while running.poll() is None:
        status = Path(f"/proc/{running.pid}/status")
        lines = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        peak = max(peak, *(int(line.split()[1]) / 2**20 for line in lines), 0.0)
        time.sleep(0.2)
    assert running.returncode == 0, running.communicate()
    return time.monotonic() - begun, peak


def differences(here: Path, there: Path) -> list[str]:
    """Columns of the newest snapshot, and of the scores, that differ by more than the tolerance."""
    found = _that_differ(newest(here), newest(there))
    one, other = (pd.read_parquet(max(root.glob("scores/*.parquet"))) for root in (here, there))
    stamps = ["scored_at", "run_id"]
    return found + _that_differ(one.drop(columns=stamps), other.drop(columns=stamps))


def newest(root: Path) -> pd.DataFrame:
    """The newest snapshot of a workspace."""
    return pd.read_parquet(max(root.glob("snapshots/*.parquet"), key=lambda place: place.name))


def _that_differ(one: pd.DataFrame, other: pd.DataFrame) -> list[str]:
    assert list(one.columns) == list(other.columns)
    assert list(one["customer_id"]) == list(other["customer_id"])
    return [str(name) for name in one if not _same(one[name], other[name]).all()]


def _same(one: pd.Series, other: pd.Series) -> pd.Series:
    """By row: both unknown, or the same to the tolerance."""
    try:
        left, right = one.astype("float64"), other.astype("float64")
    except (TypeError, ValueError):
        return one.astype(str) == other.astype(str)
    return (left.isna() & right.isna()) | ((left - right).abs() <= TOLERANCE * (1 + left.abs()))


def by_worker(cluster: Cluster) -> list[float]:
    """Seconds of tasks that each executor ran, as Spark itself noted them."""
    seconds: dict[str, float] = {}
    for place in cluster.events.iterdir():
        for line in place.read_text(encoding="utf-8").splitlines():
            event = json.loads(line)
            if event["Event"] == "SparkListenerTaskEnd":
                told = event["Task Info"]
                took = (told["Finish Time"] - told["Launch Time"]) / 1000
                seconds[told["Executor ID"]] = seconds.get(told["Executor ID"], 0.0) + took
    return sorted(seconds.values())
