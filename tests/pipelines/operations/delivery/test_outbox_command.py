"""What people are told of outboxes and destinations, and what they can do about refused records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from features.errors import DataError, SettingsError
from pipelines.cli import app
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.operations.delivery import outbox_command
from pipelines.operations.delivery.difference import Change
from pipelines.operations.delivery.outbox import Outbox
from pipelines.operations.delivery.policy import content
from tests.pipelines.operations.delivery.destination_case import NOW, job_in, values
from tests.pipelines.shop_case import attrition


@pytest.fixture
def job(tmp_path: Path) -> RunContext:
    return job_in(tmp_path)


def refused(job: RunContext, *customers: str, name: str = "crm") -> Outbox:
    outbox, said = Outbox(job.workspace.store, name), values()
    outbox.plan([Change(each, said, content(said), withdrawn=False) for each in customers], keep=(), at=NOW)
    outbox.mark_in_flight(customers)
    outbox.dead_letter(dict.fromkeys(customers, "nobody knows them"), certain=True)
    return outbox


def listed(job: RunContext, destination: str | None = None, **options: Any) -> dict[str, Any]:
    found = outbox_command.manage_outbox(
        job, destination, **{"customers": None, "retry": False, "drop": False} | options
    )
    return {each["name"]: each for each in found["destinations"]}


def test_refused_records_are_listed_with_their_reasons_by_destination(job: RunContext) -> None:
    refused(job, "A", "B")
    found = listed(job)
    assert list(found) == ["crm", "warehouse"]
    assert (found["crm"]["dead"], found["warehouse"]["dead"]) == (2, 0)
    assert found["crm"]["letters"][0] == {
        "external_id": "A",
        "state": "dead",
        "attempts": 0,
        "why": "nobody knows them",
        "planned_at": "2024-07-01T06:00:00+00:00",
        "withdrawn": False,
    }


def test_a_destination_that_settings_forgot_is_listed_as_long_as_something_is_there(job: RunContext) -> None:
    refused(job, "A", name="old")
    assert list(listed(job)) == ["crm", "warehouse", "old"]


def test_some_or_all_refused_records_are_tried_again_or_dropped(job: RunContext) -> None:
    outbox = refused(job, "A", "B", "C")
    assert listed(job, "crm", customers=["A"], retry=True)["crm"]["moved"] == 1
    assert outbox.waiting() == ["A"]
    assert listed(job, "crm", drop=True)["crm"]["moved"] == 2
    assert outbox.counts() == {"pending": 1, "dead": 0, "dropped": 2, "held": 0}
    assert listed(job, retry=True)["crm"]["moved"] == 2


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"retry": True, "drop": True}, SettingsError, "exclude each other"),
        ({"customers": ["A"]}, SettingsError, "together with --retry or --drop"),
        ({"customers": ["Z"], "retry": True}, DataError, "no refused record of these customers"),
        ({"destination": "crn"}, SettingsError, "there is no destination 'crn'. Did you mean 'crm'?"),
    ],
)
def test_mistakes_are_told(job: RunContext, options: dict[str, Any], error: type[Exception], said: str) -> None:
    refused(job, "A")
    with pytest.raises(error, match=said.replace("?", r"\?")):
        listed(job, **options)


def test_the_commands_speak_to_people_and_to_programs(finished_workspace: Path) -> None:
    def typed(*arguments: str) -> Result:
        return CliRunner().invoke(app, [*arguments, "--project", str(finished_workspace)])

    shown = typed("outbox")
    assert (shown.exit_code, shown.stdout) == (0, "")
    assert "the settings name no destination" in shown.stderr
    told = attrition("outbox", "--project", str(finished_workspace), "--json")  # what a process leaves on stdout
    assert json.loads(told.stdout) == {"destinations": []}
    failed = typed("crm", "check")
    assert failed.exit_code == 2
    assert failed.stderr.startswith("attrition: the settings name no destination; add a [[destinations]] block")
    despite = typed("deliver", "--despite", "scores")
    assert (despite.exit_code, "only these guards can be passed by: changes, bands" in despite.stderr) == (2, True)
