"""Who stands in for customers whom plays may have kept, so that nobody who was kept counts as an error of the model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.question import Question
from pipelines.foundation.workspace.holdout import HOLDOUT, TREATMENT

Floats = npt.NDArray[np.float64]

MIN_ROWS, MIN_LEFT = 30, 5  # with fewer held out, or fewer of those who left, a draw of a few decides the figures


@dataclass(frozen=True)
class StandIns:
    """weights: (n,) 0 for whom a play was recommended, for the held-out how many they stand for, 1 for all others.

    Together they are everybody as if no play had been recommended: chance alone decided who was held out.
    """

    weights: Floats
    recommended: int
    held_out: int
    held_out_left: int

    @property
    def enough(self) -> bool:
        return self.held_out >= MIN_ROWS and self.held_out_left >= MIN_LEFT


def around(rows: pd.DataFrame, question: Question, day: date) -> pd.DataFrame:
    """customer_id and treatment_group, by the first recommendation that may touch the outcomes of a day.

    That is one within a lead and horizon before the day, or before the end of its outcome window. rows: all that was
    recommended.
    """
    _, end = question.window(day)
    begin = day - (end - day)
    rows = rows[(rows["recommended_on"] >= str(begin)) & (rows["recommended_on"] < str(end))]
    return rows.drop_duplicates("customer_id")[["customer_id", "treatment_group"]].reset_index(drop=True)


def count(near: pd.DataFrame, rows: pd.DataFrame) -> int:
    """How many of the rows' customers were held out."""
    held = near["customer_id"][near["treatment_group"] == HOLDOUT]
    return int(rows["customer_id"].isin(held).sum())


def stand_ins(near: pd.DataFrame, rows: pd.DataFrame) -> StandIns | None:
    """For rows with customer_id and label; None where none of them was recommended a play.

    near: as `around` finds it.
    """
    groups = rows["customer_id"].map(near.set_index("customer_id")["treatment_group"])
    treated, held = (groups == TREATMENT).to_numpy(), (groups == HOLDOUT).to_numpy()
    if not treated.any():
        return None
    each = (treated.sum() + held.sum()) / held.sum() if held.any() else 0.0
    return StandIns(
        weights=np.where(treated, 0.0, np.where(held, each, 1.0)),
        recommended=int(treated.sum()),
        held_out=int(held.sum()),
        held_out_left=int(rows["label"].to_numpy()[held].sum()),
    )
