from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipelines.foundation.settings.delivered_fields import FIELDS
from pipelines.operations.delivery.bottlecrm.connector import BottleCrmConnector, connect
from pipelines.operations.delivery.connector import TAKEN, DestinationError, UnavailableError
from tests.pipelines.operations.delivery.bottlecrm.bottlecrm_case import HIGH, LOW, WITHDRAWN, plan, record
from tests.pipelines.operations.delivery.bottlecrm.fake_bottlecrm import TOKEN, FakeBottleCrm, running


@pytest.fixture
def crm(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBottleCrm]:
    monkeypatch.setenv("ATTRITION_BOTTLECRM_TOKEN", TOKEN)
    with running() as fake:
        yield fake


@pytest.fixture
def connector(crm: FakeBottleCrm) -> BottleCrmConnector:
    """Set up."""
    made = connector_to(crm)
    made.setup()
    crm.calls.clear()
    return made


def connector_to(crm: FakeBottleCrm, **changes: Any) -> BottleCrmConnector:
    return connect(plan(crm.address, **changes), language="en")


def one_answer(status: int, **headers: str) -> Any:
    return lambda method, path: (status, {name.replace("_", "-"): value for name, value in headers.items()}, "{}")


def test_set_up_makes_what_is_missing_and_once(crm: FakeBottleCrm) -> None:
    connector = connector_to(crm)
    made = connector.setup()
    assert len(made) == len(FIELDS) + 3
    assert made[0] == "attrition_external_id"
    assert made[-2:] == ["attrition_task", "attrition_task of tasks"]
    assert connector.setup() == []
    band = next(each for each in crm.definitions if each["key"] == "attrition_churn_risk_band")
    assert (band["label"], band["field_type"]) == ("Churn risk", "dropdown")
    assert band["options"][0] == {"value": "low", "label": "Low"}


def test_labels_are_in_the_language_of_the_company(crm: FakeBottleCrm) -> None:
    connect(plan(crm.address), language="fr").setup()
    band = next(each for each in crm.definitions if each["key"] == "attrition_churn_risk_band")
    assert (band["label"], band["options"][2]["label"]) == ("Risque d'attrition", "Élevé")


def test_a_missing_field_is_named(crm: FakeBottleCrm, connector: BottleCrmConnector) -> None:
    crm.definitions = [each for each in crm.definitions if each["key"] != "attrition_reason_2"]
    with pytest.raises(DestinationError, match="no custom field attrition_reason_2, and would drop"):
        connector.check()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"field_type": "textarea"}, 'attrition_churn_risk_band is of type "textarea" and has to be "dropdown"'),
        ({"is_active": False}, "attrition_churn_risk_band is switched off"),
        ({"options": [{"value": "low"}]}, "attrition_churn_risk_band lacks the choices high, medium"),
    ],
)
def test_a_field_that_does_not_do_is_left_alone_and_named(
    crm: FakeBottleCrm, connector: BottleCrmConnector, change: dict[str, Any], why: str
) -> None:
    next(each for each in crm.definitions if each["key"] == "attrition_churn_risk_band").update(change)
    crm.definitions.pop()
    for call in (connector.check, connector.setup):
        with pytest.raises(DestinationError, match=why):
            call()
    assert crm.writes == []


def test_values_come_back_as_they_were_sent(crm: FakeBottleCrm, connector: BottleCrmConnector) -> None:
    crm.contact("A-17", theirs="kept")
    assert connector.send([record("A-17")]) == [TAKEN]
    remote = connector.read(["A-17", "nobody"])
    assert remote == {"A-17": HIGH}
    assert [type(remote["A-17"][name]) for name in ("horizon_days", "churn_probability", "suppressed")] == [
        int,
        float,
        bool,
    ]
    assert crm.contacts["contact-1"]["custom_fields"]["theirs"] == "kept"


def test_a_second_sending_writes_nothing(crm: FakeBottleCrm, connector: BottleCrmConnector) -> None:
    crm.contact("A-17")
    crm.contact("É-2")
    both = [record("A-17"), record("É-2", LOW)]
    connector.send(both)
    crm.calls.clear()
    assert connector.send(both) == [TAKEN, TAKEN]
    assert crm.calls == ["GET contacts/", "GET contacts/"]


