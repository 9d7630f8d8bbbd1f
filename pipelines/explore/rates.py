"""How often what was asked happened, by the value of an indicator."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.errors import DataError, did_you_mean
from models.curves import wilson

UNKNOWN = "unknown"


def outcome_rates(snapshot: pd.DataFrame, column: str, *, bins: int = 8) -> pd.DataFrame:
    """The share of customers who left, by the values of an indicator; of one snapshot: each customer counts once.

    Parameters
    ----------
    snapshot
        Of `OpenedWorkspace.snapshot`, of a day whose outcome is known: it stands in the last column.
    column
        One of its indicators. Numbers are parted into ranges of about equally many customers, texts are taken as they
        are.
    bins
        So many ranges at most.

    Returns
    -------
    pandas.DataFrame
        One row per range or text, in their order, and one for "unknown": customers, happened, rate (0 to 1), and low
        and high, the 95 % interval of the rate (Wilson 1927).

    Raises
    ------
    DataError
        Where there is no such column, or the outcome is not known.

    Examples
    --------
    >>> frame = pd.DataFrame({"orders_90d": [1.0, 2.0, 50.0, 60.0, None], "inactivity": [0, 0, 1, 1, 1]})
    >>> found = outcome_rates(frame, "orders_90d", bins=2)
    >>> found[["customers", "rate"]].to_dict("list")
    {'customers': [2, 2, 1], 'rate': [0.0, 1.0, 1.0]}
    """
    indicators = list(snapshot.columns[:-1])
    if column not in indicators:
        raise DataError(
            f"there is no indicator '{column}' with an outcome beside it.{did_you_mean(column, indicators)}"
        )
    known = snapshot[snapshot[snapshot.columns[-1]].notna()]
    outcome, values = known[known.columns[-1]].astype(np.float64), known[column]
    if pd.api.types.is_numeric_dtype(values.dtype):
        parts = pd.qcut(values, bins, duplicates="drop")
        parts = parts.cat.rename_categories([_range(each) for each in parts.cat.categories])
    else:
        parts = values.astype("category")
    parts = parts.cat.add_categories([UNKNOWN] if UNKNOWN not in parts.cat.categories else []).fillna(UNKNOWN)
    found = outcome.groupby(parts, observed=True).agg(customers="size", happened="sum")
    low, high = wilson(found["happened"].to_numpy(np.float64), found["customers"].to_numpy(np.float64))
    found = found.assign(rate=found["happened"] / found["customers"], low=low, high=high)
    frame: pd.DataFrame = found.astype({"happened": np.int64}).rename_axis(column)
    return frame


def _range(each: pd.Interval) -> str:
    return f"to {each.right:,.10g}"
