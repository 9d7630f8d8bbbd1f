"""Runs of a workspace's jobs in this process, and what came of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from pipelines.foundation.settings.settings import FILE_NAME
from pipelines.schedule.definitions import build


@contextmanager
def history() -> Iterator[dg.DagsterInstance]:
    """Dagster's memory of what ran, gone after the block."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def run(
    folder: Path, job: str, instance: dg.DagsterInstance, *, only: Sequence[str] | None = None
) -> dg.ExecuteInProcessResult:
    """A job of the workspace, run whole or some of its assets; a failure is a result, too."""
    found = build(folder).resolve_job_def(job)
    keys = None if only is None else [dg.AssetKey(name) for name in only]
    return found.execute_in_process(instance=instance, raise_on_error=False, asset_selection=keys)


def made(result: dg.ExecuteInProcessResult) -> list[str]:
    """Names of the assets that were materialised, in order."""
    return [event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key]


def verdicts(result: dg.ExecuteInProcessResult) -> dict[str, tuple[bool, str]]:
    """Each check that was made: whether it passed, and its words."""
    found = result.get_asset_check_evaluations()
    return {each.check_name: (each.passed, each.description or "") for each in found}


def told(result: dg.ExecuteInProcessResult, step: str) -> str:
    """What a failed step says, all of it."""
    failure = result.failure_data_for_node(step)
    assert failure is not None
    assert failure.error is not None
    return failure.error.to_string()


def set_schedule(folder: Path, **values: str | int) -> None:
    """Write other values into the section `schedule` of the settings."""
    place = folder / FILE_NAME
    text = place.read_text(encoding="utf-8")
    for name, value in values.items():
        written = f'"{value}"' if isinstance(value, str) else str(value)
        head, mark, section = text.partition("[schedule]")
        section, times = re.subn(rf"(?m)^{name} = .*$", f"{name} = {written}", section, count=1)
        assert times == 1, name
        text = head + mark + section
    place.write_text(text, encoding="utf-8")
