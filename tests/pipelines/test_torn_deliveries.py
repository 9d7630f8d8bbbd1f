"""Exports that overlap, come again and come late give what one clean delivery gives; or `check` names the table.

The clean delivery holds every version of every row with the moment at which it became known. The torn one has no such
moments: on three days the system of a shop or a company exports what it knows by then, in overlapping pieces.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pytest

from features.tables import TABLES
from pipelines.data.kpis.figures import figures
from pipelines.data.kpis.ground import Ground
from pipelines.data.landing.ingest import ingest
from pipelines.data.snapshots.snapshot import Snapshots
from pipelines.data.snapshots.workspace_snapshots import snapshots_of
from pipelines.foundation.settings.settings import FILE_NAME, Cohort, Outcome, Settings
from pipelines.foundation.settings.settings import Snapshots as Grid
from pipelines.foundation.settings.sources import FileSource
from pipelines.foundation.settings.template import render
from pipelines.foundation.simulation.simulate import simulate
from pipelines.foundation.workspace.workspace import Workspace, open_workspace
from pipelines.prediction.checks.reach import reach_notes

# A few worlds in `make test`; `make torn WORLDS=1000` looks at a thousand.
WORLDS = int(os.environ.get("WORLDS", "3"))
COMPANIES = 4  # of which every world takes its rows
END = date(2024, 1, 1)  # when the simulation ends
NOW = datetime(2024, 1, 1, 12, tzinfo=UTC)
ENTITIES = ("orders", "subscriptions")
Frames = dict[str, pd.DataFrame]


def cut(day: date) -> pd.Timestamp:
    """The moment, in UTC, at which a day begins in Paris."""
    return pd.Timestamp(day, tz="Europe/Paris").tz_convert("UTC").tz_localize(None)


@dataclass(frozen=True)
class World:
    """A company's rows in every version, three days of export, and how each table is exported."""

    rows: Frames
    exports: tuple[date, date, date]
    ways: dict[str, Literal["rows", "state"]]
    seed: int

    @property
    def entity(self) -> str:
        return next(name for name in ENTITIES if name in self.rows)


@cache
def company(folder: Path, seed: int) -> Frames:
    place = folder / f"company-{seed}"
    simulate(place, customers=200, months=12, seed=seed)
    found = {name: pd.read_parquet(place / f"{name}.parquet") for name in TABLES}
    for name, frame in found.items():
        known = frame[["known_at", TABLES[name].happened_at]].max(axis=1)
        found[name] = frame.assign(known_at=known).drop_duplicates(ignore_index=True)  # torn apart, a repeat is none
    return found


def world(folder: Path, seed: int) -> World:
    source = random.Random(f"torn {seed}")
    rows = company(folder, source.randrange(COMPANIES))
    entity = source.choice(ENTITIES)
    others = sorted(set(TABLES) - {*ENTITIES, "order_lines"})
    names = [entity, *source.sample(others, 3)]
    days = sorted(source.sample(range(20, 200), 3), reverse=True)
    first, second, third = (END - timedelta(days=each) for each in days)
    ways: dict[str, Literal["rows", "state"]] = {name: source.choice(("rows", "state")) for name in names}
    told = {name: changed_now_and_then(source, name, rows[name], first) for name in names}
    return World(
        {name: flattened(name, told[name], (first, second, third)) for name in names},
        (first, second, third),
        ways,
        seed,
    )


