"""Simulated shops with a season, without one, and with a jump: what the level of a day does to probabilities.

Everything here is simulated. A shop's customers come at any time, order at their own rate, and leave at their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import log_loss

from benchmarks import workspaces
from benchmarks.report import Report
from models.matrix import Matrix
from models.training import Fitted, fit
from pipelines.data.snapshots.learned import learned_rows
from pipelines.foundation.settings.settings import FILE_NAME
from pipelines.prediction.training.task import main_task

Floats = npt.NDArray[np.float64]

START, YEARS, CUSTOMERS = date(2021, 1, 4), 3.5, 2_500
HORIZON, ACTIVE = 60, 180
FOLDS, APART = 4, 56
SETTINGS = """
currency = "EUR"
time_zone = "UTC"
simulated = true
as_of = {as_of}
complete_until = {end}
lookback_days = [30, 90, 365]

[[sources]]
table = "orders"
path = "orders.parquet"
columns = {{ order_id = "order_id", customer_id = "customer_id", ordered_at = "ordered_at", amount = "amount" }}

[cohort]
kind = "ordered_within"
active_days = {active}

[outcome]
horizon_days = {horizon}

[snapshots]
every_days = 14
min_history_days = 60
"""
SEASONAL = "a yearly season"


@dataclass(frozen=True)
class Judged:
    """One test day: how many left, how many were expected, and log loss, with the level and without."""

    left: float
    expected: float
    without: float
    loss: float
    loss_without: float


def promise(report: Report, folder: Path, *, shops: int) -> None:
    """Of shops of each kind: those who left over those expected, and by how much the level lowers log loss."""
    for kind in KINDS:
        found = [list(judged(folder / f"{kind}-{seed}", kind, seed)) for seed in range(shops)]
        left, expected, without = np.array([(day.left, day.expected, day.without) for shop in found for day in shop]).T
        ratio = float(left.sum() / expected.sum())
        name = f"{shops} simulated shops with {kind}"
        if kind == SEASONAL:
            report.row(f"{name}: left over expected", ratio, 0.93, at_least=True)
            report.row(f"{name}: left over expected", ratio, 1.07, at_least=False)
        else:
            report.shown(f"{name}: left over expected", f"{ratio:.4f}")
        off, off_without = (float(np.abs(np.log(left / told)).mean()) for told in (expected, without))
        report.note(
            f"{name}: {left.sum() / without.sum():.4f} without the level; mean size of the logarithm {off:.3f} and "
            f"{off_without:.3f}"
        )
        gains = np.array([np.mean([day.loss - day.loss_without for day in shop]) for shop in found])
        error = gains.std(ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else np.nan
        least = float(gains.mean() - 2 * error)  # what would have to be above 0 to be shown worse
        report.row(f"{name}: log loss with the level less without, low", least, 0.0, at_least=False)
        report.note(f"{name}: log loss with the level less without {gains.mean():+.5f}, standard error {error:.5f}")


def judged(folder: Path, kind: str, seed: int) -> Iterator[Judged]:
    """The test days of one shop."""
    folder.mkdir(parents=True)
    end = START + timedelta(days=round(YEARS * 365))
    orders(kind, seed).to_parquet(folder / "orders.parquet")
    settings = SETTINGS.format(as_of=end - timedelta(days=HORIZON), end=end, active=ACTIVE, horizon=HORIZON)
    (folder / FILE_NAME).write_text(settings, encoding="utf-8")
    task = main_task(workspaces.opened(folder, folds=FOLDS, every_days=APART))
    folds = task.calendar.fold_days()
    for fold in folds:
        train, test = (learned_rows(task.snapshots, days) for days in (fold.train, (fold.test,)))
        assert train is not None
        assert test is not None
        yield _judged(fit(train, seed=seed, threads=2), test)


def _judged(fitted: Fitted, test: Matrix) -> Judged:
    risks = fitted.day_probability(test)
    without = fitted.probability(replace(test, level=np.zeros(len(test))))
    left = test.outcomes
    return Judged(
        float(left.sum()), float(risks.sum()), float(without.sum()), log_loss(left, risks), log_loss(left, without)
    )


def orders(kind: str, seed: int) -> pd.DataFrame:
    """Orders of a shop: how often anybody orders at a time is the customer's own rate times the shop's."""
    chance = np.random.default_rng((seed, list(KINDS).index(kind)))
    days, rate = YEARS * 365, KINDS[kind](chance)
    often = chance.gamma(1.5, 1 / 45, CUSTOMERS)  # orders a day
    came = chance.uniform(-365, days, CUSTOMERS)
    left = came + chance.exponential(1 / chance.gamma(2.0, 1 / 500, CUSTOMERS))
    most = 3.0  # times its rate nobody orders more
    counts = chance.poisson(most * often * (days + 365))
    customer = np.repeat(np.arange(CUSTOMERS), counts)
    at = chance.uniform(-365, days, len(customer))
    kept = (at >= came[customer]) & (at < left[customer]) & (at >= 0)
    kept &= chance.uniform(0, most, len(at)) < rate(at)
    at, customer = at[kept], customer[kept]
    order = np.argsort(at, kind="stable")
    return pd.DataFrame(
        {
            "order_id": [f"O-{number:07d}" for number in range(len(at))],
            "customer_id": [f"C-{number:05d}" for number in customer[order]],
            "ordered_at": pd.Timestamp(START) + pd.to_timedelta(at[order], unit="D").floor("s"),
            "amount": np.round(chance.gamma(3.0, 20.0, len(at)), 2),
        }
    )


def _season(chance: np.random.Generator) -> Callable[[Floats], Floats]:
    size, phase = chance.uniform(0.4, 0.8), chance.uniform(0, 2 * np.pi)
    return lambda at: np.exp(size * np.sin(2 * np.pi * at / 365.25 + phase))


def _jump(chance: np.random.Generator) -> Callable[[Floats], Floats]:
    """Once, in the last year and a half, everybody begins to order more or less often."""
    when, by = chance.uniform(YEARS * 365 - 550, YEARS * 365 - 100), np.exp(chance.choice([-0.6, 0.6]))
    return lambda at: np.where(at < when, 1.0, by)


KINDS: dict[str, Callable[[np.random.Generator], Callable[[Floats], Floats]]] = {
    SEASONAL: _season,
    "no season": lambda _: lambda at: np.ones(len(at)),
    "one jump": _jump,
}
