"""A workspace: its settings, its files, and the day it looks from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir

from features.errors import DataError, SettingsError
from models.training import Fitted
from pipelines import settings as settings_file
from pipelines.ingest import landed_tables
from pipelines.settings import FILE_NAME, Settings
from pipelines.store import Store


@dataclass(frozen=True)
class Workspace:
    """as_of: the local calendar day at whose start scoring looks; nothing known on or after it is used to predict."""

    root: Path
    settings: Settings
    as_of: date

    @cached_property
    def store(self) -> Store:
        return Store(self.root)

    @cached_property
    def engine(self) -> Any:
        """DuckDB in memory: files stay readable by others while jobs run."""
        engine = ibis.duckdb.connect()
        engine.raw_sql("SET TimeZone = 'UTC'")
        with suppress(duckdb.InvalidInputException):  # a notebook without ipywidgets has no bar, and none to turn off
            engine.raw_sql("SET enable_progress_bar = false")
        return engine

    @cached_property
    def fits(self) -> dict[tuple[int, ...], Fitted]:
        """Models fitted in this process, by the snapshots they saw: the newest fold and `train` often see the same."""
        return {}

    @cached_property
    def tables(self) -> dict[str, ir.Table]:
        """Every landed table. Raises DataError where orders are not there yet."""
        tables = landed_tables(self.store, self.engine, settings=self.settings)
        if not {"orders", "order_lines"} & tables.keys():
            raise DataError(f"no orders have landed in {self.root}; run `attrition ingest --project {self.root}`")
        return tables

    @cached_property
    def order_days(self) -> tuple[date, date]:
        """The local days of the oldest and the newest order."""
        spans = [
            self.engine.to_pyarrow(table.agg(first=table.ordered_on.min(), last=table.ordered_on.max())).to_pylist()[0]
            for name, table in self.tables.items()
            if name in ("orders", "order_lines")
        ]
        if any(span["first"] is None for span in spans):
            raise DataError(f"no order landed in {self.root}: every row was rejected, or the files were empty")
        return min(span["first"] for span in spans), max(span["last"] for span in spans)

    @property
    def complete_until(self) -> date:
        """The first day that the data do not cover completely: as set, otherwise the day of the newest order."""
        return self.settings.complete_until or self.order_days[1]

    @property
    def data_as_of(self) -> date:
        """The day of the newest order that scoring can know of."""
        return min(self.order_days[1], self.as_of - timedelta(days=1))

    def training_days(self, until: date) -> list[date]:
        """Grid days whose outcome windows end by `until`, with enough history before them; the newest `at_most`."""
        plan, outcome = self.settings.snapshots, self.settings.outcome
        last = min(until, self.complete_until) - timedelta(days=outcome.lead_days + outcome.horizon_days)
        first = self.order_days[0] + timedelta(days=max(1, plan.min_history_days))
        newest = last - timedelta(days=(last - plan.anchor).days % plan.every_days)
        days = [newest - timedelta(days=plan.every_days * step) for step in range(plan.at_most)]
        return sorted(day for day in days if day >= first)


def open_workspace(folder: Path, *, now: datetime, as_of: date | None = None) -> Workspace:
    """Read the settings of a folder. as_of goes before the settings' own, and that before the local day of `now`."""
    if not folder.is_dir():
        raise SettingsError(f"{folder} is not a folder; make a workspace with `attrition init {folder}`")
    settings = settings_file.load(folder / FILE_NAME)
    return Workspace(folder, settings, as_of or settings.as_of or now.astimezone(settings.zone).date())


def fingerprint(parts: Mapping[str, Any]) -> str:
    """Sixteen hexadecimal digits of everything that a result depends on."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def code_version(*rooms: str) -> str:
    """The release and a hash of the source files of some rooms, all three unless named: what made a result."""
    digest, here = hashlib.sha256(), Path(__file__).parent.parent
    for room in rooms or ("features", "models", "pipelines"):
        for place in sorted((here / room).rglob("*.py")):
            digest.update(place.relative_to(here).as_posix().encode() + place.read_bytes())
    return f"{metadata.version('attrition')}+{digest.hexdigest()[:12]}"
