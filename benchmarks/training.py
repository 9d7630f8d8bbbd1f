"""Memory of a training, and what it costs to learn from fewer rows than there are.

Run as `python -m benchmarks.training WHAT FOLDER ...`: what is measured has a process of its own, so that its peak
memory is its own. The last line printed is JSON.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import simulated
from benchmarks.memory import peak_gib
from benchmarks.report import Report
from models import sampling, training
from models.evaluation import metrics
from models.matrix import ENTITY, Matrix
from pipelines.data.landing.ingest import ingest
from pipelines.data.snapshots.learned import learned_rows
from pipelines.foundation.settings.settings import FILE_NAME
from pipelines.foundation.storage.store import Store, StoredFile
from pipelines.foundation.workspace.console import Console
from pipelines.foundation.workspace.init import init
from pipelines.foundation.workspace.workspace import open_workspace
from pipelines.prediction.training.task import PredictionTask, main_task

DAYS = 12
MOST_GIB = 8.0
FOLDS = 3
_ROWS_AT_ONCE = 100_000


def promise(report: Report, folder: Path, *, customers: int) -> None:
    """Peak memory at two sizes, each beside what the values alone would take; log loss by a quarter of the rows.

    customers: of the simulated company by which log loss is compared.
    """
    folder.mkdir(exist_ok=True)
    for name, size in (("company", 200_000), ("shop", 1_000_000)):
        _alone("make", folder / name, "--kind", name, "--customers", size)
        found = _alone("fit", folder / name, "--gib", MOST_GIB)
        figure = f"{size:,} customers x {DAYS} snapshots x {found['columns']} columns: peak memory of training in GiB"
        report.row(figure, found["peak_gib"], MOST_GIB, at_least=False)
        report.note(
            f"{name}: learned from {found['rows']:,} of {found['known']:,} rows, whose values alone take "
            f"{found['values_gib']:.1f} GiB, in {found['processor']:.0f} s of processor time"
        )
    found = _alone("compare", folder / "compared", "--customers", customers)
    report.row("log loss by a quarter of the rows, above that by all", found["more"], 0.001, at_least=False)
    for line in found["folds"]:
        report.note(line)


def made(folder: Path, kind: str, customers: int) -> dict[str, Any]:
    """A workspace whose training snapshots are said to hold so many customers: its own, many times over.

    Numbers that are no counts are moved by up to a twentieth, so that no two rows are alike; outcomes are those of whom
    a row was drawn from. Nothing but memory and time can be read from that.
    """
    if kind == "shop":
        init(folder, example="cdnow")
        settings = folder / FILE_NAME  # which asks for a snapshot every fortnight: eleven of them
        settings.write_text(settings.read_text(encoding="utf-8").replace("every_days = 14", "every_days = 7"), "utf-8")
    else:
        simulated.company(folder, customers=2_000, months=30, seed=7)
    task = _opened(folder)
    with Console().stage("rows", steps=DAYS) as step:
        for day in _days(task):
            snapshot = task.snapshots.at(day)
            features, outcomes = snapshot.file, snapshot.outcome_file
            assert outcomes is not None
            told = snapshot.outcomes()
            assert told is not None
            frame = snapshot.frame().merge(told[[ENTITY]], on=ENTITY)
            random = np.random.default_rng(day.toordinal())
            drawn = np.sort(random.integers(0, len(frame), customers))
            _replaced(task.store, features, frame.iloc[drawn], noise=random)
            _replaced(task.store, outcomes, told.set_index(ENTITY).loc[frame[ENTITY]].reset_index().iloc[drawn])
            step(f"snapshot of {day}")
    return {}


def _replaced(
    store: Store, stored: StoredFile, rows: pd.DataFrame, *, noise: np.random.Generator | None = None
) -> None:
    kept = pq.read_schema(store.verified(stored))

    def write(place: Path) -> None:
        with pq.ParquetWriter(place, kept, compression="lz4") as writer:
            for first in range(0, len(rows), _ROWS_AT_ONCE):
                some = rows.iloc[first : first + _ROWS_AT_ONCE].copy()
                some[ENTITY] = [f"c{number:08d}" for number in range(first, first + len(some))]
                if noise is not None:
                    for name in (field.name for field in kept if pa.types.is_floating(field.type)):
                        some[name] *= noise.uniform(0.95, 1.05, len(some))
                writer.write_table(pa.Table.from_pandas(some, schema=kept, preserve_index=False))

    store.put(stored.path, write, kind=stored.kind, **{**stored.detail, "rows": len(rows)})


def fitted(folder: Path, gib: float) -> dict[str, Any]:
    """What `attrition train` does with the rows, within so much memory."""
    task, started = _opened(folder), process_time()
    memory = int(gib * (1 << 30))
    rows = learned_rows(task.snapshots, _days(task), memory=memory)
    assert rows is not None
    training.fit(rows, seed=7, threads=2)
    known = round(rows.counts.sum())
    return {
        "rows": len(rows),
        "known": known,
        "columns": len(rows.columns),
        "values_gib": known * len(rows.columns) * 8 / (1 << 30),
        "processor": process_time() - started,
        "peak_gib": peak_gib(),
    }


def compared(folder: Path, customers: int) -> dict[str, Any]:
    """Log loss on the newest test days: learned from all rows, and from a quarter of them."""
    simulated.company(folder, customers=customers, months=36, seed=7)
    task = _opened(folder)
    more, told = [], []
    with Console().stage("compared", steps=FOLDS) as step:
        for fold in task.calendar.fold_days()[-FOLDS:]:
            test = learned_rows(task.snapshots, (fold.test,))
            every = learned_rows(task.snapshots, fold.train)
            assert test is not None
            assert every is not None
            some = learned_rows(task.snapshots, fold.train, memory=_room_for(len(every) // 4, every))
            assert some is not None
            losses = [_log_loss(rows, test) for rows in (every, some)]
            more.append(losses[1] - losses[0])
            by = f"{losses[0]:.4f} by {len(every):,} rows, {losses[1]:.4f} by {len(some):,} of them"
            told.append(f"{fold.test}: log loss {by}")
            step(f"fold of {fold.test}")
    return {"more": float(np.mean(more)), "folds": told}


def _log_loss(rows: Matrix, test: Matrix) -> float:
    found = metrics(test.outcomes, training.fit(rows, seed=7, threads=2).day_probability(test)).log_loss
    assert found is not None
    return found


def _room_for(rows: int, every: Matrix) -> int:
    """The least memory in which there is room for so many rows."""
    largest = int(np.unique(every.snapshots, return_counts=True)[1].max())
    asked = partial(sampling.most_rows, columns=len(every.columns), largest=largest)
    return next(memory for memory in range(1 << 30, 1 << 40, 1 << 24) if asked(memory) >= rows)


def _opened(folder: Path) -> PredictionTask:
    workspace = open_workspace(folder, now=datetime.now(UTC))
    ingest(workspace.store, workspace.settings, today=workspace.today)
    return main_task(workspace)


def _days(task: PredictionTask) -> Sequence[date]:
    return task.calendar.training_days(task.calendar.as_of)[-DAYS:]


def _alone(what: str, folder: Path, *words: object) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.training", what, str(folder), *map(str, words)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own module
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Make rows or measure one thing."""
    parser = argparse.ArgumentParser(prog="benchmarks.training", description=__doc__)
    parser.add_argument("what", choices=["make", "fit", "compare"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kind", choices=["company", "shop"], default="company")
    parser.add_argument("--customers", type=int, default=0)
    parser.add_argument("--gib", type=float, default=MOST_GIB)
    asked = parser.parse_args()
    if asked.what == "make":
        found = made(asked.folder, asked.kind, asked.customers)
    elif asked.what == "fit":
        found = fitted(asked.folder, asked.gib)
    else:
        found = compared(asked.folder, asked.customers)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