def changed_now_and_then(source: random.Random, table: str, frame: pd.DataFrame, since: date) -> pd.DataFrame:
    """With second thoughts about some rows of a keyed table, known after the first export."""
    contract = TABLES[table]
    fixed = {*contract.key, "customer_id", contract.happened_at, *(c.known_at for c in contract.columns)}
    free = [
        c.name
        for c in contract.columns
        if c.name not in fixed and c.kind in ("money", "number", "text") and not c.known_at
    ]
    free = [name for name in free if name in frame and len(frame[name].unique()) > 1]
    if not contract.key or not free or source.random() < 0.5:
        return frame
    chosen = frame.sample(min(5, len(frame)), random_state=source.randrange(10**6))
    column = source.choice(free)
    values = frame[column].dropna().sample(len(chosen), replace=True, random_state=source.randrange(10**6))
    lag = [timedelta(days=source.randint(1, 120)) for _ in range(len(chosen))]
    known = chosen["known_at"].where(chosen["known_at"] >= cut(since), cut(since))
    later = (known + pd.Series(lag, index=chosen.index)).astype("datetime64[us]")
    chosen = chosen.copy()
    chosen[column], chosen["known_at"] = values.to_numpy(), later
    both: list[pd.DataFrame] = [frame, chosen]
    return pd.concat(both, ignore_index=True)


def flattened(table: str, frame: pd.DataFrame, exports: tuple[date, date, date]) -> pd.DataFrame:
    """With rows known at once where exports cannot tell it otherwise.

    So it is with all that the first export brings, and with what happened, and became known, between two exports.
    """
    happened, (first, *_) = TABLES[table].happened_at, exports
    before = newest(table, frame[frame["known_at"] < cut(first)])
    found = pd.concat([before, frame[frame["known_at"] >= cut(first)]], ignore_index=True)
    at_once = found["known_at"] < cut(first)
    key = list(TABLES[table].key)
    newcomer = ~found.sort_values("known_at", kind="stable").duplicated(key).sort_index() if key else True
    for last, this in pairwise(exports):
        between = (found[happened] >= cut(last)) & (found["known_at"] < cut(this))
        at_once |= between & newcomer
    return found.assign(known_at=found["known_at"].where(~at_once, found[happened]))


