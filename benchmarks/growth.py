"""How the work grows with the data: seconds of processor at three sizes, each twice the one before, and the exponent.

Work that is linear has an exponent of 1 and, with what any size takes, less; twice the data then take at most twice as
long. `python -m benchmarks.growth WORKSPACE WHAT TIMES` does one of a part that no other module has.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import process_time
from typing import cast

import numpy as np

from benchmarks import ingest, snapshots_apart
from benchmarks.report import Report
from benchmarks.usage_rows import LANDED, SNAPSHOTS
from models import training
from models.matrix import Matrix
from pipelines.data.snapshots.learned import learned_rows
from pipelines.foundation.workspace.init import init
from pipelines.foundation.workspace.workspace import open_workspace
from pipelines.prediction.scoring.score import plan_of, scored
from pipelines.prediction.training.task import main_task

LINEAR = 1.1  # machines are noisy: a tenth above
SIZES = (1, 2, 4)
Took = Callable[[int], float]  # seconds of processor at so many times the smallest size


def promise(report: Report, folder: Path) -> None:
    """An exponent for each thing that grows, and what one more unit of it takes."""
    folder.mkdir()
    parts: dict[str, tuple[int, str, Took]] = {
        "orders landed": (1_000_000, "million", partial(_landed, folder, 1_000_000, 0)),
        "files landed, of 2,000 orders each": (80, "hundred", partial(_landed, folder, 2_000, 80)),
        "uses, at twelve snapshots": (5_000_000, "million", partial(_snapshots, folder, "events")),
        "customers with uses, at twelve snapshots": (100_000, "million", partial(_snapshots, folder, "customers")),
        "snapshots of five million uses": (3, "one", partial(_snapshots, folder, "days")),
        "rows learned from, of 47 columns": (40_000, "million", partial(_model, folder, "rows")),
        "columns learned from, of 40,000 rows": (94, "hundred", partial(_model, folder, "columns")),
        "customers scored, with their reasons": (100_000, "million", partial(_model, folder, "scored")),
    }
    units = {"one": 1, "hundred": 100, "million": 1_000_000}
    for name, (smallest, unit, took) in parts.items():
        seconds = [took(times) for times in SIZES]
        sizes = [smallest * times for times in SIZES]
        report.row(f"{name}: exponent", exponent(sizes, seconds), LINEAR, at_least=False)
        more = (seconds[-1] - seconds[0]) / (sizes[-1] - sizes[0]) * units[unit]
        told = ", ".join(f"{size:,} in {each:.1f}" for size, each in zip(sizes, seconds, strict=True))
        report.note(f"{name}: seconds of processor: {told}; {more:.2f} more for each {unit} more")


def exponent(sizes: list[int], seconds: list[float]) -> float:
    """The slope of seconds over sizes, both as logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def _landed(folder: Path, orders: int, files: int, times: int) -> float:
    """Landing so many times the orders, or so many times the files of as many orders."""
    place = folder / "landed"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    ingest.export(place / "orders.csv", orders * times * max(files, 1))
    if files:
        ingest.split(place / "orders.csv", place / "days", files * times)
    else:
        (place / "days").mkdir()
    return ingest.apart("files" if files else "file", place)["processor"]


def _snapshots(folder: Path, what: str, times: int) -> float:
    """The usage family at the days of a year, of so many times the rows, the customers or the days."""
    events, customers, days = 5_000_000, 100_000, 3 if what == "days" else 12
    if what == "events":
        events *= times
    elif what == "customers":
        customers *= times
    else:
        days *= times
    place = folder / "usage"
    shutil.rmtree(place, ignore_errors=True)
    snapshots_apart.rows(place, events=events, customers=customers, files=[LANDED])
    asked = ["--days", *SNAPSHOTS[:days]]
    return snapshots_apart.measured("attrition", place, "--customers", customers, *asked).processor


def _model(folder: Path, what: str, times: int) -> float:
    """Training or scoring in a process of its own, which has no libraries loaded and no thread of another size."""
    root = folder / "cdnow"
    if not root.exists():
        init(root, example="cdnow")
        subprocess.run([str(Path(sys.executable).parent / "attrition"), "ingest", "--project", str(root)], check=True)  # noqa: S603 - ours
    command = [sys.executable, "-m", "benchmarks.growth", str(root), what, str(times)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours
    return cast("float", json.loads(done.stdout.splitlines()[-1]))


def _modelled(root: Path, what: str, times: int) -> float:
    task = main_task(workspace := open_workspace(root, now=datetime.now(UTC)))
    rows = learned_rows(task.snapshots, task.calendar.training_days(task.calendar.as_of))
    assert rows is not None
    small = _many(rows, 40_000 * (times if what == "rows" else 1), copies=2 * times if what == "columns" else 1)
    begun = process_time()
    fitted = training.fit(small, seed=7, threads=1)
    if what != "scored":
        return process_time() - begun
    snapshot = task.snapshots.at(workspace.as_of)
    plan, frame = plan_of(workspace.settings), snapshot.frame()
    drawn = np.random.default_rng(1).integers(0, len(frame), 100_000 * times)
    many = frame.iloc[drawn].reset_index(drop=True)
    matrix = snapshot.matrix(frame).only(drawn)
    begun = process_time()
    scored(fitted, matrix, many, plan.wording(snapshot), plan.bands, threads=1)
    return process_time() - begun


def _many(rows: Matrix, size: int, *, copies: int) -> Matrix:
    """Rows drawn from a matrix, in its order; copies: of the columns, each a little different."""
    random = np.random.default_rng(size)
    drawn = rows.only(np.sort(random.integers(0, len(rows), size)))
    if copies == 1:
        return drawn
    others = (drawn.values * random.uniform(0.9, 1.1, drawn.values.shape) for _ in range(copies - 1))
    values = np.hstack([drawn.values, *others])
    columns = (*drawn.columns, *(f"{name}_{number}" for number in range(copies - 1) for name in drawn.columns))
    return Matrix(drawn.question, drawn.customers, drawn.snapshots, columns, values, drawn.start, drawn.labels)


if __name__ == "__main__":
    print(json.dumps(_modelled(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))))
