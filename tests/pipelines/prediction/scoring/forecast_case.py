"""A company by contract in memory, with what was predicted of it and what came: nothing is trained, nothing is read."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from features.outcomes import Kind
from models import forecast as models
from pipelines.foundation.workspace.calendar import Calendar, Grid
from pipelines.prediction.scoring import forecast
from pipelines.prediction.training import backtest
from pipelines.prediction.training.task import PredictionTask

Row = dict[str, Any]

FIRST, EVERY, MATURITY = date(2024, 1, 1), 28, 44
FOLDS = [FIRST + timedelta(days=EVERY * step) for step in (6, 7, 8, 9)]
PRICES = [None, 0.0, 9.99, 30.0, 120.5]
KINDS: tuple[Kind, ...] = ("churn", "contraction", "expansion")


@dataclass
class Company:
    """rows: by day and customer, the chances that were given and what came, None where it is not known."""

    as_of: date
    rows: dict[date, list[Row]]
    seeds: list[dict[str, models.Stray]] = field(default_factory=list)

    @property
    def calendar(self) -> Calendar:
        return Calendar(
            as_of=self.as_of,
            data_from=FIRST,
            data_to=date(2025, 6, 1),
            covered_until=date(2025, 6, 1),
            maturity_days=MATURITY,
            grid=Grid(every_days=EVERY, anchor=FIRST, min_history_days=28, at_most=6),
            folds=len(FOLDS),
            fold_every_days=EVERY,
            embargo_days=0,
        )

    def outcomes(self, day: date) -> pd.DataFrame:
        names = {"customer_id": "name", "mrr_before": "before", "mrr_after": "after"} | {kind: kind for kind in KINDS}
        rows = [row for row in self.rows[day] if row["before"] != 0]
        return pd.DataFrame({name: [row[mine] for row in rows] for name, mine in names.items()})


def company(seed: int, *, as_of: date, customers: int = 40) -> Company:
    """On each day of the grid; of some customers the price before or after is not known."""
    draw = random.Random(seed)
    days = [FIRST + timedelta(days=EVERY * step) for step in range(1, 17)]
    return Company(as_of, {day: [_row(draw, f"C{number:03d}") for number in range(customers)] for day in days})


def _row(draw: random.Random, name: str) -> Row:
    before = draw.choice(PRICES)
    left = draw.random() < 0.2
    after = 0.0 if left else draw.choice([before, before, *PRICES[2:], None])
    moved = 0.0 if left else None if before is None or after is None else after - before
    return {
        "name": name,
        "before": before,
        "after": after,
        "churn": float(left),
        "contraction": None if moved is None else float(moved < 0),
        "expansion": None if moved is None else float(moved > 0),
        "chances": {"churn": draw.uniform(0.02, 0.5), "contraction": draw.random() / 4, "expansion": draw.random() / 4},
    }


def forecast_of(found: Company, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The forecast's document; which strays each horizon was drawn with is kept in `seeds`."""
    tasks = [_task(found, kind) for kind in KINDS]
    monkeypatch.setattr(backtest, "backtest", lambda task: task.kind)
    monkeypatch.setattr(backtest, "all_predictions", lambda _, kind: _predictions(found, kind))
    monkeypatch.setattr(forecast, "answering", lambda task: (None, _Champion(found, task.kind)))
    drawn = models.forecast

    def noted(chances: Any, sizes: Any, strays: Any, *, seed: int) -> Any:
        found.seeds.append(strays)
        return drawn(chances, sizes, strays, seed=seed)

    monkeypatch.setattr(models, "forecast", noted)
    return forecast.horizon_forecast(cast("Sequence[PredictionTask]", tasks))


@dataclass(frozen=True)
class _Champion:
    company: Company
    kind: str

    def day_probability(self, _rows: object) -> np.ndarray[Any, Any]:
        return np.array([row["chances"][self.kind] for row in self.company.rows[self.company.as_of]])


def _task(found: Company, kind: Kind) -> Any:
    def at(day: date) -> Any:
        rows = found.rows[day]
        frame = pd.DataFrame({"mrr": pd.Series([row["before"] for row in rows], dtype="float64")})
        return SimpleNamespace(
            day=day, frame=lambda: frame, matrix=lambda _: None, outcomes=lambda: found.outcomes(day)
        )

    question = SimpleNamespace(by_contract=True, horizon_days=30)
    return SimpleNamespace(
        kind=kind,
        main=kind == KINDS[0],
        store=None,
        question=question,
        calendar=found.calendar,
        snapshots=SimpleNamespace(at=at, calendar=found.calendar, question=question),
        versions=SimpleNamespace(aliased=lambda _: "champion"),
        fitter=SimpleNamespace(plan=SimpleNamespace(seed=3)),
    )


def _predictions(found: Company, kind: str) -> pd.DataFrame:
    """Of whom the outcome is not known nothing was predicted."""
    rows = [(str(day), row) for day in FOLDS for row in found.rows[day] if row["before"] != 0 and row[kind] is not None]
    return pd.DataFrame(
        {
            "snapshot_on": [day for day, _ in rows],
            "customer_id": [row["name"] for _, row in rows],
            "label": [row[kind] for _, row in rows],
            "churn_probability": [row["chances"][kind] for _, row in rows],
            "mrr_before": pd.Series([row["before"] for _, row in rows], dtype="float64"),
            "mrr_after": pd.Series([row["after"] for _, row in rows], dtype="float64"),
        }
    ).sample(frac=1, random_state=1)
