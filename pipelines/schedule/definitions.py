"""What Dagster loads: everything there is to schedule in the workspace that the environment names."""

from __future__ import annotations

import os
from pathlib import Path

import dagster as dg

from pipelines.foundation.settings.settings import FILE_NAME, load
from pipelines.schedule.assets import assets
from pipelines.schedule.checks import checks
from pipelines.schedule.grid import grid_sensor
from pipelines.schedule.home import PROJECT
from pipelines.schedule.site import Site
from pipelines.schedule.timetable import JOBS, retrain_sensor, schedules


def build(folder: Path) -> dg.Definitions:
    """Assets, checks, jobs, schedules and sensor of a workspace."""
    settings = load(folder / FILE_NAME)
    retry = dg.RetryPolicy(
        max_retries=settings.schedule.retries,
        delay=settings.schedule.retry_delay_seconds,
        backoff=dg.Backoff.EXPONENTIAL,
    )
    site = Site(folder, retry)
    return dg.Definitions(
        assets=assets(site),
        asset_checks=checks(site),
        jobs=JOBS,
        schedules=schedules(settings),
        sensors=[retrain_sensor(site), grid_sensor(site)],
        # One step after the other: they share one workspace, and so one lock.
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """Of the folder in ATTRITION_PROJECT, otherwise of the current one."""
    return build(Path(os.environ.get(PROJECT, ".")))
