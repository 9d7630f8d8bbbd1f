from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pipelines.operations.delivery.bottlecrm.connector import BottleCrmConnector, connect
from pipelines.operations.delivery.bottlecrm.tasks import is_due, words
from pipelines.operations.delivery.connector import TAKEN, DestinationError, Outcome, Record, UnavailableError, Value
from tests.pipelines.operations.delivery.bottlecrm.bottlecrm_case import HIGH, LOW, plan, record
from tests.pipelines.operations.delivery.bottlecrm.fake_bottlecrm import TOKEN, Answer, FakeBottleCrm, running


@pytest.fixture
def crm(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBottleCrm]:
    """Set up, and with one contact, who has an owner."""
    monkeypatch.setenv("ATTRITION_BOTTLECRM_TOKEN", TOKEN)
    with running() as fake:
        connector(fake).setup()
        fake.contact("A-17", "owner", "former-owner")
        fake.calls.clear()
        yield fake


def connector(crm: FakeBottleCrm) -> BottleCrmConnector:
    return connect(plan(crm.address), language="en")


def send(crm: FakeBottleCrm, *records: Record) -> list[Outcome]:
    crm.calls.clear()
    return connector(crm).send(records)


def statuses(crm: FakeBottleCrm) -> list[str]:
    return [task["status"] for task in crm.tasks.values()]


@pytest.mark.parametrize(
    ("change", "due"),
    [
        ({}, True),
        ({"churn_risk_band": "medium"}, False),
        ({"suppressed": True}, False),
        ({"treatment_group": "holdout"}, False),
        ({"treatment_group": None}, True),
        ({"recommended_play": None}, False),
        ({"recommended_play": ""}, False),
    ],
)
def test_a_task_is_for_those_at_high_risk_for_whom_something_is_to_be_done(change: dict[str, Value], due: bool) -> None:
    assert is_due(HIGH | change) is due


def test_a_task_says_what_to_do_and_why() -> None:
    said = words(HIGH, "en")
    assert said.title == "Keep this customer: Call, and offer 10 %"
    assert said.description == (
        "Why:\n- no order for 94 days, usually every 21 days\n- dernière commande il y a 1\u202f000 jours\n"
        "Value at risk: 1,234.50 EUR"
    )
    assert said.due == "2024-07-31"


def test_a_task_is_in_the_language_of_the_company() -> None:
    said = words(HIGH | {"reason_2": None}, "fr")
    assert said.title == "Garder ce client\u00a0: Call, and offer 10 %"
    assert said.description == (
        "Pourquoi\u00a0:\n- no order for 94 days, usually every 21 days\nValeur à risque\u00a0: 1\u202f234,50 EUR"
    )


def test_a_task_of_which_little_is_known_says_little() -> None:
    said = words({"recommended_play": "x" * 300, "churn_risk_band": "high"}, "en")
    assert (len(said.title), said.title[-2:], said.description, said.due) == (200, "x…", "", None)


def test_a_task_is_made_once_and_for_the_owner(crm: FakeBottleCrm) -> None:
    send(crm, record("A-17"))
    send(crm, record("A-17"))
    (task,) = crm.tasks.values()
    assert {name: task[name] for name in ("title", "status", "priority", "due_date", "contacts", "assigned_to")} == {
        "title": "Keep this customer: Call, and offer 10 %",
        "status": "New",
        "priority": "High",
        "due_date": "2024-07-31",
        "contacts": ["contact-1"],
        "assigned_to": ["owner"],
    }


def test_nobody_else_gets_a_task(crm: FakeBottleCrm) -> None:
    send(crm, record("A-17", LOW))
    send(crm, record("A-17", treatment_group="holdout"))
    assert crm.tasks == {}
    assert [call for call in crm.calls if "tasks" in call] == []


