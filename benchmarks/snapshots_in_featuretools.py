"""The usage family as far as Featuretools has it; it runs in an environment of its own, without our packages.

`python snapshots_in_featuretools.py FOLDER CUSTOMERS LOOKBACKS DAYS`, lists with commas; the last line printed is JSON.
A lookback is a training window. Featuretools has one clock, so rows that became known later are taken away beforehand;
it has no span before a lookback, so there are no changes.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from time import perf_counter, process_time

warnings.filterwarnings("ignore")  # its own, of what pandas and setuptools are about to drop

import featuretools as ft  # type: ignore[import-not-found]  # noqa: E402 - after the filter
import pandas as pd  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

from benchmarks.memory import peak_gib  # noqa: E402

COLUMNS = ["source_row", "customer_id", "used_at", "used_on", "feature", "quantity", "failed"]
WANTED = (
    ("usage_days", "used_on", ft.primitives.NumUnique),
    ("usage_events", "source_row", ft.primitives.Count),
    ("usage_quantity", "quantity", ft.primitives.Sum),
    ("failed", "failed", ft.primitives.Sum),
    ("features_used", "feature", ft.primitives.NumUnique),
)


def read(place: Path) -> pd.DataFrame:
    """All rows in memory, nulls filled as the contract says."""
    usage: pd.DataFrame = pq.read_table(place).to_pandas(date_as_object=False)
    quantity = usage["quantity"].astype("float64").fillna(1)
    return usage.assign(quantity=quantity, failed=(usage["errors"] > 0).astype("int64"))


def features(usage: pd.DataFrame, day: pd.Timestamp, lookback_days: list[int], everybody: list[str]) -> pd.DataFrame:
    """One row per customer: days, events, quantity, share of failures, distinct features of each lookback."""
    entities = ft.EntitySet()
    entities.add_dataframe(
        dataframe=usage.loc[usage["known_at"] < day, COLUMNS],
        dataframe_name="usage",
        index="source_row",
        time_index="used_at",
        logical_types=dict.fromkeys(["customer_id", "used_on", "feature"], "Categorical"),
    )
    entities.add_dataframe(
        dataframe=pd.DataFrame({"customer_id": everybody}),
        dataframe_name="customers",
        index="customer_id",
        logical_types={"customer_id": "Categorical"},
    )
    entities.add_relationship("customers", "customer_id", "usage", "customer_id")
    wanted = {
        name: ft.Feature(entities["usage"].ww[column], parent_dataframe_name="customers", primitive=primitive)
        for name, column, primitive in WANTED
    }
    found: dict[str, pd.Series] = {}
    for days in lookback_days:
        matrix = ft.calculate_feature_matrix(
            list(wanted.values()),
            entities,
            cutoff_time=day,
            training_window=f"{days} days",
            include_cutoff_time=False,
        )
        named = matrix.set_axis(list(wanted), axis="columns").astype("float64").fillna(0)
        error_rate = named.pop("failed") / named["usage_events"]
        found |= {f"{name}_{days}d": column for name, column in named.assign(usage_error_rate=error_rate).items()}
    return pd.DataFrame(found).reindex(everybody)


def main() -> None:
    """Time each day, leave its values in a file, and say which versions these were."""
    folder, customers = Path(sys.argv[1]), int(sys.argv[2])
    lookback_days = [int(days) for days in sys.argv[3].split(",")]
    everybody = [f"c{number:07d}" for number in range(customers)]
    (folder / "featuretools").mkdir(exist_ok=True)
    times, usage = [], None
    for day in sys.argv[4].split(","):
        wall, processor = perf_counter(), process_time()
        usage = read(folder / "landed.parquet") if usage is None else usage
        found = features(usage, pd.Timestamp(day), lookback_days, everybody)
        times.append({"wall": perf_counter() - wall, "processor": process_time() - processor})
        found.rename_axis("customer_id").reset_index().to_parquet(folder / "featuretools" / f"{day}.parquet")
    versions = {"featuretools": ft.__version__, "pandas": pd.__version__}
    print(json.dumps({"times": times, "peak_gib": peak_gib(), "versions": versions}))


if __name__ == "__main__":
    main()
