from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from features.errors import SettingsError
from pipelines.schedule.definitions import build, defs
from pipelines.schedule.home import PROJECT
from tests.pipelines.schedule.schedule_case import set_schedule
from tests.pipelines.shop_case import make_shop

FOLLOWS = {
    "landed": set(),
    "snapshots": {"landed"},
    "model": {"landed", "snapshots"},
    "scores": {"landed", "model"},
    "monitoring": {"scores"},
    "delivery": {"scores", "monitoring"},
    "report": {"delivery"},
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return make_shop(tmp_path / "shop", rows=[])


def names(keys: Iterable[dg.AssetKey]) -> set[str]:
    return {key.to_user_string() for key in keys}


def test_the_definitions_load(shop: Path) -> None:
    found = build(shop)
    dg.Definitions.validate_loadable(found)
    assert names(found.resolve_all_asset_keys()) == set(FOLLOWS)


def test_each_asset_follows_what_it_is_made_from(shop: Path) -> None:
    graph = build(shop).resolve_asset_graph()
    assert {key.to_user_string(): names(graph.get(key).parent_keys) for key in graph.get_all_asset_keys()} == FOLLOWS


def test_every_check_holds_up_what_follows(shop: Path) -> None:
    graph = build(shop).resolve_asset_graph()
    found = {key.to_user_string(): graph.get_check_spec(key).blocking for key in graph.asset_check_keys}
    assert found == {"landed:contracts": True, "snapshots:audit": True, "monitoring:drift": True}


def test_a_job_has_the_assets_and_checks_that_it_relies_on(shop: Path) -> None:
    found = {name: build(shop).resolve_job_def(name) for name in ("ingest", "score", "retrain", "run")}
    assert {name: {node.name for node in job.nodes} for name, job in found.items()} == {
        "ingest": {"landed"},
        "score": {"landed", "scores", "monitoring", "drift", "delivery", "report"},
        "retrain": {"landed", "audit", "model"},
        "run": {*FOLLOWS, "audit", "drift"} - {"snapshots"},
    }


def test_cron_lines_run_in_the_time_zone_of_the_workspace_without_being_switched_on(shop: Path) -> None:
    set_schedule(shop, score="30 7 * * mon-fri")
    found: dict[str, Any] = {each.name: each for each in build(shop).schedules or ()}
    lines = {name: (each.cron_schedule, each.execution_timezone) for name, each in found.items()}
    assert lines == {
        "ingest_by_cron": ("0 4 * * *", "Europe/Paris"),
        "score_by_cron": ("30 7 * * mon-fri", "Europe/Paris"),
        "retrain_by_cron": ("0 6 * * 1", "Europe/Paris"),
    }
    assert {each.default_status for each in found.values()} == {dg.DefaultScheduleStatus.RUNNING}
    sensors = list(build(shop).sensors or ())
    assert {each.name: each.default_status for each in sensors} == {
        "monitoring_asks": dg.DefaultSensorStatus.RUNNING,
        "snapshot_grid": dg.DefaultSensorStatus.RUNNING,
    }


def test_an_empty_line_is_no_schedule(shop: Path) -> None:
    set_schedule(shop, ingest="", retrain="")
    assert [each.name for each in build(shop).schedules or ()] == ["score_by_cron"]


def test_tries_and_waits_are_those_of_the_settings(shop: Path) -> None:
    set_schedule(shop, retries=2, retry_delay_seconds=7)
    job: Any = build(shop).resolve_job_def("run")
    policies = {node.name: job.get_node_named(node.name).definition.retry_policy for node in job.nodes}
    wanted = dg.RetryPolicy(max_retries=2, delay=7, backoff=dg.Backoff.EXPONENTIAL)
    assert policies == dict.fromkeys(policies, wanted)


def test_what_is_loaded_is_of_the_folder_that_the_environment_names(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PROJECT, str(shop))
    set_schedule(shop, ingest="1 2 3 4 *")
    lines: list[Any] = list(defs().schedules or ())
    assert "1 2 3 4 *" in {each.cron_schedule for each in lines}
    monkeypatch.setenv(PROJECT, str(tmp_path / "nowhere"))
    with pytest.raises(SettingsError, match="nowhere"):
        defs()
