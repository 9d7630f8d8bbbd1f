"""Cohorts summed up, each once per champion: from then on, a day costs one cohort and not all of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from models import drift
from models.drift import Profile
from models.matrix import Matrix
from models.training import Fitted
from pipelines.data.snapshots.snapshot import Snapshots
from pipelines.foundation.storage import documents
from pipelines.foundation.storage.fingerprint import fingerprint

Floats = npt.NDArray[np.float64]

BY = ("models",)


@dataclass(frozen=True, kw_only=True)
class ProfileInputs:
    """snapshot, grid: hashes of the features of the day, and of those on whose grid it is summed up."""

    snapshot: str
    grid: str
    champion: str

    @property
    def key(self) -> str:
        return fingerprint(self, by=BY)


class Profiles:
    """Of the cohorts of a workspace, with a champion's scores as the last number column.

    All lie on the grid of the newest snapshot that the champion learned from.
    """

    def __init__(self, snapshots: Snapshots, fitted: Fitted, *, champion: str) -> None:
        self.snapshots, self.fitted, self.champion = snapshots, fitted, champion
        self.newest = date.fromordinal(fitted.snapshots[-1])

    @cached_property
    def _points(self) -> Floats:
        return drift.grid(_numbers(self._rows(self.newest), self.fitted))

    def _rows(self, day: date) -> Matrix:
        return self.snapshots.at(day).matrix()

    def of(self, day: date) -> Profile:
        """Read once, and stored."""
        inputs = ProfileInputs(
            snapshot=self.snapshots.at(day).file.sha256,
            grid=self.snapshots.at(self.newest).file.sha256,
            champion=self.champion,
        )
        path = f"monitoring/profiles/{day}-{inputs.key}.parquet"
        found = documents.read_frame(self.snapshots.store, path)
        if found is not None:
            return from_frame(found)
        rows = self._rows(day)
        made = drift.profile(_numbers(rows, self.fitted), rows.categories, self._points)
        documents.write_frame(self.snapshots.store, path, to_frame(made), kind="profile")
        return made


def _numbers(rows: Matrix, fitted: Fitted) -> Floats:
    kept = [place for place, name in enumerate(rows.columns) if name not in rows.categories]
    return np.column_stack([rows.values[:, kept], fitted.day_probability(rows)])


def to_frame(profile: Profile) -> pd.DataFrame:
    """One row per number column (place, its nulls, `below`), and per category column and text ("" for nulls)."""
    rows: list[dict[str, Any]] = [
        {"column": None, "text": None, "share": gone, "below": below.tolist(), "n": profile.n}
        for gone, below in zip(profile.missing.tolist(), profile.below, strict=True)
    ]
    for name, shares in profile.shares.items():
        texts = {"": profile.gone[name], **shares}
        rows.extend({"column": name, "text": text, "share": share, "n": profile.n} for text, share in texts.items())
    return pd.DataFrame(rows, columns=["column", "text", "share", "below", "n"])


def from_frame(frame: pd.DataFrame) -> Profile:
    """The profile that was made a frame."""
    numbers, texts = frame[frame["column"].isna()], frame[frame["column"].notna()]
    shares: dict[str, dict[str, float]] = {}
    gone: dict[str, float] = {}
    for column, text, share in zip(texts["column"], texts["text"], texts["share"], strict=True):
        known = shares.setdefault(column, {})
        if text:
            known[text] = share
        else:
            gone[column] = share
    below = np.array(numbers["below"].tolist(), dtype=np.float64).reshape(len(numbers), -1)
    return Profile(int(frame["n"].iloc[0]), below, numbers["share"].to_numpy(dtype=np.float64), shares, gone)
