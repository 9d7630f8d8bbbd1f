"""Stages on a workspace, with everything they are handed taken from its settings, as pipelines.run takes it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pandas as pd

from models.tracking.registry import Registry
from pipelines.foundation.ledger.score_store import ScoreRun
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.operations.plays import impact
from pipelines.operations.plays import recommend as plays
from pipelines.prediction.scoring import score as scoring
from pipelines.prediction.scoring.runs import history
from pipelines.prediction.scoring.score import Scored
from pipelines.prediction.training import publish
from pipelines.prediction.training import train as training
from pipelines.prediction.training.task import main_task
from pipelines.prediction.training.train import Trained


def train(workspace: Workspace, *, now: datetime) -> Trained:
    return training.train(main_task(workspace), workspace.settings, root=workspace.root, now=now)


def score(workspace: Workspace, *, now: datetime, progress: Callable[[str], None] = lambda _: None) -> Scored:
    plan = scoring.plan_of(workspace.settings)
    return scoring.score(main_task(workspace), plan, workspace.permissions, now=now, progress=progress)


def registry_of(workspace: Workspace) -> Registry:
    return publish.registry_of(workspace.settings.tracking, workspace.root)


def recommend(
    workspace: Workspace, run: ScoreRun, *, note: bool = True, indicators: pd.DataFrame | None = None
) -> pd.DataFrame:
    """What is recommended at the run's day, noted unless said otherwise. Of `treatments`, the workspace's tables."""
    scores = workspace.permissions.without_opt_outs(history(workspace.store, run))
    done = plays.done_before(workspace.tables, date.fromisoformat(run.as_of), workspace.engine, workspace.settings.zone)
    plan = plays.plan_of(workspace)
    return plays.recommend(plan, workspace.store, run, scores, done, indicators=indicators, note=note)


def measured(workspace: Workspace) -> dict[str, Any]:
    return impact.measured(main_task(workspace), workspace.plays, workspace.settings.currency)
