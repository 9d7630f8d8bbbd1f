"""Ours beside other methods on the real data sets, over several test days each."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from benchmarks import methods, paired, workspaces
from benchmarks.methods import MEMBERS, OURS
from benchmarks.paired import Compared, Judged
from benchmarks.report import Report
from pipelines.data.snapshots.learned import learned_rows
from pipelines.prediction.training.task import PredictionTask, main_task

FOLDS = 6
RETAIL_YEARS = ("online_retail_2010_2011", "online_retail_2009_2010")
COLUMNS = (
    "method", "ROC AUC", "less ours, 95%", "log loss", "less ours, 95%", "calibration slope", "intercept", "its size",
)  # fmt: skip


@dataclass(frozen=True)
class Protocol:
    """A data set, what is asked of it, and how far apart its test days are.

    make: writes its workspace into a folder, from the folder of the data sets that do not ship. needs: those of them
    that it reads.
    """

    name: str
    every_days: int
    make: Callable[[Path, Path], object]
    needs: tuple[str, ...] = ()


def _cdnow(days: int, as_of: date, *, apart: int) -> Protocol:
    return Protocol(f"CDNOW, {days} days", apart, lambda folder, _data: workspaces.cdnow_within(folder, days, as_of))


def _shop(years: int, told: str, *, apart: int) -> Protocol:
    return Protocol(
        f"Online Retail {told}",
        apart,
        lambda folder, data: workspaces.online_retail_of(folder, data, years=years),
        RETAIL_YEARS[:years],
    )


CDNOW, RETAIL = "cdnow-181", "online-retail-1"
SETS: Mapping[str, Protocol] = {
    CDNOW: _cdnow(181, date(1998, 1, 1), apart=14),  # half a year of 18 months: few days before have matured
    "cdnow-91": _cdnow(91, date(1998, 3, 29), apart=28),
    "cdnow-56": _cdnow(56, date(1998, 5, 3), apart=28),
    RETAIL: _shop(1, "2010-11", apart=14),
    "online-retail-2": _shop(2, "2009-11", apart=28),
}
# Of the newest day of a set, which other work has figures of: at least this ROC AUC, at most this log loss.
PROMISED = {CDNOW: ("CDNOW 1998-01-01", 0.805, 0.415), RETAIL: ("Online Retail 2011-09-10", 0.748, 0.567)}


def promise(report: Report, folder: Path, data: Path, *, sets: Collection[str] = tuple(SETS)) -> None:
    """The figures of every method in every protocol of `sets` whose data are there."""
    for key in sets:
        protocol = SETS[key]
        if not all((data / each).is_dir() for each in protocol.needs):
            report.shown(protocol.name, "not measured", f"its data are not in {data}")
            continue
        place = folder / f"protocol-{key}"
        protocol.make(place, data)
        task = main_task(workspaces.opened(place, folds=FOLDS, every_days=protocol.every_days))
        found = paired.compared(pd.concat(predicted(task, protocol.name), ignore_index=True))
        if key in PROMISED:
            _newest(report, found, *PROMISED[key])
        _beside(report, protocol.name, found)


def predicted(task: PredictionTask, name: str) -> Iterator[pd.DataFrame]:
    """Of each test day customer_id, snapshot_on, label, and the probabilities of each method."""
    for fold in task.calendar.fold_days():
        began = time.monotonic()
        train = learned_rows(task.snapshots, fold.train, memory=task.fitter.memory)
        test = learned_rows(task.snapshots, (fold.test,))
        if train is None or test is None:
            raise ValueError(f"{name}: nothing is known of {fold.test}, or of the days before it")
        told = methods.of_day(task.fitter.fit(train), train, test, threads=task.fitter.threads)
        yield pd.DataFrame(
            {
                "customer_id": test.customers.astype(str),
                "snapshot_on": str(fold.test),
                "label": test.outcomes.astype(int),
                **told,
            }
        )
        print(f"{name}: {fold.test}, {len(test):,} rows, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def _newest(report: Report, found: Compared, name: str, auc: float, loss: float) -> None:
    figures = found["days"][-1]["methods"][OURS]["figures"]
    report.row(f"{name}, ROC AUC", figures["roc_auc"], auc, at_least=True)
    report.row(f"{name}, log loss", figures["log_loss"], loss, at_least=False)


def _beside(report: Report, name: str, found: Compared) -> None:
    """A table of the means, and ours beside the best of the others, of each figure whichever it is."""
    days = found["days"]
    told = f"{name}: means over {len(days)} days, {days[0]['snapshot_on']} to {days[-1]['snapshot_on']}, "
    told += f"{sum(day['rows'] for day in days):,} rows of customers"
    lines = [(method, *_line(judged, ours=method == OURS)) for method, judged in found["methods"].items()]
    report.table(told, COLUMNS, lines, {"set": name, **found})
    less = {method: judged["less_ours"] for method, judged in found["methods"].items() if method != OURS}
    best = max(less[method]["roc_auc"][0] for method in MEMBERS)
    report.row(f"{name}: mean ROC AUC less the best member's", -best, -0.001, at_least=True)
    least = min(each["log_loss"][0] for each in less.values())
    report.row(f"{name}: mean log loss less the least of all others'", -least, 0.0, at_least=False)


def _line(judged: Judged, *, ours: bool) -> list[str]:
    figures = judged["figures"]
    auc, loss = (
        [f"{figures[name]:.4f}", "" if ours else "{:+.4f} ({:+.4f} to {:+.4f})".format(*judged["less_ours"][name])]
        for name in paired.COMPARED
    )
    slope, intercept, size = (figures[name] for name in ("calibration_slope", "calibration_intercept", paired.SIZE))
    return [*auc, *loss, f"{slope:.3f}", f"{intercept:+.3f}", f"{size:.3f}"]
