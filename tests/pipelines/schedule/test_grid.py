from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipelines.foundation.workspace.console import Console
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.foundation.workspace.workspace import Workspace, open_workspace
from pipelines.run import ingest
from pipelines.schedule.grid import NAME, follow, grid_sensor
from pipelines.schedule.site import Site
from tests.pipelines.schedule.schedule_case import history
from tests.pipelines.shop_case import AS_OF, make_shop, order, write_orders

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIRST = date(2024, 9, 2)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return make_shop(tmp_path / "shop", rows=[order(0, "C-1", FIRST, 1.0), order(1, "C-1", date(2025, 7, 1), 1.0)])


def landed(folder: Path) -> Workspace:
    ingest(RunContext(open_workspace(folder, now=NOW), Console(quiet=True), NOW))
    return open_workspace(folder, now=NOW)


def keys(instance: dg.DagsterInstance) -> list[str]:
    return list(instance.get_dynamic_partitions(NAME))


def test_the_partitions_are_the_grid_from_enough_history_on_to_the_day_that_scoring_looks_from(shop: Path) -> None:
    days = landed(shop).calendar.snapshot_days()
    assert days[0] == date(2024, 11, 4)  # the first after 60 days of history, 28 days apart from 2001-01-01
    assert {(after - before).days for before, after in pairwise(days)} == {28}
    assert AS_OF - timedelta(days=28) < days[-1] <= AS_OF


def test_days_that_join_are_added_and_a_second_time_nothing_changes(shop: Path) -> None:
    with history() as instance:
        workspace = landed(shop)
        assert follow(workspace.calendar, instance) == len(workspace.calendar.snapshot_days())
        before = keys(instance)
        follow(workspace.calendar, instance)
        assert keys(instance) == before == [str(day) for day in workspace.calendar.snapshot_days()]


def test_earlier_days_stand_before_the_others_because_a_range_goes_by_order(shop: Path) -> None:
    with history() as instance:
        follow(landed(shop).calendar, instance)
        before = keys(instance)
        write_orders(shop / "commandes-0.csv", [order(9, "C-2", FIRST - timedelta(days=90), 1.0)])
        follow(landed(shop).calendar, instance)
        after = keys(instance)
    assert after == sorted(after)
    assert len(after) > len(before)
    assert after[-len(before) :] == before


def test_days_off_a_changed_grid_are_gone(shop: Path) -> None:
    with history() as instance:
        follow(landed(shop).calendar, instance)
        settings = shop / "attrition.toml"
        settings.write_text(settings.read_text().replace("every_days = 28", "every_days = 56"))
        workspace = landed(shop)
        follow(workspace.calendar, instance)
        assert keys(instance) == [str(day) for day in workspace.calendar.snapshot_days()]


def test_what_a_person_landed_becomes_partitions_too_and_is_looked_at_once(shop: Path) -> None:
    sensor: Any = grid_sensor(Site(shop, dg.RetryPolicy()))
    with history() as instance:
        context = dg.build_sensor_context(instance=instance)
        assert "attrition ingest" in str(sensor(context).skip_message)
        workspace = landed(shop)
        assert "days have a snapshot" in str(sensor(context).skip_message)
        assert keys(instance) == [str(day) for day in workspace.calendar.snapshot_days()]
        assert sensor(context).skip_message == "nothing landed since"
