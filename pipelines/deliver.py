"""`attrition deliver`: what was scored goes to where people act on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipelines.crm.score_store import COLUMNS, ScoreRun, ScoreStore
from pipelines.further_scores import further_scores
from pipelines.privacy.handed_over import enforce, hand_over, there
from pipelines.score import history
from pipelines.workspace import Workspace


def deliver(workspace: Workspace, *, progress: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Write the files of the scores of `as_of`, once: {"csv": path, None where none is wanted} and `further_scores`.

    Whoever may not be processed by now is taken out of everything that was scored and handed over before.

    Raises: DataError where the day was not scored.
    """
    enforce(workspace)
    run = ScoreStore(workspace.store).require(str(workspace.as_of))
    csv = _csv(workspace, run) if workspace.settings.delivery.csv else None
    return {"csv": csv, **further_scores(workspace, progress=progress)}


def _csv(workspace: Workspace, run: ScoreRun) -> str:
    path = f"delivery/scores-{run.as_of}-{run.run_id[-8:]}.csv"
    if not there(workspace.store, path, of=run.content_sha256):
        hand_over(workspace, path, history(workspace, run)[list(COLUMNS)], of=run.content_sha256)
    return path
