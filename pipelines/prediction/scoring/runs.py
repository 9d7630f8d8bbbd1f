"""Scores of earlier runs, from their files."""

from __future__ import annotations

import pandas as pd

from features.errors import DataError
from pipelines.foundation.ledger.score_store import ScoreRun, ScoreStore
from pipelines.foundation.storage.store import Store


def history(store: Store, run: ScoreRun) -> pd.DataFrame:
    """The scores of a run, by priority."""
    stored = store.find(run.history)
    if stored is None:
        raise DataError(f"the history file of run {run.run_id} is not in the ledger; score {run.as_of} again")
    return pd.read_parquet(store.verified(stored)).sort_values("priority", kind="stable", ignore_index=True)


def history_before(store: Store, run: ScoreRun) -> pd.DataFrame | None:
    """The scores of the scored day before; None where there is none."""
    earlier = [each for each in ScoreStore(store).newest_runs() if each.as_of < run.as_of]
    return history(store, earlier[-1]) if earlier else None
