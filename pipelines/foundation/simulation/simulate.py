"""`attrition simulate`: a workspace of a company that does not exist, and the truth about it in a folder of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import SettingsError, did_you_mean
from features.outcomes import FURTHER
from pipelines.foundation.settings.new_folder import make_folder
from pipelines.foundation.settings.settings import (
    FILE_NAME,
    Backtest,
    Bands,
    Cohort,
    Outcome,
    Settings,
    Snapshots,
    Training,
)
from pipelines.foundation.settings.sources import FileSource, Source
from pipelines.foundation.settings.template import render
from pipelines.foundation.simulation import dirt
from pipelines.foundation.simulation.company import Company
from pipelines.foundation.simulation.people import FAMILIES
from pipelines.foundation.simulation.tables import START, customer_id, tables
from pipelines.foundation.simulation.weeks import run

SHOP_FILE = "attrition-shop.toml"
MONTH_WEEKS = 52 / 12
NOTE = """\
SIMULATED. No person, company, price or figure in this folder is real; all of it is drawn by `attrition simulate`.

{tables} tables of {customers} simulated customers over {weeks} weeks (seed {seed}).
{settings} looks at those bound by subscriptions; {shop} at those who order in the shop: copy it over {settings}
to look at them instead.
truth/ holds what nobody can know of a real company: every customer's true chance of leaving, week by week, who was
treated or held out, and how strong each family's effect was made. Nothing reads it but whoever wants to judge a model.
"""


@dataclass(frozen=True)
class Simulated:
    """rows: how many each table got."""

    folder: Path
    rows: dict[str, int]
    end: date


def simulate(
    folder: Path,
    *,
    customers: int,
    months: int,
    seed: int,
    messy: bool = False,
    effects: Mapping[str, float] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Simulated:
    """Draw a company and write its tables, two settings files and the truth. The same arguments give the same bytes.

    effects: strength of a family's effect on leaving, 1.0 unless given; 0.0 for none. messy: CSV files as a French
    system exports them, with a share of broken rows.
    Raises: SettingsError where the folder holds something, or a family is unknown.
    """
    unknown = [name for name in effects or {} if name not in FAMILIES]
    if unknown:
        raise SettingsError(f"there is no family '{unknown[0]}'.{did_you_mean(unknown[0], FAMILIES)}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingsError(f"{folder} is there and not empty; name a new folder for the simulated company")
    weeks = round(months * MONTH_WEEKS)
    company = Company(customers=customers, weeks=weeks, seed=seed, effects=effects or {})
    run(company, progress)
    frames, end = tables(company), (START + timedelta(weeks=weeks)).date()
    make_folder(folder / "truth")
    for name, frame in frames.items():
        progress(f"{name}: {len(frame):,} rows")
        dirt.write_csv(frame, folder / f"{name}.csv", seed=seed) if messy else _parquet(
            frame, folder / f"{name}.parquet"
        )
    for place, settings in ((FILE_NAME, contract_settings), (SHOP_FILE, shop_settings)):
        (folder / place).write_text(render(settings(frames, end, messy=messy)), encoding="utf-8")
    _truth(company, folder / "truth")
    note = NOTE.format(
        tables=len(frames), customers=f"{customers:,}", weeks=weeks, seed=seed, settings=FILE_NAME, shop=SHOP_FILE
    )
    (folder / "README.txt").write_text(note, encoding="utf-8")
    return Simulated(folder, {name: len(frame) for name, frame in frames.items()}, end)


def contract_settings(frames: Mapping[str, pd.DataFrame], end: date, *, messy: bool) -> Settings:
    """Subscribers, and whether no subscription of theirs runs any more 30 days later."""
    return Settings(
        time_zone="Europe/Paris",
        currency="EUR",
        simulated=True,
        as_of=end,
        complete_until=end,
        sources=_sources(frames, messy=messy),
        cohort=Cohort(kind="subscribed"),
        outcome=Outcome(kind="churn", also=FURTHER, horizon_days=30),
        snapshots=Snapshots(every_days=28, min_history_days=480, at_most=18),  # the oldest began a year before
        training=Training(start_model=False),
        backtest=Backtest(folds=3, every_days=28),
        bands=Bands(high=0.15, medium=0.05),
    )


def shop_settings(frames: Mapping[str, pd.DataFrame], end: date, *, messy: bool) -> Settings:
    """Who ordered within a year, and whether no order comes in 90 days."""
    return Settings(
        time_zone="Europe/Paris",
        currency="EUR",
        simulated=True,
        as_of=end,
        complete_until=end,
        sources=_sources(frames, messy=messy),
        cohort=Cohort(kind="ordered_within", active_days=365),
        outcome=Outcome(kind="inactivity", horizon_days=90),
        snapshots=Snapshots(every_days=28, min_history_days=180, at_most=18),
        backtest=Backtest(folds=3, every_days=28),
    )


def _sources(frames: Mapping[str, pd.DataFrame], *, messy: bool) -> tuple[Source, ...]:
    ending, dialect = ("csv", dirt.DIALECT) if messy else ("parquet", None)
    return tuple(
        FileSource(
            table=name,
            path=f"{name}.{ending}",
            columns={column: column for column in frame.columns},
            **({} if dialect is None else {"dialect": dialect}),
        )
        for name, frame in frames.items()
    )


def _parquet(frame: pd.DataFrame, place: Path) -> None:
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), place, compression="zstd")


def _truth(company: Company, folder: Path) -> None:
    parts = [
        pd.DataFrame(
            {
                "customer_id": customer_id(who),
                "day": (START + timedelta(weeks=week)).date(),
                "cohort": cohort,
                "hazard": np.round(hazard, 6),
            }
        )
        for week, cohort, who, hazard in company.truth
    ]
    _parquet(pd.concat(parts, ignore_index=True), folder / "hazard.parquet")
    treated = company.ledger.frame("truth_treatments")
    if len(treated):
        treated["customer_id"] = customer_id(treated.pop("customer"))
    _parquet(treated, folder / "treatments.parquet")
    (folder / "effects.json").write_text(json.dumps(company.effects, indent=1) + "\n", encoding="utf-8")
