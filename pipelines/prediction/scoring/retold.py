"""The reasons of scores in another language: each again of the indicator of which its sentence was made."""

from __future__ import annotations

import numpy as np
import pandas as pd

from models.matrix import ENTITY
from pipelines.prediction.scoring.reasons import COUNT, Wording, Words


def retold(scores: pd.DataFrame, frame: pd.DataFrame, *, said: Wording, other: Wording) -> pd.DataFrame | None:
    """reason_1 to reason_3 in the words of `other`, a row per row of `scores`; None where one cannot be told.

    Scores keep a sentence and its code, not the indicator. It is the one of that code that gives the same sentence of
    the customer's figures; where none does, words or figures are others by now.

    scores: customer_id, reason_1 to reason_3 as `said` worded them, and their codes. frame: the day's indicators.
    """
    place = pd.Series(np.arange(len(frame)), index=frame[ENTITY].astype(str))
    rows = frame.iloc[place.reindex(scores["customer_id"].astype(str)).to_numpy(dtype=np.int64)]
    columns_of: dict[str, list[str]] = {}
    for column, code in said.codes().items():
        columns_of.setdefault(code, []).append(column)
    found = dict[str, Words]()
    for name in (f"reason_{rank + 1}" for rank in range(COUNT)):
        sentences, codes = scores[name].to_numpy(dtype=object), scores[f"{name}_code"].to_numpy(dtype=object)
        found[name], left = np.full(len(scores), "", dtype=object), sentences != ""
        for code in dict.fromkeys(codes[left]):
            for column in columns_of.get(code, []):
                mine = np.flatnonzero(left & (codes == code))
                mine = mine[said.sentences(column, rows.iloc[mine]) == sentences[mine]]
                found[name][mine] = other.sentences(column, rows.iloc[mine])
                left[mine] = False
        if left.any():
            return None
    return pd.DataFrame(found, index=scores.index)
