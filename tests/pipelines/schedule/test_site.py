from __future__ import annotations

import os
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipelines.foundation.storage import lock
from pipelines.foundation.workspace.run_context import RunContext
from tests.pipelines.schedule.schedule_case import history, made, run, set_schedule, told
from tests.pipelines.shop_case import FIRST, make_shop, order


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    place = make_shop(tmp_path / "shop", rows=[order(n, "C-1", FIRST, 1.0) for n in range(3)])
    set_schedule(place, retries=2, retry_delay_seconds=1)
    return place


def waits(result: dg.ExecuteInProcessResult) -> list[float | None]:
    return [event.step_retry_data.seconds_to_wait for event in result.all_events if event.is_step_up_for_retry]


def test_a_busy_workspace_is_tried_again_after_waits_that_grow_and_then_told_of(shop: Path) -> None:
    with history() as instance, lock.held(shop):
        result = run(shop, "ingest", instance)
    assert not result.success
    assert waits(result) == [1, 3]
    assert told(result, "landed") == (
        f"another attrition run (process {os.getpid()}) is working in {shop}; wait until it ends; "
        "3 tries are enough for now"
    )
    assert not (shop / "landed").exists()


def test_a_workspace_that_becomes_free_is_worked_on(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    us, sleep = threading.get_ident(), time.sleep
    with history() as instance, ExitStack() as busy:
        busy.enter_context(lock.held(shop))

        def freed(seconds: float) -> None:
            if threading.get_ident() == us and 0.5 < seconds <= 1:  # what is left of the wait; other threads sleep, too
                busy.close()
            else:
                sleep(seconds)

        monkeypatch.setattr(time, "sleep", freed)
        result = run(shop, "ingest", instance)
    assert result.success
    assert waits(result) == [1]
    assert made(result) == ["landed"]


def test_a_mistake_is_told_once_in_words_alone_and_not_tried_again(shop: Path) -> None:
    with history() as instance:
        result = run(shop, "run", instance, only=["scores"])
    assert not result.success
    assert waits(result) == []
    assert told(result, "scores") == "there is no champion model of inactivity yet; run `attrition train` first"


def test_nobody_reads_frames_of_a_try_that_found_the_workspace_busy(
    shop: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with history() as instance, lock.held(shop):
        result = run(shop, "ingest", instance)
        said = [record.to_json() for record in instance.all_logs(result.run_id)]
    assert [each for each in said if "Traceback" in each or "Stack Trace" in each or "site-packages" in each] == []
    assert "File " not in capfd.readouterr().err


def test_a_fault_of_the_program_is_tried_again_too(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def flaky(job: RunContext) -> dict:
        tries.append(job)
        if len(tries) < 3:
            raise OSError("the disk is away")
        return {"files": []}

    monkeypatch.setattr("pipelines.run.ingest", flaky)
    monkeypatch.setattr("pipelines.schedule.assets.follow", lambda *_: 0)
    monkeypatch.setattr("pipelines.foundation.workspace.workspace.Workspace.calendar", None)  # nothing has landed
    with history() as instance:
        assert run(shop, "ingest", instance).success
    assert len(tries) == 3


def test_every_step_looks_from_the_moment_at_which_the_run_began(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = []

    def scores(job: RunContext) -> dict:
        moments.append(job.now)
        time.sleep(0.2)
        return dict.fromkeys(("as_of", "run_id", "model_version", "data_as_of", "valid_until"), "x") | {
            "scored": 1,
            "unchanged": False,
        }

    def monitor(job: RunContext) -> dict:
        moments.append(job.now)
        return {"as_of": "x", "model_version": "x", "alerts": [], "retrain": []}

    monkeypatch.setattr("pipelines.run.scores", scores)
    monkeypatch.setattr("pipelines.run.monitor", monitor)
    with history() as instance:
        run(shop, "score", instance, only=["scores", "monitoring"])
    assert len(moments) == 2
    assert moments[0] == moments[1]


@pytest.mark.parametrize("tries_left", [0, 2])
def test_records_that_a_destination_could_not_take_are_tried_again_later(
    shop: Path, monkeypatch: pytest.MonkeyPatch, tries_left: int
) -> None:
    tries = []

    def deliver(job: RunContext) -> dict:
        tries.append(job.now)
        waits = 3 if len(tries) < 3 else 0
        counts = dict.fromkeys(("planned", "sent", "unchanged", "suppressed", "dead"), 0)
        told = {"name": "crm", "failed": waits, "why": "it is down", "differing": {}}
        files: dict[str, Any] = {"csv": None, "also": None, "too_old": [], "announced": {"customers": 0}}
        return counts | files | {"destinations": [told]}

    monkeypatch.setattr("pipelines.run.monitor", lambda _: {"alerts": []})
    monkeypatch.setattr("pipelines.run.deliver", deliver)
    set_schedule(shop, retries=tries_left, retry_delay_seconds=1)
    with history() as instance:
        result = run(shop, "score", instance, only=["delivery"])
        assert result.success == (tries_left == 2)
    assert len(tries) == tries_left + 1


def test_what_the_stages_say_is_in_the_log_of_the_run(shop: Path) -> None:
    with history() as instance:
        result = run(shop, "ingest", instance)
        said = [record.user_message for record in instance.all_logs(result.run_id)]
    assert "commandes-1.csv: 3 rows, 3 landed, 0 rejected" in said
