"""Predictions, and the parts that they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from models import explanation
from models.frames import START
from models.training import Fitted
from pipelines.data.snapshots.snapshot import Snapshot

if TYPE_CHECKING:
    import shap


@dataclass(frozen=True)
class Explanation:
    """One customer's prediction.

    reasons: as they are handed over. contributions: per reason code its log-odds before calibration and its words,
    strongest first; with average_log_odds they add up to the log-odds of the prediction. level_log_odds: what is added
    to everybody's after calibration, for as many to leave as are expected to. indicators: what was known.
    """

    customer_id: str
    as_of: str
    churn_probability: float
    churn_risk_band: str
    reasons: tuple[str, ...]
    average_log_odds: float
    level_log_odds: float
    contributions: pd.DataFrame
    indicators: pd.Series[Any]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Explanation:
        return cls(
            **{name: document[name] for name in ("customer_id", "as_of", "churn_probability", "churn_risk_band")},
            reasons=tuple(reason["text"] for reason in document["reasons"]),
            average_log_odds=document["average_log_odds"],
            level_log_odds=document["level_log_odds"],
            contributions=pd.DataFrame(document["contributions"]).set_index("code"),
            indicators=pd.Series(document["indicators"], name=document["customer_id"], dtype=object),
        )

    def __repr__(self) -> str:
        said = [f"  - {reason}" for reason in self.reasons]
        return "\n".join(
            [f"{self.customer_id} at {self.as_of}: {self.churn_probability:.1%} ({self.churn_risk_band})", *said]
        )


def shap_values(fitted: Fitted, snapshot: Snapshot, *, at_most: int | None) -> shap.Explanation:
    """What each column contributes to the log-odds of each customer of a snapshot, and the average.

    at_most: so many customers, drawn the same each time; None: all.
    """
    import shap

    rows = snapshot.matrix()
    if at_most is not None and at_most < len(rows):
        rows = rows.only(np.random.default_rng(0).permutation(len(rows)) < at_most)
    # By column: which reason code a column belongs to does not matter here.
    found = explanation.contributions(fitted, rows, {name: name for name in rows.columns})
    read = fitted.started(rows)
    return shap.Explanation(
        values=np.column_stack([found.columns, found.start]),
        base_values=np.full(len(rows), found.average),
        data=np.column_stack([read.values, read.start]),
        feature_names=[*read.columns, START],
    )
