"""What scores and reasons cost beside LightGBM's bare prediction on the same matrix."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd

from models.matrix import Matrix
from models.training import Fitted, fit
from pipelines.data.snapshots.learned import learned_rows
from pipelines.data.snapshots.snapshot import Snapshot
from pipelines.data.snapshots.workspace_snapshots import snapshots_of
from pipelines.foundation.workspace.workspace import open_workspace
from pipelines.prediction.scoring.score import plan_of, scored

REPEATS = 3


@dataclass(frozen=True)
class Cost:
    """Seconds for `rows` customers: the fastest of three bare predictions of both members, and one whole scoring."""

    rows: int
    trees: int
    predict_seconds: float
    score_seconds: float

    @property
    def ratio(self) -> float:
        return self.score_seconds / self.predict_seconds


def cost(folder: Path, *, rows: int) -> Cost:
    """Score so many customers, drawn with replacement from a workspace's cohort, by a model of that workspace."""
    workspace = open_workspace(folder, now=datetime.now(UTC))
    snapshots = snapshots_of(workspace)
    train = learned_rows(snapshots, workspace.calendar.training_days(workspace.as_of))
    assert train is not None
    fitted = fit(train, seed=7, threads=2)
    snapshot = snapshots.at(workspace.as_of)
    matrix, frame = _many(snapshot, rows)
    plan = plan_of(workspace.settings)
    predict = min(_timed_predict(fitted, matrix) for _ in range(REPEATS))
    started = perf_counter()
    found = scored(fitted, matrix, frame, plan.wording(snapshot), plan.bands, threads=2)
    seconds = perf_counter() - started
    assert len(found) == rows
    assert found["reason_1"].str.len().gt(0).mean() > 0.5
    return Cost(rows, fitted.booster.num_trees(), predict, seconds)


def _timed_predict(fitted: Fitted, matrix: Matrix) -> float:
    started = perf_counter()
    fitted.log_odds(matrix)
    return perf_counter() - started


def _many(snapshot: Snapshot, rows: int) -> tuple[Matrix, pd.DataFrame]:
    """Real customers many times over, each a little different, so that no two rows are alike."""
    frame = snapshot.frame()
    one = snapshot.matrix(frame)
    random = np.random.default_rng(1)
    drawn = random.integers(0, len(one), rows)
    frame = frame.iloc[drawn].reset_index(drop=True)
    money = [name for name in frame.columns if "value" in name]
    noise = random.uniform(0.9, 1.1, rows)
    frame[money] = frame[money].mul(noise, axis=0)
    values = one.values[drawn]
    places = [one.columns.index(name) for name in money]
    values[:, places] *= noise[:, None]
    ids = np.array([f"c{number:07d}" for number in range(rows)], dtype=object)
    drawn_rows = Matrix(one.question, ids, one.snapshots[drawn], one.columns, values, one.start[drawn], None)
    return drawn_rows, frame.assign(customer_id=ids)
