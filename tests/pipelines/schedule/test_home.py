from __future__ import annotations

from pathlib import Path
from uuid import UUID

import dagster as dg
from dagster import DagsterRunStatus as Status

from pipelines.schedule.home import prepare

RUNS = {name: str(UUID(int=number)) for number, name in enumerate(("broken", "done", "new"))}


def test_nothing_is_told_to_anybody_and_one_run_works_at_a_time(tmp_path: Path) -> None:
    with dg.DagsterInstance.from_config(str(prepare(tmp_path))) as instance:
        assert not instance.telemetry_enabled
        assert not instance.nux_enabled
        queue = instance.get_concurrency_config().run_queue_config
        assert queue is not None
        assert queue.max_concurrent_runs == 1


def test_a_run_that_was_under_way_when_the_scheduler_ended_does_not_keep_its_place(tmp_path: Path) -> None:
    home = prepare(tmp_path)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        for name, status in (("broken", Status.STARTED), ("done", Status.SUCCESS), ("new", Status.NOT_STARTED)):
            instance.add_run(dg.DagsterRun(job_name="score", run_id=RUNS[name], status=status))
    prepare(tmp_path)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        found = {run.run_id: run.status for run in instance.get_runs()}
        said = [record.message for record in instance.all_logs(RUNS["broken"])]
    assert found == {
        RUNS["broken"]: Status.FAILURE,
        RUNS["done"]: Status.SUCCESS,
        RUNS["new"]: Status.NOT_STARTED,
    }
    assert any("What it finished is kept" in message for message in said)
