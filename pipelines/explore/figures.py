"""Documents of the workspace as frames: tests at past days, what plays changed, customers and revenue by month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from features.errors import DataError
from models.frames import SNAPSHOT

ALL_PLAYS = "all plays"
COUNTS = ("treatment", "holdout", "unknown")


def of_backtest(document: Mapping[str, Any]) -> pd.DataFrame:
    """One row per fold and model. Raises: DataError where nothing could be tested."""
    rows = [
        {SNAPSHOT: fold["snapshot_on"], "model": name, **found}
        for fold in document["folds"]
        for name, found in {"attrition": fold["model"], **fold["baselines"]}.items()
    ]
    if not rows:
        raise DataError("no past day has both an outcome and matured snapshots before it, so nothing can be tested")
    frame = pd.DataFrame(rows)
    return frame.assign(**{SNAPSHOT: pd.to_datetime(frame[SNAPSHOT])}).set_index([SNAPSHOT, "model"])


def of_impact(document: Mapping[str, Any]) -> pd.DataFrame:
    """One row per play, and one of those together that could be judged."""
    plays = [*document["plays"], *([{**document["overall"], "play": ALL_PLAYS}] if document["overall"] else [])]
    rows = [
        {
            "play": play["play"],
            "verdict": play["verdict"],
            **{name: play[name] for name in COUNTS},
            **_by_group("judged", play["judged"]),
            **_by_group("left", play["left"]),
            **_interval("kept", play["customers"]),
            **_interval("money", play["money"]),
            **_interval("net", play["net"]),
            "p_value": play["p_value_adjusted"],
            "detectable": play["detectable"],
        }
        for play in plays
    ]
    if not rows:  # without a play there is no row, but the index has its name
        return pd.DataFrame(index=pd.Index([], name="play"))
    frame = pd.DataFrame(rows).set_index("play")
    return frame.astype({name: "float64" for name in frame if name not in ("verdict", *COUNTS)})


def of_kpis(months: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row per month and segment."""
    frame = pd.DataFrame(months).set_index(["month", "segment"])
    return frame.astype({name: "float64" for name in frame if frame[name].isna().all()})


def _by_group(name: str, found: Mapping[str, float] | None) -> dict[str, float | None]:
    return {f"{name}_{group}": None if found is None else found[group] for group in ("treatment", "holdout")}


def _interval(name: str, found: Mapping[str, float] | None) -> dict[str, float | None]:
    ends = {"": "estimate", "_low": "low", "_high": "high"}
    return {f"{name}{ending}": None if found is None else found[end] for ending, end in ends.items()}
