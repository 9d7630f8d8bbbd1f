from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipelines.schedule.definitions import build
from pipelines.schedule.grid import NAME
from tests.pipelines.schedule.schedule_case import history, made, run


@pytest.fixture
def shop(finished_workspace: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished_workspace, tmp_path / "shop"))


def compute(folder: Path, instance: dg.DagsterInstance, partition_key: str) -> dg.ExecuteInProcessResult:
    job = build(folder).resolve_implicit_global_asset_job_def()
    only = [dg.AssetKey("snapshots")]
    return job.execute_in_process(
        instance=instance, raise_on_error=False, asset_selection=only, partition_key=partition_key
    )


def told(result: dg.ExecuteInProcessResult) -> dict[str, dict[str, Any]]:
    """What was told of each partition."""
    return {
        str(event.partition): {name: value.value for name, value in event.materialization.metadata.items()}
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey("snapshots")
    }


def test_a_partition_materialises_as_files_of_its_day_alone(shop: Path) -> None:
    shutil.rmtree(shop / "snapshots")
    with history() as instance:
        run(shop, "ingest", instance)
        day = instance.get_dynamic_partitions(NAME)[3]
        result = compute(shop, instance, partition_key=day)
    assert result.success
    found = told(result)
    assert list(found) == [day]
    assert (shop / str(found[day]["features"])).is_file()
    assert str(found[day]["features"]).startswith(f"snapshots/{day}-")
    assert found[day]["customers"] > 0


def test_an_outcome_that_is_not_known_yet_is_told_as_that(shop: Path) -> None:
    settings = shop / "attrition.toml"
    settings.write_text(settings.read_text().replace("complete_until = 2025-08-01", "complete_until = 2025-06-01"))
    with history() as instance:
        run(shop, "ingest", instance)
        day = instance.get_dynamic_partitions(NAME)[-1]
        result = compute(shop, instance, partition_key=day)
    assert told(result)[day]["outcomes"] == "not known yet"


def test_retraining_tells_of_the_version_and_of_the_snapshots_that_it_computed(shop: Path) -> None:
    with history() as instance:
        result = run(shop, "retrain", instance)
        partitions = instance.get_dynamic_partitions(NAME)
    assert result.success
    assert set(made(result)) == {"landed", "snapshots", "model"}
    assert set(told(result)) <= set(partitions)
    assert len(told(result)) == 10
    (model,) = (each for each in result.get_asset_materialization_events() if each.asset_key == dg.AssetKey("model"))
    metadata = {name: value.value for name, value in model.materialization.metadata.items()}
    assert set(metadata) == {"version", "promoted", "verdict", "unchanged", "published"}
    assert metadata["unchanged"] is True