def test_a_field_that_is_not_named_is_left_as_it_is(crm: FakeBottleCrm, connector: BottleCrmConnector) -> None:
    crm.contact("A-17")
    connector.send([record("A-17", LOW), record("A-17", {"run_id": "run-2"})])
    assert connector.read(["A-17"]) == {"A-17": LOW | {"run_id": "run-2"}}


def test_names_can_be_other_ones(crm: FakeBottleCrm) -> None:
    connector = connector_to(crm, prefix="risk_", names={"run_id": "job"}, external_id_field="crm_key")
    connector.setup()
    crm.contact("", crm_key="A-17")
    connector.send([record("A-17")])
    remote = crm.contacts["contact-1"]["custom_fields"]
    assert (remote["job"], remote["risk_currency"], remote["crm_key"]) == ("run-1", "EUR", "A-17")


def test_an_unknown_customer_is_refused(crm: FakeBottleCrm, connector: BottleCrmConnector) -> None:
    (outcome,) = connector.send([record("A-17")])
    assert outcome.state == "refused"
    assert outcome.why.startswith("BottleCRM knows no contact with this id in attrition_external_id")
    assert crm.writes == []


def test_an_unknown_customer_is_made_where_the_settings_say_so(
    crm: FakeBottleCrm, connector: BottleCrmConnector
) -> None:
    assert connector_to(crm, create=True).send([record("A-17")]) == [TAKEN]
    (made,) = crm.contacts.values()
    assert (made["first_name"], made["last_name"]) == ("Customer", "A-17")
    assert connector.read(["A-17"]) == {"A-17": HIGH}


def test_an_id_that_two_contacts_have_is_refused(crm: FakeBottleCrm, connector: BottleCrmConnector) -> None:
    crm.contact("A-17")
    crm.contact("A-17")
    (outcome,) = connector.send([record("A-17")])
    assert (outcome.state, outcome.why[:29]) == ("refused", "several contacts have this id")
    assert crm.writes == []


def test_a_value_that_is_not_taken_is_refused_in_the_words_of_the_crm(
    crm: FakeBottleCrm, connector: BottleCrmConnector
) -> None:
    crm.contact("A-17")
    crm.contact("É-2")
    refused, taken = connector.send([record("A-17", risk_trend="sideways"), record("É-2")])
    assert refused.state == "refused"
    assert refused.why == (
        "BottleCRM answered 400: custom_fields.attrition_risk_trend must be one of ['falling', 'steady', 'rising']"
    )
    assert taken == TAKEN
    assert len(crm.tasks) == 1


def test_a_value_of_no_use_is_refused_alone(crm: FakeBottleCrm, connector: BottleCrmConnector) -> None:
    crm.contact("A-17")
    crm.contact("É-2")
    refused, taken = connector.send([record("A-17", value_at_risk=float("nan")), record("É-2")])
    assert (refused.state, refused.why) == ("refused", "value_at_risk holds no number")
    assert taken == TAKEN


def test_a_field_that_vanishes_between_is_noticed(crm: FakeBottleCrm, connector: BottleCrmConnector) -> None:
    crm.contact("A-17")
    crm.definitions = [each for each in crm.definitions if each["key"] != "attrition_reason_2"]
    with pytest.raises(DestinationError, match="no custom field attrition_reason_2"):
        connector.send([record("A-17")])


def test_what_somebody_else_wrote_meanwhile_is_written_again_later(
    crm: FakeBottleCrm, connector: BottleCrmConnector
) -> None:
    contact = crm.contact("A-17")

    def overwritten(method: str, path: str) -> None:
        if method == "PATCH":
            contact["custom_fields"]["attrition_run_id"] = "somebody's"

    crm.lose = overwritten
    (outcome,) = connector.send([record("A-17", LOW)])
    assert (outcome.state, "attrition_run_id" in outcome.why) == ("later", True)


