"""Exports of companies that do not exist, in which nobody's leaving can be foretold but by honest signs.

Everything here is simulated. `benchmarks/leaking_exports.py` makes leaking exports of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.tables import TABLES
from pipelines.foundation.settings.settings import FILE_NAME, Backtest, Cohort, Outcome, Settings, Snapshots, Training
from pipelines.foundation.settings.sources import FileSource, Source
from pipelines.foundation.settings.template import render

Floats = npt.NDArray[np.float64]

START = datetime(2023, 1, 1)  # noqa: DTZ001 - local clock time of a company that does not exist
MONTH = 30.4
COUNTRIES, CHANNELS, TIERS, PLANS = (
    ("FR", "DE", "ES", "IT"),
    ("shop", "ads", "friend", "fair"),
    ("A", "B", "C"),
    ("S", "M", "L"),
)
NEVER = 1e9


@dataclass
class Company:
    """start, death: (n,) days from START between which somebody is a customer.

    left: whether that is before the end of the data.
    """

    by_contract: bool
    days: float
    start: Floats
    death: Floats
    chance: np.random.Generator
    frames: dict[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return len(self.start)

    @property
    def left(self) -> npt.NDArray[np.bool_]:
        return self.death < self.days

    @property
    def ids(self) -> npt.NDArray[np.object_]:
        return np.array([f"K{number:05d}" for number in range(self.size)], dtype=object)

    def some(self, share: float) -> npt.NDArray[np.bool_]:
        return self.chance.random(self.size) < share


def either(flags: npt.NDArray[np.bool_], then: Any, otherwise: Any) -> npt.NDArray[Any]:
    """One of two values for each customer; None is none."""
    return np.asarray(np.where(flags, then, otherwise))


def moments(days: Floats | pd.Series) -> pd.Series:
    """Days from START as clock times; NaN, or beyond ten years, is none."""
    known = pd.Series(days, dtype="float64")
    return pd.Series(
        pd.to_datetime(START) + pd.to_timedelta((known.where(known < 3650) * 86_400).round(), unit="s")
    ).astype("datetime64[us]")


def size_of(chance: np.random.Generator) -> int:
    """100 to 5,000 customers, as often a few as many."""
    return int(100 * 50 ** chance.random())


def company(
    *,
    by_contract: bool,
    customers: int,
    months: float,
    monthly: float,
    chance: np.random.Generator,
    factor: Floats | None = None,
    yearly: bool = False,
) -> Company:
    """Customers who begin all the time and leave by chance. factor: (n,) by which somebody leaves likelier than others.

    yearly: contracts that end at the end of a year alone.
    """
    days = months * MONTH
    old = chance.random(customers) < 0.35
    start = np.where(old, chance.uniform(0, 40, customers), chance.uniform(0, days * 0.9, customers))
    hazard = monthly / MONTH * (np.ones(customers) if factor is None else factor)
    life = chance.exponential(1 / hazard) + 3
    if yearly:
        life = np.ceil(life / 365) * 365
    made = Company(by_contract, days, start, np.minimum(start + life, NEVER), chance)
    made.frames["customers"] = _customers(made)
    made.frames["subscriptions" if by_contract else "orders"] = (
        subscriptions(made, yearly=yearly) if by_contract else _orders(made)
    )
    made.frames["payment_methods"] = _cards(made)
    made.frames["support_contacts"] = _contacts(made)
    return made


def _customers(made: Company) -> pd.DataFrame:
    chance, size = made.chance, made.size
    return pd.DataFrame(
        {
            "customer_id": made.ids,
            "signed_up_at": moments(made.start),
            "country": chance.choice(COUNTRIES, size),
            "acquisition_channel": chance.choice(CHANNELS, size),
            "value_tier": chance.choice(TIERS, size),
        }
    )


def subscriptions(made: Company, *, yearly: bool) -> pd.DataFrame:
    chance, size = made.chance, made.size
    frame = pd.DataFrame(
        {
            "subscription_id": [f"S{number:05d}" for number in range(size)],
            "customer_id": made.ids,
            "started_at": moments(made.start),
            "plan": chance.choice(PLANS, size),
            "mrr": np.round(chance.lognormal(3.5, 0.5, size) * (1 + made.start / made.days * 0.3), 2),
            "seats": chance.poisson(3, size) + 1,
            "auto_renew": made.some(0.85),
            "ended_at": moments(np.where(made.left, made.death, NEVER)),
            "end_reason": either(made.left, "cancelled", None),
        }
    )
    if yearly:
        frame["renews_at"] = moments(made.start + 365)
    return frame


def _orders(made: Company) -> pd.DataFrame:
    every = made.chance.gamma(4.0, 7.0, made.size)
    rows = []
    for who in range(made.size):
        end = min(made.death[who], made.days - 0.01)
        count = made.chance.poisson(max(end - made.start[who], 0) / every[who])
        rows += [(who, made.start[who]), *((who, day) for day in made.chance.uniform(made.start[who], end, count))]
    owners, days = (np.array(each) for each in zip(*rows, strict=True))
    kept = days < made.days
    return pd.DataFrame(
        {
            "customer_id": made.ids[owners[kept].astype(int)],
            "ordered_at": moments(days[kept]),
            "amount": np.round(made.chance.lognormal(3.5, 0.6, int(kept.sum())), 2),
        }
    )


def _cards(made: Company) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "method_id": [f"M{number:05d}" for number in range(made.size)],
            "customer_id": made.ids,
            "added_at": moments(made.start),
            "kind": made.chance.choice(("card", "transfer"), made.size),
            "expires_at": moments(made.start + made.chance.uniform(200, 1400, made.size)),
            "is_default": True,
        }
    )


def _contacts(made: Company) -> pd.DataFrame:
    """One in a hundred days on average, whatever comes."""
    end = np.minimum(made.death, made.days)
    count = made.chance.poisson(np.maximum(end - made.start, 0) / 100)
    who = np.repeat(np.arange(made.size), count)
    return pd.DataFrame(
        {
            "customer_id": made.ids[who],
            "opened_at": moments(made.chance.uniform(made.start[who], end[who])),
            "channel": made.chance.choice(("phone", "mail", "chat"), len(who)),
            "topic": made.chance.choice(("bill", "delivery", "product"), len(who)),
            "severity": made.chance.integers(1, 4, len(who)),
            "complaint": made.chance.random(len(who)) < 0.2,
        }
    )


def write(made: Company, folder: Path, *, drop: dict[str, list[str]] | None = None, **training: Any) -> None:
    """A workspace of the export. drop: columns by table that it lacks."""
    folder.mkdir(parents=True)
    sources = []
    for name, frame in made.frames.items():
        kept = frame.drop(columns=(drop or {}).get(name, []))
        if len(kept):
            pq.write_table(pa.Table.from_pandas(kept, preserve_index=False), folder / f"{name}.parquet")
            sources.append(
                FileSource(table=name, path=f"{name}.parquet", columns={each: each for each in kept.columns})
            )
    (folder / FILE_NAME).write_text(render(_settings(made, tuple(sources), training)), encoding="utf-8")


def _settings(made: Company, sources: tuple[Source, ...], training: dict[str, Any]) -> Settings:
    end = (START + timedelta(days=int(made.days))).date()
    return Settings(
        currency="EUR",
        simulated=True,
        as_of=end,
        complete_until=end,
        lookback_days=(30, 90),
        sources=sources,
        cohort=Cohort(kind="subscribed") if made.by_contract else Cohort(kind="ordered_within", active_days=365),
        outcome=Outcome(
            kind="churn" if made.by_contract else "inactivity", horizon_days=30 if made.by_contract else 90
        ),
        snapshots=Snapshots(every_days=28, min_history_days=60, at_most=12),
        training=Training(start_model=False, threads=1, **training),
        backtest=Backtest(folds=1, every_days=28, bootstrap_samples=20),
    )


def columns_of(made: Company) -> int:
    """How many columns of values the export has: those that are not ids or clocks of rows."""
    return sum(
        name not in (*TABLES[table].key, "customer_id", "known_at", TABLES[table].happened_at)
        for table, frame in made.frames.items()
        for name in frame.columns
    )
