"""Literal scores of three customers, as `score` hands them to the score store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from pipelines.foundation.ledger.score_store import ScoreStore
from pipelines.foundation.settings.delivered_fields import COLUMNS
from pipelines.foundation.storage.store import Store

ROWS: dict[str, list[Any]] = {
    "customer_id": ["A-17", "É-2", "10"],
    "churn_probability": [0.12345678901234568, 1 / 3, 0.9999999999999999],
    "churn_risk_band": ["low", "medium", "high"],
    "value_at_risk": [12.34, None, 70.0],
    "priority": [2, 3, 1],
    "reason_1": ["no order for 94 days, usually every 21 days", "", "dernière commande il y a 1\u202f000 jours"],
    "reason_1_code": ["buying_rhythm", "", "buying_rhythm"],
    "reason_2": ["", "", "customer for 3 days"],
    "reason_2_code": ["", "", "tenure"],
    "reason_3": ["", "", ""],
    "reason_3_code": ["", "", ""],
}


def scores(run_id: str = "run-1", **changes: list[Any]) -> pd.DataFrame:
    stamps: dict[str, Any] = {
        "currency": "EUR",
        "horizon_days": 90,
        "model_version": "aaaaaaaaaaaa",
        "scored_at": "2024-07-01T06:00:00+00:00",
        "data_as_of": "2024-06-30",
        "valid_until": "2024-07-31",
        "run_id": run_id,
    }
    return pd.DataFrame(ROWS | changes).assign(**stamps)


def replace(store: Store, frame: pd.DataFrame, *, as_of: str = "2024-07-01", run_id: str = "run-1") -> None:
    ScoreStore(store).replace(
        frame,
        as_of=as_of,
        run_id=run_id,
        made_from=f"made of {run_id}",
        detail={"horizon_days": 90, "run_id": run_id, "model_version": frame["model_version"].iloc[0]},
    )


def values(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    """Every value in the order of customers, as plain Python."""
    ordered = frame[list(COLUMNS)].sort_values("customer_id")
    ordered = ordered.astype(object).where(ordered.notna(), None)
    return list(ordered.itertuples(index=False, name=None))


def current(root: Path) -> list[tuple[Any, ...]] | None:
    found = ScoreStore(Store(root)).current()
    return None if found is None else values(found[1])
