"""Scores do not depend on how the work is cut up."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from pipelines.foundation.workspace.workspace import open_workspace
from pipelines.prediction.scoring import score
from pipelines.prediction.scoring.score import plan_of, rows_at_risk, scored
from pipelines.prediction.training.champion import answering
from pipelines.prediction.training.task import main_task


def test_batches_and_threads_change_no_score_and_no_reason(
    finished_workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = open_workspace(finished_workspace, now=datetime(2026, 1, 5, tzinfo=UTC))
    task, plan = main_task(workspace), plan_of(workspace.settings)
    _, fitted = answering(task)
    snapshot = task.snapshots.at(workspace.as_of)
    rows, frame = rows_at_risk(snapshot)
    bands, words = plan.bands, plan.wording(snapshot)
    whole = scored(fitted, rows, frame, words, bands, threads=1)
    monkeypatch.setattr(score, "BATCH", 7)
    steps: list[str] = []
    pieces = scored(fitted, rows, frame, words, bands, threads=4, progress=steps.append)
    pd.testing.assert_frame_equal(pieces, whole, check_exact=True)
    assert steps[-1] == f"{len(rows):,} of {len(rows):,} customers explained"
