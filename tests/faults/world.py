"""A small shop on the eve of each stage, and the command that comes next."""

from __future__ import annotations

import mmap
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from pipelines.foundation.settings.destinations import Delivery
from pipelines.foundation.settings.privacy import Privacy
from pipelines.foundation.settings.section import Section
from pipelines.foundation.settings.settings import Backtest, Snapshots
from pipelines.foundation.settings.template import render
from pipelines.foundation.storage.workspace_paths import LEDGER
from tests.faults.processes import finished, on_each_event
from tests.faults.state import Rows, state
from tests.pipelines.shop_case import SETTINGS, make_shop, orders, write_orders

NOW = datetime(2025, 6, 1, 6, tzinfo=UTC)
# So short that each takes something away.
PERIODS = {"keep_facts_days": 300, "keep_rejects_days": 1, "keep_snapshots_days": 100, "keep_scores_days": 1}
PERIODS |= {"keep_delivery_days": 1}
BEFORE, TODAY = date(2025, 4, 1), date(2025, 6, 1)
SMALL = SETTINGS.model_copy(
    update={
        "snapshots": Snapshots(every_days=28, min_history_days=60, at_most=4),
        "backtest": Backtest(folds=1, every_days=30, bootstrap_samples=20),
    }
)


@dataclass(frozen=True)
class Stage:
    """A command, a workspace on its eve and one in which it ran undisturbed, and what the latter holds.

    seconds: how long it takes; events: how many things it does to files and databases.
    """

    name: str
    command: list[str]
    eve: Path
    done: Path
    after: Rows
    seconds: float
    events: int


def stages(folder: Path) -> list[Stage]:
    """Every stage that writes, some in two situations; their eves stand below `folder`."""
    shop = folder / "shop"
    half = len(orders()) // 2
    make_shop(shop, settings=SMALL, rows=orders()[:half])
    write_orders(shop / "commandes-2.csv", orders()[half:])
    found = [_stage("ingest", ["ingest"], shop, folder)]
    _do(shop, ["ingest"])
    found.append(_stage("snapshots", ["snapshots"], shop, folder))
    _do(shop, ["snapshots"])
    found.append(_stage("training", ["train"], shop, folder))  # MLflow's file is made on the way
    _do(shop, ["train", "--as-of", f"{BEFORE}"])
    _do(shop, ["score", "--as-of", f"{BEFORE}"])
    found.append(_stage("training", ["train"], shop, folder))
    _do(shop, ["train"])
    newest = _newest(shop)
    found.append(_stage("promotion", ["promote", newest], shop, folder))
    _do(shop, ["promote", newest])
    found.append(_stage("scoring", ["score"], shop, folder))
    _deliver_nothing(shop, wanted=False)
    _do(shop, ["score"])
    found.append(_stage("promotion", ["rollback"], shop, folder))
    _deliver_nothing(shop, wanted=True)
    found.append(_stage("delivery", ["deliver"], shop, folder))
    _do(shop, ["deliver"])
    _do(shop, ["erase", "C-0002"])  # the key that names the erased is made by chance: once, before both are compared
    found.append(_stage("erasing", ["erase", "C-0001"], shop, folder))
    _settle(shop, privacy=Privacy(**PERIODS))
    found.append(_stage("expiring", ["expire"], shop, folder))
    return found


def copy(stage: Stage, target: Path) -> list[str]:
    """A workspace on the eve of a stage, and the command line that comes next."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(stage.eve, target)
    return [*stage.command, "--project", str(target)]


def _stage(name: str, command: list[str], shop: Path, folder: Path) -> Stage:
    eve = folder / f"eve-{sum(each.name.startswith('eve') for each in folder.iterdir())}"
    shutil.copytree(shop, eve)
    done, count = folder / f"done-{eve.name}", mmap.mmap(-1, 8)

    def counted() -> None:
        on_each_event(lambda number: count.__setitem__(slice(0, 8), number.to_bytes(8)))

    def tried(before: Callable[[], None]) -> float:
        shutil.rmtree(done, ignore_errors=True)
        shutil.copytree(eve, done)
        start = time.monotonic()
        _do(done, command, before=before)
        return time.monotonic() - start

    tried(counted)
    seconds = tried(lambda: None)
    return Stage(name, command, eve, done, state(done), seconds, int.from_bytes(count[0:8]))


def _do(shop: Path, command: list[str], *, before: Callable[[], None] = lambda: None) -> None:
    ended = finished([*command, "--project", str(shop)], shop.parent / "log", now=NOW, before=before)
    if ended.code:
        raise AssertionError(f"{command} ended with {ended.code}: {ended.said}")


def _newest(shop: Path) -> str:
    with closing(sqlite3.connect(shop / LEDGER)) as ledger:
        return str(ledger.execute("SELECT version FROM versions ORDER BY sequence DESC").fetchone()[0])


def champion(shop: Path) -> str:
    """The version of today's champion."""
    with closing(sqlite3.connect(shop / LEDGER)) as ledger:
        query = "SELECT version FROM champions WHERE rolled_back_at IS NULL ORDER BY sequence DESC"
        return str(ledger.execute(query).fetchone()[0])


def _deliver_nothing(shop: Path, *, wanted: bool) -> None:
    """Whether the settings want a CSV file: without it, scoring delivers nothing."""
    _settle(shop, delivery=Delivery(csv=wanted))


def _settle(shop: Path, **sections: Section) -> None:
    """Settings with these sections beside what all stages share."""
    (shop / "attrition.toml").write_text(render(SMALL.model_copy(update=sections)), encoding="utf-8")
