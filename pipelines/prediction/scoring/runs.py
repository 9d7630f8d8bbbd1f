"""Scores of earlier runs, from their files."""

from __future__ import annotations

import pandas as pd

from features.errors import DataError
from pipelines.foundation.ledger.score_store import ScoreRun
from pipelines.foundation.storage.store import Store


def history(store: Store, run: ScoreRun) -> pd.DataFrame:
    """The scores of a run, by priority."""
    stored = store.find(run.history)
    if stored is None:
        raise DataError(f"the history file of run {run.run_id} is not in the ledger; score {run.as_of} again")
    return pd.read_parquet(store.verified(stored)).sort_values("priority", kind="stable", ignore_index=True)
