"""Simulated tables as a French system would export them, with the mistakes that real exports have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.foundation.settings.dialect import Dialect

DIALECT = Dialect(delimiter=";", decimal=",", encoding="cp1252", date_format="%d/%m/%Y %H:%M:%S")
SHARE = 0.004  # of the rows, for each kind of mistake


def write_csv(frame: pd.DataFrame, place: Path, *, seed: int) -> None:
    """A CSV file in DIALECT in which a few rows lack their customer, have an impossible date, or stand twice."""
    texts = pd.DataFrame({name: _texts(frame[name]) for name in frame.columns})
    chance = np.random.default_rng([seed, len(frame)])
    first = texts.columns[0]
    clocks = [name for name in frame.columns if pd.api.types.is_datetime64_any_dtype(frame[name])]
    texts.loc[chance.random(len(texts)) < SHARE, "customer_id" if "customer_id" in texts else first] = ""
    texts.loc[chance.random(len(texts)) < SHARE, clocks[0]] = "31/02/2024 10:00:00"
    if "kind" in texts:
        texts.loc[chance.random(len(texts)) < SHARE, "kind"] = "?"
    again = texts[chance.random(len(texts)) < SHARE]
    text = pd.concat([texts, again]).to_csv(index=False, sep=";", lineterminator="\r\n")
    place.write_bytes(text.encode("cp1252"))


def _texts(column: pd.Series) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(column):
        return pd.Series(column.dt.strftime("%d/%m/%Y %H:%M:%S").fillna(""))
    if pd.api.types.is_bool_dtype(column):
        return pd.Series(column.map({True: "oui", False: "non"}))
    if pd.api.types.is_float_dtype(column):
        return pd.Series([_french(value) for value in column], dtype=object)
    return column.fillna("").astype(str)


def _french(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.4f}".rstrip("0").rstrip(".").replace(".", ",")