def test_other_stamps_leave_the_task_alone_and_another_reason_changes_it(crm: FakeBottleCrm) -> None:
    send(crm, record("A-17"))
    send(crm, record("A-17", run_id="run-2", churn_probability=0.9))
    assert [call for call in crm.calls if "tasks" in call] == []
    send(crm, record("A-17", reason_1="two complaints in 30 days"))
    (task,) = crm.tasks.values()
    assert "two complaints" in task["description"]


def test_a_task_that_somebody_did_or_deleted_is_not_made_again(crm: FakeBottleCrm) -> None:
    send(crm, record("A-17"))
    crm.tasks["task-1"]["status"] = "Completed"
    send(crm, record("A-17", reason_1="two complaints in 30 days"))
    assert statuses(crm) == ["Completed"]
    assert "94 days" in crm.tasks["task-1"]["description"]
    crm.tasks.clear()
    send(crm, record("A-17", reason_1="three complaints in 30 days"))
    assert crm.tasks == {}


@pytest.mark.parametrize("after", [{"churn_risk_band": "low"}, {"treatment_group": "holdout"}, {"suppressed": True}])
def test_a_task_is_closed_when_it_is_over_and_made_anew_for_another_episode(
    crm: FakeBottleCrm, after: dict[str, Value]
) -> None:
    send(crm, record("A-17"))
    send(crm, record("A-17", HIGH | after))
    assert statuses(crm) == ["Completed"]
    assert crm.tasks["task-1"]["description"].startswith("Closed because there is nothing to do any more")
    send(crm, record("A-17"))
    assert statuses(crm) == ["Completed", "New"]


def test_tasks_of_people_are_not_touched(crm: FakeBottleCrm) -> None:
    theirs = crm.task(title="Keep this customer: Call, and offer 10 %", contacts=["contact-1"])
    before = dict(theirs)
    send(crm, record("A-17"))
    send(crm, record("A-17", LOW))
    assert theirs == before


@pytest.mark.parametrize("moment", ["fail", "lose"])
@pytest.mark.parametrize("broken", range(7))
@pytest.mark.parametrize("then", [HIGH, LOW])
def test_whatever_breaks_off_there_is_one_task_afterwards(
    crm: FakeBottleCrm, moment: str, broken: int, then: dict[str, Value]
) -> None:
    """Each of the seven calls, before it is done and after it: the first contact with a customer at high risk."""
    calls = iter(range(100))

    def break_off(method: str, path: str) -> Answer | None:
        return (503, {}, "") if next(calls) == broken else None

    setattr(crm, moment, break_off)
    with pytest.raises(UnavailableError):
        send(crm, record("A-17"))
    assert len(crm.calls) == broken + 1
    setattr(crm, moment, lambda method, path: None)
    was_there = bool(crm.tasks)
    assert send(crm, record("A-17", then)) == [TAKEN]
    assert ("POST tasks/" in crm.calls) is (then is HIGH and not was_there), "owners are mailed of each that is made"
    assert connector(crm).read(["A-17"]) == {"A-17": then}
    assert [status for status in statuses(crm) if status != "Completed"] == (["New"] if then is HIGH else [])
    assert len(crm.tasks) <= 1


def test_a_task_that_came_late_is_taken_out_again(crm: FakeBottleCrm) -> None:
    """A call that timed out here was done there, after it had been looked whether it was."""
    late: list[dict[str, Any]] = []

    def doubled(method: str, path: str) -> None:
        if (method, path) == ("POST", "tasks/"):
            late.append(crm.task(title="late", custom_fields={"attrition_task": "A-17"}))

    crm.lose = doubled
    assert send(crm, record("A-17")) == [TAKEN]
    assert list(crm.tasks) == ["task-1"]
    assert late


def test_a_task_whose_field_was_dropped_stops_the_delivery(crm: FakeBottleCrm) -> None:
    crm.definitions = [each for each in crm.definitions if each["target_model"] != "Task"]
    with pytest.raises(DestinationError, match="made a task and dropped its field attrition_task"):
        send(crm, record("A-17"))
    with pytest.raises(DestinationError, match="no custom field attrition_task of tasks"):
        connector(crm).check()
