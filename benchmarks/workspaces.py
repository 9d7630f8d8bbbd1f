"""Quality beside published figures: the two real data sets, each a workspace run by its settings alone."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from pipelines.data.landing.ingest import ingest
from pipelines.foundation.settings.settings import FILE_NAME
from pipelines.foundation.workspace.init import init
from pipelines.foundation.workspace.workspace import Workspace, open_workspace
from pipelines.prediction.training.backtest import backtest
from pipelines.prediction.training.task import main_task

ONLINE_RETAIL = """
# UCI "Online Retail", 2010-12-01 to 2011-12-09 (CC0, R package onlineretail). Two months of history: before that,
# nobody can be seen to have stopped. What was known of the test day when this was chosen: docs/decisions/0005.
currency = "GBP"
time_zone = "Europe/London"
as_of = 2011-09-10

[[sources]]
table = "order_lines"
path = "order_lines.parquet"
max_rejected_share = 0.3  # a quarter of the lines names no customer

[sources.columns]
order_id = "InvoiceNo"
customer_id = "CustomerID"
ordered_at = "InvoiceDate"
product_id = "StockCode"
quantity = "Quantity"
unit_price = "UnitPrice"

[cohort]
kind = "ordered_within"
active_days = 180

[outcome]
horizon_days = 90

[snapshots]
every_days = 7
min_history_days = 60
"""


ORDERED = "InvoiceDate"


def cdnow(folder: Path) -> dict[str, Any]:
    """The demo's figures at 1998-01-01."""
    init(folder, example="cdnow")
    return _newest(folder)


def cdnow_within(folder: Path, days: int, as_of: date) -> None:
    """The demo's workspace, asked for the orders of so many days from `as_of` on."""
    init(folder, example="cdnow")
    written = (folder / FILE_NAME).read_text(encoding="utf-8")
    for told, instead in (("horizon_days = 181", f"horizon_days = {days}"), ("as_of = 1998-01-01", f"as_of = {as_of}")):
        if written.count(told) != 1:
            raise ValueError(f"the example's settings do not say '{told}' once")
        written = written.replace(told, instead)
    (folder / FILE_NAME).write_text(written, encoding="utf-8")


def online_retail_of(folder: Path, data: Path, *, years: int) -> None:
    """A workspace of one year, or of both: the first tells December 2010 up to where the second begins."""
    folder.mkdir(parents=True)
    (folder / FILE_NAME).write_text(ONLINE_RETAIL, encoding="utf-8")
    second = data / "online_retail_2010_2011" / "transactions.parquet"
    if years == 1:
        shutil.copy(second, folder / "order_lines.parquet")
        return
    newer, older = (pd.read_parquet(each) for each in (second, data / "online_retail_2009_2010" / second.name))
    older = older.set_axis(newer.columns, axis=1)  # the same columns in the same order, under other names
    both = pd.concat([older[older[ORDERED] < newer[ORDERED].min()], newer], ignore_index=True)
    both.to_parquet(folder / "order_lines.parquet")


def opened(folder: Path, *, folds: int, every_days: int = 30) -> Workspace:
    """A workspace whose exports have landed, to be tested on so many days, so far apart, the last one `as_of`."""
    found = open_workspace(folder, now=datetime.now(UTC))
    plan = found.settings.backtest.model_copy(update={"folds": folds, "every_days": every_days})
    settings = found.settings.model_copy(update={"backtest": plan})
    workspace = Workspace(folder, settings, found.as_of, found.today)
    ingest(workspace.store, workspace.settings, today=workspace.today)
    return workspace


def _newest(folder: Path) -> dict[str, Any]:
    """The newest fold alone, at `as_of`: the others cost time and promise nothing."""
    workspace = opened(folder, folds=1)
    fold: dict[str, Any] = backtest(main_task(workspace))["folds"][-1]
    assert date.fromisoformat(fold["snapshot_on"]) == workspace.as_of
    return fold
