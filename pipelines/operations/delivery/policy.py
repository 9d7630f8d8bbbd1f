"""What a destination is to hold of each customer who was scored, and of those of whom it is to hold nothing more."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipelines.foundation.settings.delivered_fields import FIELDS, STAMPS
from pipelines.foundation.workspace.holdout import HOLDOUT
from pipelines.operations.delivery.connector import Value

ID = "customer_id"
# They tell of a scoring, not of the customer: when nothing else has changed, nothing has.
MOVED = 0.05  # a probability that changed by less is steady

_SHOWN = (
    "churn_risk_band",
    *(f"reason_{rank}{suffix}" for rank in (1, 2, 3) for suffix in ("", "_code")),
    "currency",
    "horizon_days",
)

_CHOSEN = ("treatment_group", "recommended_play", "recommended_play_code")

Values = dict[str, Value]


def records(scores: pd.DataFrame, *, before: pd.DataFrame | None, plays: pd.DataFrame) -> dict[str, Values]:
    """The values of every field by customer, in the order of the scores.

    scores: columns of the score store. before: the same of the scored day before, None where there is none. plays: the
    columns of `recommend` for each of the customers.

    Of the holdout nothing is shown that somebody could act on.
    """
    frame = pd.DataFrame(dict.fromkeys(FIELDS), index=scores.index, dtype=object)
    for name in (*_SHOWN, *STAMPS):
        frame[name] = scores[name].astype(object)
    frame["churn_probability"] = scores["churn_probability"].round(4).astype(object)
    frame["value_at_risk"] = scores["value_at_risk"].round(2).astype(object)
    frame["previous_risk_band"], frame["risk_trend"] = trend(scores, before)
    frame["suppressed"] = False
    chosen = plays.set_index(ID).loc[scores[ID]]
    for name in _CHOSEN:
        frame[name] = chosen[name].to_numpy(dtype=object)
    holdout = (chosen["treatment_group"] == HOLDOUT).to_numpy()
    shown = [name for name in FIELDS if name not in (*STAMPS, "treatment_group", "suppressed")]
    frame.loc[holdout, shown] = None
    frame.loc[holdout, "suppressed"] = True
    frame.loc[holdout, "suppressed_why"] = HOLDOUT
    columns = [[_plain(value) for value in frame[name]] for name in FIELDS]
    rows = [dict(zip(FIELDS, row, strict=True)) for row in zip(*columns, strict=True)]
    return dict(zip(scores[ID].astype(str), rows, strict=True))


def withdrawal(why: str, stamps: Mapping[str, Value]) -> Values:
    """The values that leave nothing of a customer where something was: everything empty, and why.

    stamps: those of the run, so that it can be seen since when.
    """
    emptied: Values = dict.fromkeys(FIELDS)
    return emptied | {name: stamps[name] for name in STAMPS} | {"suppressed": True, "suppressed_why": why}


def content(values: Mapping[str, Value]) -> str:
    """SHA-256 of what is said of a customer, without the stamps."""
    said = {name: value for name, value in values.items() if name not in STAMPS}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Value:
    """A value as JSON knows it; empty texts and NaN are null."""
    if isinstance(value, np.generic):
        value = value.item()
    empty = value is None or value == "" or (isinstance(value, float) and math.isnan(value))
    return None if empty else value


def trend(scores: pd.DataFrame, before: pd.DataFrame | None) -> tuple[Sequence[Any], Sequence[Any]]:
    """Of each customer the band and the movement since the day before; null for who was not scored then."""
    if before is None:
        nothing = [None] * len(scores)
        return nothing, nothing
    then = before.set_index(ID).reindex(scores[ID])
    now, was = (each["churn_probability"].to_numpy(dtype=np.float64).round(4) for each in (scores, then))
    change = (now - was).round(4)  # of the figures that people see
    moved = np.select([np.isnan(change), change >= MOVED, change <= -MOVED], ["", "rising", "falling"], "steady")
    bands = then["churn_risk_band"].astype(object).to_numpy()
    return list(bands), list(moved.astype(object))