def test_a_token_that_does_not_do_is_named_by_its_variable(crm: FakeBottleCrm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTRITION_BOTTLECRM_TOKEN", "bcrm_pat_stale")
    with pytest.raises(DestinationError, match=r"\(403: Organization.*set ATTRITION_BOTTLECRM_TOKEN") as found:
        connector_to(crm).check()
    assert "bcrm_pat_stale" not in str(found.value)


@pytest.mark.parametrize("token", ["", "two words", "caf\u00e9", "new\nline"])
def test_no_token_or_none_that_can_be_is_said_before_any_call(
    crm: FakeBottleCrm, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("ATTRITION_BOTTLECRM_TOKEN", token)
    with pytest.raises(DestinationError, match="ATTRITION_BOTTLECRM_TOKEN"):
        connector_to(crm)


def test_a_password_of_netrc_is_not_sent_instead_of_the_token(
    crm: FakeBottleCrm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password theirs\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert connector_to(crm).setup()  # refused where the token is not the one that was set


@pytest.mark.parametrize("status", [401, 403])
def test_what_is_not_allowed_stops_the_delivery(crm: FakeBottleCrm, connector: BottleCrmConnector, status: int) -> None:
    crm.contact("A-17")
    crm.fail = one_answer(status)
    with pytest.raises(DestinationError, match="ATTRITION_BOTTLECRM_TOKEN"):
        connector.send([record("A-17")])


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"Retry_After": "7"}, 7.0),
        (429, {"Retry_After": "Mon, 01 Jul 2024 06:00:30 GMT", "Date": "Mon, 01 Jul 2024 06:00:00 GMT"}, 30.0),
        (429, {}, None),
        (500, {}, None),
        (503, {"Retry_After": "120"}, 120.0),
    ],
)
def test_what_may_pass_is_tried_again_by_the_one_who_called(
    crm: FakeBottleCrm, connector: BottleCrmConnector, status: int, headers: dict[str, str], seconds: float | None
) -> None:
    crm.contact("A-17")
    crm.fail = one_answer(status, **headers)
    with pytest.raises(UnavailableError, match=f"answered {status}") as found:
        connector.send([record("A-17")])
    assert found.value.retry_after == seconds
    assert len(crm.calls) == 1


def test_silence_is_not_waited_out(crm: FakeBottleCrm, connector: BottleCrmConnector) -> None:
    crm.slow_seconds = 0.5
    with pytest.raises(UnavailableError, match=r"did not answer within 0.1 seconds"):
        connector_to(crm, timeout_seconds=0.1).send([record("A-17")])


def test_nobody_there_may_pass() -> None:
    with running() as crm:
        gone = crm.address
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ATTRITION_BOTTLECRM_TOKEN", TOKEN)
        with pytest.raises(UnavailableError, match="cannot be reached"):
            connect(plan(gone), language="en").check()


@pytest.mark.parametrize(
    "answer",
    [
        (302, {"Location": "https://example.com/"}, ""),
        (200, {}, "<html>Welcome</html>"),
        (404, {}, "<html>Not found</html>"),
        (404, {}, '{"detail": "Not found."}'),
    ],
)
def test_what_is_no_bottlecrm_is_said(crm: FakeBottleCrm, answer: tuple[int, dict[str, str], str]) -> None:
    crm.fail = lambda method, path: answer
    with pytest.raises(DestinationError, match=r"no API of BottleCRM|does not answer as BottleCRM does"):
        connector_to(crm).check()


def test_a_withdrawal_empties_the_contact_and_closes_the_task(
    crm: FakeBottleCrm, connector: BottleCrmConnector
) -> None:
    crm.contact("A-17", theirs="kept")
    connector.send([record("A-17")])
    assert connector.send([record("A-17", WITHDRAWN)]) == [TAKEN]
    assert crm.contacts["contact-1"]["custom_fields"] == {
        "attrition_external_id": "A-17",
        "theirs": "kept",
        "attrition_suppressed": True,
        "attrition_suppressed_why": "withdrew consent",
    }
    (task,) = crm.tasks.values()
    assert task["status"] == "Completed"
    assert "94 days" not in task["description"]
    assert "1,234" not in task["description"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"prefix": "Attrition-"}, "'Attrition-task' can be no key of a field of BottleCRM"),
        ({"names": {"run_id": "r" * 65}}, "'rrr.*' can be no key of a field of BottleCRM"),
        ({"names": {"run_id": "attrition_external_id"}}, "two fields would be called 'attrition_external_id'"),
    ],
)
def test_names_that_bottlecrm_does_not_take_are_refused_with_the_settings(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        plan("https://crm.example.com", **changes)
