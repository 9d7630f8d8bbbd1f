"""Where Dagster keeps what ran and when: a folder in the workspace. Deleting it loses that history and nothing else."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from pipelines.foundation.storage.workspace_paths import SCHEDULER

PROJECT = "ATTRITION_PROJECT"  # names the workspace to what runs with this home

# One run at a time, so that two never want one workspace.
_SETTINGS = """\
# Written by `attrition schedule` at each start.
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 1
code_servers:
  local_startup_timeout: 180
retention:
  sensor:
    purge_after_days:
      skipped: 1
      success: 30
"""
_AT_WORK = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def prepare(folder: Path) -> Path:
    """The workspace's DAGSTER_HOME, ready for a scheduler that is alone there.

    Its databases are made here: page and daemon, started together, would get in each other's way. A run that was under
    way when the scheduler before ended would keep the only place for ever: it is told to have failed.
    """
    home = folder.resolve() / SCHEDULER
    home.mkdir(exist_ok=True)
    (home / "dagster.yaml").write_text(_SETTINGS, encoding="utf-8")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        for run in instance.get_runs(dg.RunsFilter(statuses=_AT_WORK)):
            instance.report_run_failed(
                run, "The scheduler ended while this run was under way. What it finished is kept."
            )
    return home
