"""200 contacts of BottleCRM itself: what is written, what is read back, who has a task, and what is left alone."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Mapping

import pytest

from pipelines.foundation.settings.delivered_fields import FIELDS
from pipelines.operations.delivery.bottlecrm.connector import BottleCrmConnector, connect
from pipelines.operations.delivery.connector import TAKEN, DestinationError, Record
from tests.bottlecrm.server import RealBottleCrm
from tests.pipelines.operations.delivery.bottlecrm.bottlecrm_case import HIGH, LOW, WITHDRAWN, plan, record


def batches(records: list[Record]) -> list[list[Record]]:
    size = BottleCrmConnector.batch
    return [records[start : start + size] for start in range(0, len(records), size)]


def send(connector: BottleCrmConnector, records: list[Record]) -> None:
    for batch in batches(records):
        assert connector.send(batch) == [TAKEN] * len(batch)


@pytest.fixture(scope="module")
def everybody(crm: RealBottleCrm) -> list[Record]:
    """Every tenth is at high risk, and of those every third is held out."""
    records = []
    for place, external_id in enumerate(crm.contacts):
        values = HIGH if place % 10 == 0 else LOW
        group = "holdout" if place % 30 == 0 else "treatment"
        records.append(record(external_id, values, treatment_group=group, churn_probability=(place + 1) / 201))
    return records


@pytest.fixture(scope="module")
def contacts(crm: RealBottleCrm, everybody: list[Record]) -> Mapping[str, str]:
    """Delivered, all 200; a task of people's own was there before."""
    task = {"title": "Call back", "status": "New", "priority": "Low"}
    crm.call("POST", "tasks/", task | {"contacts": [crm.contacts["É-0"], crm.contacts["É-10"]]})
    connector = connect(plan(crm.address), language="fr")
    connector.check()
    send(connector, everybody)
    return crm.contacts


def at_high_risk(everybody: list[Record]) -> set[str]:
    return {
        each.external_id
        for each in everybody
        if each.values["churn_risk_band"] == "high" and each.values["treatment_group"] == "treatment"
    }


def test_the_fields_are_there_in_the_language_of_the_company(crm: RealBottleCrm, connector: BottleCrmConnector) -> None:
    found = crm.call("GET", "custom-fields/", include_counts="false")["definitions"]
    ours = [each for each in found if each["target_model"] == "Contact" and each["key"] != "theirs"]
    assert len(ours) == len(FIELDS) + 2
    (band,) = (each for each in ours if each["key"] == "attrition_churn_risk_band")
    assert (band["label"], band["field_type"], band["options"][2]) == (
        "Risque d'attrition",
        "dropdown",
        {"value": "high", "label": "Élevé"},
    )
    assert connector.setup() == []


def test_what_is_read_is_what_was_sent(
    connector: BottleCrmConnector, everybody: list[Record], contacts: Mapping[str, str]
) -> None:
    remote = connector.read([each.external_id for each in everybody])
    assert remote == {each.external_id: each.values for each in everybody}


def test_those_at_high_risk_have_a_task_and_nobody_else(
    crm: RealBottleCrm, everybody: list[Record], contacts: Mapping[str, str]
) -> None:
    tasks = [task for task in crm.tasks() if str(task["custom_fields"].get("attrition_task")).startswith("É-")]
    assert sorted(task["custom_fields"]["attrition_task"] for task in tasks) == sorted(at_high_risk(everybody))
    assert len(tasks) == 13
    task = tasks[0]
    whose = task["custom_fields"]["attrition_task"]
    assert [contact["id"] for contact in task["contacts"]] == [contacts[whose]]
    assert [owner["id"] for owner in task["assigned_to"]] == [crm.member]
    assert (task["title"], task["status"], task["priority"], task["due_date"]) == (
        "Garder ce client\u00a0: Call, and offer 10 %",
        "New",
        "High",
        "2024-07-31",
    )
    assert task["description"].endswith("Valeur à risque\u00a0: 1\u202f234,50 EUR")


def test_a_second_run_writes_nothing(
    crm: RealBottleCrm, connector: BottleCrmConnector, everybody: list[Record], contacts: Mapping[str, str]
) -> None:
    before = crm.writes()
    send(connector, everybody)
    assert crm.writes() == before


def test_what_people_wrote_is_untouched(
    crm: RealBottleCrm, connector: BottleCrmConnector, contacts: Mapping[str, str]
) -> None:
    send(connector, [record("É-10", LOW)])
    assert crm.custom_fields(contacts["É-10"])["theirs"] == "of É-10"
    (theirs,) = (task for task in crm.tasks() if task["title"] == "Call back")
    assert (theirs["status"], theirs["description"], theirs["custom_fields"]) == ("New", None, {})


