"""A workspace with as many scored customers as wanted: those of a small shop, many times over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipelines.foundation.ledger.score_store import ScoreStore
from pipelines.foundation.settings.settings import Backtest, Settings, Snapshots
from pipelines.foundation.settings.template import render
from pipelines.foundation.workspace.workspace import open_workspace
from tests.pipelines.shop_case import AS_OF, SETTINGS, attrition, make_shop

NOW = datetime(2025, 6, 1, 6, tzinfo=UTC)
SMALL: Mapping[str, Any] = {
    "snapshots": Snapshots(every_days=28, min_history_days=60, at_most=4),
    "backtest": Backtest(folds=1, every_days=30, bootstrap_samples=20),
}


def customers(count: int) -> list[str]:
    return [f"C-{number:07d}" for number in range(count)]


def make(folder: Path) -> Path:
    """The shop, ingested, trained and scored."""
    make_shop(folder, settings=SETTINGS.model_copy(update=dict(SMALL)))
    for command in ("ingest", "train", "score"):
        done = attrition(command, "--project", str(folder))
        if done.returncode:
            raise AssertionError(f"{command}: {done.stderr}")
    return folder


def deliver_to(folder: Path, block: Mapping[str, Any]) -> None:
    """Settings with this one destination, pauses of hardly any length, and no guard against so much change."""
    wanted = SETTINGS.model_dump(exclude_unset=True) | {name: part.model_dump() for name, part in SMALL.items()}
    delivery = {"csv": False, "max_changed_share": 1.0, "max_band_shift": 1.0, "pause_seconds": 0.01, "read_back": 100}
    settings = Settings.model_validate(wanted | {"delivery": delivery, "destinations": [dict(block)]})
    (folder / "attrition.toml").write_text(render(settings), encoding="utf-8")


def score(folder: Path, names: Sequence[str], *, seed: int) -> dict[str, float]:
    """Scores of these customers in the place of the day's; the probability of each, as it is to be sent."""
    workspace = open_workspace(folder, now=NOW, as_of=AS_OF)
    scores = ScoreStore(workspace.store)
    run = scores.require(str(AS_OF))
    shop, chance = pd.read_parquet(folder / run.history), np.random.default_rng(seed)
    rows = shop.iloc[chance.integers(0, len(shop), len(names))].reset_index(drop=True)
    probabilities, run_id = chance.random(len(names)).round(6), f"{AS_OF:%Y%m%d}-round{seed:03d}"
    rows = rows.assign(
        customer_id=list(names),
        churn_probability=probabilities,
        priority=np.arange(1, len(names) + 1),
        run_id=run_id,
    )
    detail = {**run.detail, "run_id": run_id}
    scores.replace(rows, as_of=run.as_of, run_id=run_id, made_from=run_id, detail=detail)
    return dict(zip(names, probabilities.round(4).tolist(), strict=True))
