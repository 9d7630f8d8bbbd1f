"""Where a workspace stands, and what its indicators are."""

from __future__ import annotations

import pandas as pd

from pipelines.data.snapshots.definitions import Definition
from pipelines.explore.looked_at import LookedAt
from pipelines.foundation.ledger.score_store import ScoreStore
from pipelines.prediction.training.task import PredictionTask


def standing(workspace: LookedAt, task: PredictionTask) -> str:
    """What a person wants to know first, in a few lines."""
    champion, scored = task.versions.aliased("champion"), ScoreStore(workspace.store).current_run()
    first, last = workspace.data_days
    days = len(task.calendar.training_days(workspace.as_of))
    lead = f", from {task.question.lead_days} days ahead" if task.question.lead_days else ""
    return "\n".join(
        [
            f"attrition workspace {workspace.root}, looking from {workspace.as_of}",
            f"  tables    {', '.join(sorted(workspace.tables))}; data from {first} to {last}",
            f"  question  {task.kind} within {task.question.horizon_days} days{lead}",
            f"  days      {days} snapshots to learn from",
            f"  champion  {'none' if champion is None else f'{champion.version} of {champion.trained_at[:10]}'}",
            f"  scores    {'none' if scored is None else f'{scored.rows:,} customers at {scored.as_of}'}",
        ]
    )


def versions_of(task: PredictionTask) -> pd.DataFrame:
    """Every trained model of a task, in the order of training."""
    champion = task.versions.aliased("champion")
    rows = [
        {
            "version": each.version,
            "trained_at": pd.Timestamp(each.trained_at),
            "promoted": each.promoted,
            "verdict": each.verdict,
            "champion": champion is not None and each.version == champion.version,
        }
        for each in task.versions.all()
    ]
    return pd.DataFrame(rows, columns=["version", "trained_at", "promoted", "verdict", "champion"]).set_index("version")


def catalog(definition: Definition) -> pd.DataFrame:
    """The indicators of a workspace, by column."""
    rows = [
        {
            "column": column,
            "family": family.name,
            "reason": each.reason,
            "unit": each.unit,
            "direction": each.direction,
            "null": each.null,
            "en": each.en,
            "fr": each.fr,
        }
        for family in definition.families
        for each in family.indicators
        for column in each.columns(definition.lookbacks.lookback_days)
    ]
    return pd.DataFrame(rows).set_index("column")
