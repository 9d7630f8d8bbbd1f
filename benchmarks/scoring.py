"""What scores and reasons cost beside LightGBM's bare prediction on the same matrix."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd

from models.matrix import Matrix
from models.training import Fitted, fit
from pipelines.data.snapshots.features import as_matrix, feature_frame, training_matrix
from pipelines.foundation.workspace.workspace import Workspace, open_workspace
from pipelines.prediction.scoring.score import scored, wording

REPEATS = 3


@dataclass(frozen=True)
class Cost:
    """Seconds for `rows` customers: the fastest of three bare predictions, and one whole scoring."""

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
    train = training_matrix(workspace, workspace.training_days(workspace.as_of))
    assert train is not None
    fitted = fit(train, outcome="inactivity", seed=7, threads=2)
    matrix, frame = _many(workspace, workspace.as_of, rows)
    predict = min(_timed_predict(fitted, matrix) for _ in range(REPEATS))
    started = perf_counter()
    found = scored(fitted, matrix, frame, wording(workspace), workspace.settings.bands, threads=2)
    seconds = perf_counter() - started
    assert len(found) == rows
    assert found["reason_1"].str.len().gt(0).mean() > 0.5
    return Cost(rows, fitted.booster.num_trees(), predict, seconds)


def _timed_predict(fitted: Fitted, matrix: Matrix) -> float:
    started = perf_counter()
    fitted.booster.predict(matrix.values)
    return perf_counter() - started


def _many(workspace: Workspace, day: date, rows: int) -> tuple[Matrix, pd.DataFrame]:
    """Real customers many times over, each a little different, so that no two rows are alike."""
    frame = feature_frame(workspace, day)
    one = as_matrix(workspace, frame, day)
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
    return Matrix(ids, one.snapshots[drawn], one.columns, values, one.start[drawn], None), frame.assign(customer_id=ids)
