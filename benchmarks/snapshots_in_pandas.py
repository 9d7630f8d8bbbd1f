"""The usage family in pandas alone, as one would write it by hand: ours is timed beside it, and checked by it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

COLUMNS = ["customer_id", "used_at", "used_on", "feature", "quantity", "errors", "known_at"]
TEXTS = ["customer_id", "feature"]


def read(place: Path) -> pd.DataFrame:
    """All rows in memory. Text as categories and quantities as floats, without which pandas takes far longer."""
    table = pq.read_table(place, columns=COLUMNS, read_dictionary=TEXTS)
    quantity = table.schema.get_field_index("quantity")
    table = table.set_column(quantity, "quantity", table["quantity"].cast("float64"))
    frame: pd.DataFrame = table.to_pandas(date_as_object=False)
    return frame.assign(quantity=frame["quantity"].fillna(1), failed=frame["errors"] > 0).drop(columns="errors")


def features(usage: pd.DataFrame, day: date, lookback_days: Sequence[int], *, everybody: Sequence[str]) -> pd.DataFrame:
    """One row per customer, one column per indicator: of what was known before the day began, in UTC."""
    cut = pd.Timestamp(day)
    known = usage[(usage["known_at"] < cut) & (usage["used_at"] < cut)]
    days_used = known.groupby(["customer_id", "used_on"], observed=True).agg(
        events=("failed", "size"), quantity=("quantity", "sum"), failed=("failed", "sum")
    )
    days_used = days_used.reset_index("used_on")
    age = (cut - days_used["used_on"]).dt.days
    last_used = known.groupby(["customer_id", "feature"], observed=True)["used_on"].max().reset_index("feature")
    age_of_feature = (cut - last_used["used_on"]).dt.days
    columns = {"days_since_last_use": age.groupby(level=0, observed=True).min()}
    for days in lookback_days:
        recent = _sums(days_used[age <= days])
        earlier = _sums(days_used[(age > days) & (age <= 2 * days)])
        columns |= {
            f"usage_days_{days}d": recent["days"],
            f"usage_days_change_{days}d": recent["days"].sub(earlier["days"], fill_value=0),
            f"usage_events_{days}d": recent["events"],
            f"usage_quantity_{days}d": recent["quantity"],
            f"usage_quantity_change_{days}d": recent["quantity"].sub(earlier["quantity"], fill_value=0),
            f"usage_error_rate_{days}d": recent["failed"] / recent["events"],
            f"features_used_{days}d": last_used[age_of_feature <= days].groupby(level=0, observed=True).size(),
        }
    found = pd.DataFrame({name: column.set_axis(column.index.astype(str)) for name, column in columns.items()})
    found = found.reindex(pd.Index(everybody, name="customer_id"))
    counted = [name for name in found.columns if name != "days_since_last_use" and "error_rate" not in name]
    return found.fillna(dict.fromkeys(counted, 0)).reset_index()


def _sums(days_used: pd.DataFrame) -> pd.DataFrame:
    """Per customer: days of use, and the sums of what was used on them."""
    customers = days_used.groupby(level=0, observed=True)
    return customers[["events", "quantity", "failed"]].sum().assign(days=customers.size())