def test_a_withdrawal_empties_the_contact_and_closes_the_task(
    crm: RealBottleCrm, connector: BottleCrmConnector, contacts: Mapping[str, str]
) -> None:
    send(connector, [record("É-20", WITHDRAWN)])
    assert crm.custom_fields(contacts["É-20"]) == {
        "attrition_external_id": "É-20",
        "theirs": "of É-20",
        "attrition_suppressed": True,
        "attrition_suppressed_why": "withdrew consent",
    }
    (task,) = crm.tasks_of("É-20")
    assert task["status"] == "Completed"
    assert task["description"].startswith("Clôturée car il n'y a plus rien à faire")


def test_an_unknown_customer_is_refused_or_made_as_the_settings_say(
    crm: RealBottleCrm, connector: BottleCrmConnector
) -> None:
    before = crm.writes()
    (outcome,) = connector.send([record("nobody")])
    assert (outcome.state, crm.writes()) == ("refused", before)
    creating = connect(plan(crm.address, create=True), language="fr")
    send(creating, [record("new")])
    send(creating, [record("new")])
    assert connector.read(["new"]) == {"new": HIGH}
    (made,) = crm.call("GET", "contacts/", cf_attrition_external_id="new")["results"]
    assert (made["first_name"], made["last_name"]) == ("Client", "new")
    assert len(crm.tasks_of("new")) == 1


def test_a_value_that_is_not_taken_is_refused_in_its_words(crm: RealBottleCrm, connector: BottleCrmConnector) -> None:
    crm.contact("odd")
    (outcome,) = connector.send([record("odd", risk_trend="sideways")])
    assert outcome.why == (
        "BottleCRM answered 400: custom_fields.attrition_risk_trend must be one of ['falling', 'rising', 'steady']"
    )
    assert crm.tasks_of("odd") == []


def test_a_field_that_is_dropped_without_a_word_is_noticed(crm: RealBottleCrm, connector: BottleCrmConnector) -> None:
    contact = crm.contact("dropped")
    found = crm.call("GET", "custom-fields/", include_counts="false")["definitions"]
    (reason,) = (each["id"] for each in found if each["key"] == "attrition_reason_1")
    crm.call("DELETE", f"custom-fields/{reason}/")
    try:
        with pytest.raises(DestinationError, match="attrition_reason_1 is switched off, and BottleCRM would drop"):
            connector.send([record("dropped", LOW)])
        assert "attrition_reason_1" not in crm.custom_fields(contact)
        for call in (connector.check, connector.setup):
            with pytest.raises(DestinationError, match="attrition_reason_1 is switched off"):
                call()
    finally:
        crm.call("PUT", f"custom-fields/{reason}/", {"is_active": True})
    send(connector, [record("dropped", LOW)])
    assert connector.read(["dropped"]) == {"dropped": LOW}


@pytest.mark.parametrize(
    ("token", "why"),
    [("reader", "needs the contacts:write scope"), ("revoked", "Organization context is required")],
)
def test_a_token_that_does_not_do_is_told_with_what_it_lacks(
    crm: RealBottleCrm, monkeypatch: pytest.MonkeyPatch, token: str, why: str
) -> None:
    crm.contact(f"with {token}")
    monkeypatch.setenv("ATTRITION_BOTTLECRM_TOKEN", crm.tokens.get(token, "bcrm_pat_revoked"))
    with pytest.raises(DestinationError, match=f"{why}.*set ATTRITION_BOTTLECRM_TOKEN"):
        connect(plan(crm.address), language="fr").send([record(f"with {token}")])


def test_a_member_cannot_set_up(crm: RealBottleCrm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTRITION_BOTTLECRM_TOKEN", crm.tokens["member"])
    with pytest.raises(DestinationError, match=r"403: Admin access required.*of an administrator"):
        connect(plan(crm.address, prefix="other_", external_id_field="other_id"), language="fr").setup()


_SENDING = """
import sys
from pipelines.operations.delivery.bottlecrm.connector import connect
from tests.pipelines.operations.delivery.bottlecrm.bottlecrm_case import plan, record
connect(plan(sys.argv[1]), language="fr").send([record("killed-1"), record("killed-2")])
"""


def test_killed_anywhere_there_is_one_task_for_each(crm: RealBottleCrm, connector: BottleCrmConnector) -> None:
    """After its first write, which plans the task; its second, which makes it; and in the midst of the next customer.

    Every call of it is broken off in tests/pipelines/operations/delivery/bottlecrm/test_tasks.py.
    """
    both = ["killed-1", "killed-2"]
    for external_id in both:
        crm.contact(external_id)
    for writes in (1, 1, 2):
        before = len(crm.writes())
        with subprocess.Popen([sys.executable, "-c", _SENDING, crm.address]) as process:
            while process.poll() is None and len(crm.writes()) < before + writes:
                time.sleep(0.001)
            process.kill()
        assert process.returncode == -signal.SIGKILL
    send(connector, [record(external_id) for external_id in both])
    assert [len(crm.tasks_of(external_id)) for external_id in both] == [1, 1]
    assert connector.read(both) == dict.fromkeys(both, HIGH)
