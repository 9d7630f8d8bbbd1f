"""A simulated shop, small enough to run whole: customers who buy at a rhythm of their own until they stop."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from pipelines.foundation.settings.dialect import Dialect
from pipelines.foundation.settings.schedule import Schedule
from pipelines.foundation.settings.settings import Backtest, Bands, Cohort, Outcome, Settings, Snapshots, Training
from pipelines.foundation.settings.sources import FileSource
from pipelines.foundation.settings.template import render

AS_OF = date(2025, 6, 1)
COMPLETE_UNTIL = date(2025, 8, 1)
FIRST = date(2024, 3, 1)
CUSTOMERS = 300
FORMULA = "=1+1"  # a customer's id that a spreadsheet would run

SETTINGS = Settings(
    time_zone="Europe/Paris",
    currency="EUR",
    complete_until=COMPLETE_UNTIL,
    as_of=AS_OF,
    lookback_days=(30, 90),
    sources=(
        FileSource(
            table="orders",
            path="commandes-*.csv",
            columns={"order_id": "numéro", "customer_id": "client", "ordered_at": "date", "amount": "montant"},
            dialect=Dialect(delimiter=";", decimal=",", thousands=" ", encoding="cp1252", date_format="%d/%m/%Y"),
        ),
    ),
    cohort=Cohort(kind="ordered_within", active_days=365),
    outcome=Outcome(lead_days=0, horizon_days=60),
    snapshots=Snapshots(every_days=28, min_history_days=60, at_most=10),
    training=Training(start_model=True, threads=1),
    backtest=Backtest(folds=2, every_days=30, bootstrap_samples=20),
    bands=Bands(high=0.6, medium=0.3),
    schedule=Schedule(retries=0),  # a test that fails must not wait and try again for an hour
)

Row = tuple[str, str, str, str]


def orders() -> list[Row]:
    """Number, customer, day and amount as a French export writes them; the same every time."""
    chance = np.random.default_rng(20250601)
    rows: list[Row] = []
    for number in range(CUSTOMERS):
        customer = FORMULA if number == 0 else f"C-{number:04d}"
        usual, staying = chance.gamma(4.0, 7.0), chance.exponential(260.0)
        start = 0.0 if number == 0 else chance.uniform(0, 400)
        day, last = start, start + (600.0 if number == 0 else staying)
        while day <= last and FIRST + timedelta(days=int(day)) < COMPLETE_UNTIL:
            rows.append(order(len(rows), customer, FIRST + timedelta(days=int(day)), float(chance.lognormal(4, 0.8))))
            if chance.random() < 0.04:
                rows.append(order(len(rows), customer, FIRST + timedelta(days=int(day)), -float(chance.uniform(5, 40))))
            day += max(1.0, chance.exponential(usual))
    return rows


def order(number: int, customer: str, day: date, amount: float) -> Row:
    return f"F{number:06d}", customer, f"{day:%d/%m/%Y}", f"{amount:,.2f}".replace(",", "\u00a0").replace(".", ",")


def write_orders(place: Path, rows: list[Row]) -> None:
    with place.open("w", encoding="cp1252", newline="") as handle:
        writer = csv.writer(handle, delimiter=";")
        writer.writerow(("numéro", "client", "date", "montant"))
        writer.writerows(rows)


def make_shop(folder: Path, *, settings: Settings = SETTINGS, rows: list[Row] | None = None) -> Path:
    """A workspace with settings and one file of orders; nothing has run in it."""
    folder.mkdir(parents=True)
    (folder / "attrition.toml").write_text(render(settings), encoding="utf-8")
    write_orders(folder / "commandes-1.csv", orders() if rows is None else rows)
    return folder


def attrition(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The real command, in a process of its own, as if typed into a narrow terminal without colours."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("attrition")), *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
        env={
            **os.environ,
            "NO_COLOR": "1",
            "OMP_WAIT_POLICY": "passive",
            "COLUMNS": "100",
            "PYTHONIOENCODING": "utf-8",
            **environment,
        },
    )