def newest(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The last version of each row."""
    key = list(TABLES[table].key)
    return frame.sort_values("known_at", kind="stable").drop_duplicates(key, keep="last") if key else frame


def export(table: str, frame: pd.DataFrame, day: date) -> pd.DataFrame:
    """What a system shows at the start of a day: of each row the last version, what has not come yet left empty."""
    known = newest(table, frame[frame["known_at"] < cut(day)]).copy()
    return told_before(table, known, day)


def told_before(table: str, rows: pd.DataFrame, day: date) -> pd.DataFrame:
    """Values that became known on a day or later left empty."""
    clocks = {each.name: each.known_at for each in TABLES[table].columns if each.known_at and each.name in rows}
    return rows.assign(**{name: rows[name].where(rows[clock] < cut(day)) for name, clock in clocks.items()})


def settings(rows: Frames, *, clean: bool, ways: dict[str, Literal["rows", "state"]]) -> Settings:
    entity = next(name for name in ENTITIES if name in rows)
    sources = []
    for name in rows:
        columns = {column.name: column.name for column in TABLES[name].columns if column.name in rows[name]}
        way: dict[str, Any] = {} if clean else {"new_file": ways[name]}
        more = {"known_at": "known_at"} if clean else {}
        sources.append(
            FileSource(table=name, path=f"{name}*.parquet", columns=columns | more, max_rejected_share=0.0, **way)
        )
    by_contract = entity == "subscriptions"
    return Settings(
        time_zone="Europe/Paris",
        currency="EUR",
        lookback_days=(30,),
        as_of=END,
        complete_until=END,
        sources=tuple(sources),
        cohort=Cohort(kind="subscribed" if by_contract else "ever_ordered"),
        outcome=Outcome(kind="churn" if by_contract else "inactivity", horizon_days=30),
        snapshots=Grid(min_history_days=60),
    )


def landed(folder: Path, wanted: Settings, *, on: date) -> Workspace:
    workspace = open_workspace(folder, now=NOW)
    ingest(workspace.store, wanted, today=on)
    return open_workspace(folder, now=NOW)


def clean(folder: Path, here: World) -> Workspace:
    folder.mkdir()
    wanted = settings(here.rows, clean=True, ways=here.ways)
    (folder / FILE_NAME).write_text(render(wanted), encoding="utf-8")
    for name, frame in here.rows.items():
        last = here.exports[-1]  # what it did not know has not been told to anybody
        told = told_before(name, frame[frame["known_at"] < cut(last)], last)
        told.to_parquet(folder / f"{name}.parquet", index=False)
    return landed(folder, wanted, on=here.exports[-1])


def torn(folder: Path, here: World) -> Workspace:
    folder.mkdir()
    wanted = settings(here.rows, clean=False, ways=here.ways)
    (folder / FILE_NAME).write_text(render(wanted), encoding="utf-8")
    source, before = random.Random(f"pieces {here.seed}"), None
    for number, day in enumerate(here.exports):
        for name, frame in here.rows.items():
            now = export(name, frame, day).drop(columns="known_at")
            for place, piece in enumerate(pieces(source, name, now, here, before)):
                piece.to_parquet(folder / f"{name}-{number}-{place}.parquet", index=False)
        landed(folder, wanted, on=day)
        before = day
    return open_workspace(folder, now=NOW)


def pieces(
    source: random.Random, table: str, now: pd.DataFrame, here: World, before: date | None
) -> Iterator[pd.DataFrame]:
    """The files of one day's export of a table; of the whole state one, otherwise one to three that overlap."""
    now = now.sample(frac=1, random_state=source.randrange(10**6))
    if here.ways[table] == "state":
        yield now
        return
    if before is not None and source.random() < 0.5:  # what is new or changed since a day before the last export
        since = before - timedelta(days=source.randint(0, 40))
        old = export(table, here.rows[table], since).drop(columns="known_at")
        same = now.merge(old.drop_duplicates(), how="left", indicator=True)["_merge"].eq("both").to_numpy()
        now = now[~same]
    edges = sorted({0, len(now), *(source.randint(0, len(now)) for _ in range(source.randint(0, 2)))})
    parts = [
        now.iloc[max(0, start - source.randint(0, 30)) : end + source.randint(0, 30)] for start, end in pairwise(edges)
    ]
    source.shuffle(parts)
    yield from parts or [now]


def different(one: pd.DataFrame, other: pd.DataFrame) -> list[str]:
    """Columns that differ in a value; every column where the customers do."""
    if list(one["customer_id"]) != list(other["customer_id"]):
        return list(one.columns)
    return [str(name) for name in one if not one[name].equals(other[name])]


def tables_behind(snapshots: Snapshots, columns: list[str]) -> list[set[str]]:
    """By column that differs: the tables that it is made of."""
    entity = {name for name in (*ENTITIES, "subscription_changes") if name in snapshots.tables}
    found = []
    for family in snapshots.definition.families:
        for group in family.groups:
            mine = set(group.columns(snapshots.definition.lookbacks.lookback_days)) & set(columns)
            needs = {name for need in group.needs for name in need.split("|")}
            found += [needs | entity for _ in mine]
    return found or [entity]


@pytest.mark.parametrize("seed", range(WORLDS))
def test_torn_and_clean_deliveries_are_alike_or_the_difference_is_named(
    seed: int, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    here = world(tmp_path_factory.getbasetemp(), seed)
    whole, parts = clean(tmp_path / "clean", here), torn(tmp_path / "torn", here)
    named = {note.partition(":")[0] for note in reach_notes(parts)}
    one, other = snapshots_of(whole), snapshots_of(parts)
    source, (first, _, last) = random.Random(seed), here.exports
    between = first + timedelta(days=source.randint(1, max((last - first).days - 1, 1)))
    for day in (first - timedelta(days=source.randint(0, 60)), between, last, END):
        columns = different(one.at(day).frame(), other.at(day).frame())
        # A subscription told otherwise comes with a price again, which then goes before an earlier change of price.
        assert not columns or day < last or "subscriptions" in named, (day, columns, here.exports)
        for tables in tables_behind(one, columns) if columns else ():
            assert tables & named, (day, columns, tables, named)
    months = [figures(Ground(each))["months"] for each in (whole, parts)]
    assert months[0] == months[1] or named & {here.entity, "subscription_changes", "payments"}
