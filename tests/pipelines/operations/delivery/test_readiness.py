"""What stands against writing to a destination, and making what it lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.foundation.workspace.run_context import RunContext
from pipelines.operations.delivery import readiness
from pipelines.operations.delivery.connector import DestinationError, UnavailableError
from tests.pipelines.operations.delivery.destination_case import Memory, job_in


@pytest.fixture
def job(tmp_path: Path) -> RunContext:
    return job_in(tmp_path)


def test_setup_makes_fields_and_tells_what_still_stands_against_sending(
    job: RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Made(Memory):
        def setup(self) -> list[str]:
            return ["attrition_run_id"]

    monkeypatch.setattr(
        readiness, "connect", lambda plan, language: Made(broken="" if plan.name == "crm" else "no right")
    )
    assert readiness.setup(job, None)["destinations"] == [
        {"name": "crm", "made": ["attrition_run_id"], "problem": None},
        {"name": "warehouse", "made": ["attrition_run_id"], "problem": "no right"},
    ]
    assert readiness.check(job, "warehouse")["destinations"] == [{"name": "warehouse", "problem": "no right"}]


def test_a_destination_that_is_not_reached_is_told_in_words(job: RunContext, monkeypatch: pytest.MonkeyPatch) -> None:
    class Down(Memory):
        def setup(self) -> list[str]:
            raise UnavailableError("it is down")

        def check(self) -> None:
            raise UnavailableError("it is down")

    monkeypatch.setattr(readiness, "connect", lambda plan, language: Down())
    with pytest.raises(DestinationError, match="crm: it is down; try again later"):
        readiness.setup(job, "crm")
    assert readiness.check(job, "crm")["destinations"] == [{"name": "crm", "problem": "it is down"}]
