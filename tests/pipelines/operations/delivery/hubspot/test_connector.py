from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.foundation.settings.delivered_fields import FIELDS
from pipelines.foundation.settings.destinations import HubSpot
from pipelines.operations.delivery.connect import connect as connect_any
from pipelines.operations.delivery.connector import (
    TAKEN,
    Connector,
    DestinationError,
    Outcome,
    Record,
    UnavailableError,
    Value,
)
from pipelines.operations.delivery.hubspot.connector import connect
from tests.pipelines.operations.delivery.hubspot.fake_hubspot import KINDS, TOKEN, FakeHubSpot, Faults

UNKNOWN = Outcome("refused", "HubSpot knows no contact with this attrition_external_id")

EVERY_KIND: dict[str, Value] = {
    "churn_probability": 0.8125,
    "churn_risk_band": "high",
    "previous_risk_band": None,
    "reason_1": "Moins de commandes: 3 au lieu de 12",
    "value_at_risk": 1234.5,
    "currency": "EUR",
    "horizon_days": 90,
    "scored_at": "2024-07-01T06:00:00+00:00",
    "data_as_of": "2024-07-01",
    "treatment_group": "holdout",
    "suppressed": False,
}


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTRITION_HUBSPOT_TOKEN", TOKEN)


@pytest.fixture
def hubspot() -> Iterator[FakeHubSpot]:
    with FakeHubSpot(["A", "B", "C"]) as there:
        yield there


def connected(hubspot: FakeHubSpot, **plan: Any) -> Connector:
    """With the properties made, and calls counted from then on."""
    connector = connect(HubSpot(kind="hubspot", name="crm", address=hubspot.address, **plan), language="en")
    faults = hubspot.faults
    hubspot.fail()
    connector.setup()
    hubspot.fail(faults)
    hubspot.requests.clear()
    return connector


def scored(external_id: str, **values: Value) -> Record:
    return Record(external_id, values or {"churn_probability": 0.8})


def test_every_kind_of_value_is_read_as_it_was_sent(hubspot: FakeHubSpot) -> None:
    connector = connected(hubspot)
    assert connector.send([Record("A", EVERY_KIND)]) == [TAKEN]
    remote = connector.read(["A"])["A"]
    assert remote == dict.fromkeys(FIELDS) | EVERY_KIND
    assert {name: type(remote[name]) for name in EVERY_KIND} == {name: type(EVERY_KIND[name]) for name in EVERY_KIND}


def test_none_and_no_text_empty_a_property_and_what_is_not_named_is_left(hubspot: FakeHubSpot) -> None:
    connector = connected(hubspot)
    connector.send([Record("A", EVERY_KIND)])
    connector.send([scored("A", churn_probability=None, reason_1="", suppressed=True)])
    remote = connector.read(["A"])["A"]
    assert remote["churn_probability"] is None
    assert remote["reason_1"] is None
    assert remote["suppressed"] is True
    assert remote["value_at_risk"] == 1234.5


def test_an_unknown_customer_is_refused_and_not_made(hubspot: FakeHubSpot) -> None:
    connector = connected(hubspot)
    assert connector.send([scored("A"), scored("Z"), scored("B")]) == [TAKEN, UNKNOWN, TAKEN]
    assert hubspot.created == []
    assert connector.read(["A", "Z"]).keys() == {"A"}


def test_where_nobody_is_known_nothing_is_written(hubspot: FakeHubSpot) -> None:
    assert connected(hubspot).send([scored("Y"), scored("Z")]) == [UNKNOWN, UNKNOWN]
    assert dict(hubspot.requests) == {"batch/read": 1}


def test_a_contact_that_is_deleted_in_between_is_not_made_again() -> None:
    class Deleting(FakeHubSpot):
        def answer(self, method: str, path: str, body: dict[str, Any], *, partly: bool) -> Any:
            if path.endswith("batch/update"):
                self.delete("B")
            return super().answer(method, path, body, partly=partly)

    with Deleting(["A", "B"]) as hubspot:
        assert connected(hubspot).send([scored("A"), scored("B")]) == [TAKEN, UNKNOWN]
        assert hubspot.created == []
        assert list(hubspot.contacts) == ["A"]


def test_with_create_an_unknown_customer_is_made_once(hubspot: FakeHubSpot) -> None:
    connector = connected(hubspot, create=True)
    for _ in range(2):
        assert connector.send([scored("A"), scored("Z")]) == [TAKEN, TAKEN]
    assert hubspot.created == ["Z"]
    assert hubspot.contacts["Z"] == {"attrition_churn_probability": "0.8"}
    assert connector.read(["Z"])["Z"]["churn_probability"] == 0.8


@pytest.mark.parametrize(
    ("left_out", "states"),
    [
        ({"objectWriteTraceId"}, ["taken", "taken"]),
        ({"properties"}, ["taken", "taken"]),
        ({"objectWriteTraceId", "properties"}, ["taken", "later"]),
    ],
)
def test_whom_an_answer_is_about_is_known_by_any_of_three_signs(left_out: set[str], states: list[str]) -> None:
    class Terse(FakeHubSpot):
        def answer(self, method: str, path: str, body: dict[str, Any], *, partly: bool) -> Any:
            status, said = super().answer(method, path, body, partly=partly)
            if path.endswith("batch/upsert"):
                said["results"] = [{name: each[name] for name in each.keys() - left_out} for each in said["results"]]
            return status, said

    with Terse(["A"]) as hubspot:
        connector = connected(hubspot, create=True)
        assert [outcome.state for outcome in connector.send([scored("A"), scored("Z")])] == states
        assert connector.send([scored("A"), scored("Z")]) == [TAKEN, TAKEN]
        assert hubspot.created == ["Z"]


def test_only_our_own_properties_of_a_contact_are_read_or_written(hubspot: FakeHubSpot) -> None:
    hubspot.contacts["A"]["email"] = "ada@example.com"
    connector = connected(hubspot, create=True)
    connector.send([Record("A", EVERY_KIND), Record("Z", EVERY_KIND)])
    assert hubspot.contacts["A"]["email"] == "ada@example.com"
    assert all(name.startswith("attrition_") for name in hubspot.contacts["Z"])
    assert connector.read(["A"])["A"].keys() == FIELDS.keys()


def test_a_record_sent_again_leaves_what_it_left_once(hubspot: FakeHubSpot) -> None:
    connector = connected(hubspot)
    connector.send([Record("A", EVERY_KIND)])
    once = {each: dict(values) for each, values in hubspot.contacts.items()}
    connector.send([Record("A", EVERY_KIND)])
    assert hubspot.contacts == once


def test_a_hundred_records_are_two_calls_and_one_bad_one_does_not_hold_up_the_others() -> None:
    ids = [f"customer-{number}" for number in range(100)]
    with FakeHubSpot(ids) as hubspot:
        connector = connected(hubspot)
        assert connector.batch == 100
        assert connector.send([scored(each) for each in ids]) == [TAKEN] * 100
        assert dict(hubspot.requests) == {"batch/read": 1, "batch/update": 1}
        hubspot.requests.clear()
        records = [scored(each, risk_trend="sideways" if each == "customer-42" else "rising") for each in ids]
        outcomes = connector.send(records)
        assert outcomes.pop(42).why.startswith(
            "HubSpot refuses it (VALIDATION_ERROR, attrition_risk_trend: INVALID_OPTION)"
        )
        assert outcomes == [TAKEN] * 99
        assert hubspot.requests["batch/update"] <= 15
        assert connector.read(ids)["customer-41"]["risk_trend"] == "rising"


def test_a_search_for_a_bad_record_that_breaks_off_keeps_what_it_found(hubspot: FakeHubSpot) -> None:
    connector = connected(hubspot)
    hubspot.fail(script=[None, None, None, "unavailable"])
    outcomes = connector.send([scored("A"), scored("B", risk_trend="sideways"), scored("C")])
    assert [outcome.state for outcome in outcomes] == ["taken", "later", "later"]


def test_a_value_of_the_wrong_kind_is_refused_without_a_call_for_it(hubspot: FakeHubSpot) -> None:
    connector = connected(hubspot)
    outcomes = connector.send([scored("A", churn_probability=float("nan")), scored("B"), scored(" ")])
    assert outcomes[0] == Outcome("refused", "churn_probability is not a number")
    assert outcomes[1] == TAKEN
    assert outcomes[2].state == "refused"
    assert connector.send([]) == []
    assert connector.read([]) == {}


@pytest.mark.parametrize(
    ("category", "state"),
    [("VALIDATION_ERROR", "refused"), ("CONFLICT", "refused"), ("INTERNAL_ERROR", "later"), ("RATE_LIMITS", "later")],
)
@pytest.mark.parametrize("create", [False, True])
def test_an_error_inside_an_answer_is_of_its_record_alone(
    hubspot: FakeHubSpot, category: str, state: str, *, create: bool
) -> None:
    connector = connected(hubspot, create=create)
    hubspot.broken["B"] = category
    outcomes = connector.send([scored("A"), scored("B"), scored("C")])
    assert [outcome.state for outcome in outcomes] == ["taken", state, "taken"]
    assert category in outcomes[1].why


@pytest.mark.parametrize("script", [["partial"], [None, "partial"]])
def test_what_an_answer_leaves_out_is_for_later(script: list[str | None]) -> None:
    ids = [f"customer-{number}" for number in range(40)]
    with FakeHubSpot(ids) as hubspot:
        connector = connected(hubspot)
        hubspot.fail(script=script)
        outcomes = dict(zip(ids, connector.send([scored(each) for each in ids]), strict=True))
        assert {outcome.state for outcome in outcomes.values()} == {"taken", "later"}
        assert {each for each, outcome in outcomes.items() if outcome == TAKEN} == {
            each for each, values in hubspot.contacts.items() if values
        }


def test_a_contact_in_other_letters_is_another_customer() -> None:
    class InAnyLetters(FakeHubSpot):
        def answer(self, method: str, path: str, body: dict[str, Any], *, partly: bool) -> Any:
            if path.endswith("batch/read"):
                body = body | {"inputs": [{"id": each["id"].upper()} for each in body["inputs"]]}
            return super().answer(method, path, body, partly=partly)

    with InAnyLetters(["A"]) as hubspot:
        outcome = connected(hubspot, create=True).send([scored("a")])[0]
        assert outcome == Outcome("refused", "HubSpot has its attrition_external_id in other letters")
        assert hubspot.contacts == {"A": {}}


@pytest.mark.parametrize("kind", ["unavailable", "failed_after", "hang_up", "hang_up_before", "cut_short", "limited"])
def test_a_failed_call_is_made_once_and_left_to_the_outbox(hubspot: FakeHubSpot, kind: str) -> None:
    connector = connected(hubspot)
    hubspot.fail(Faults(1.0, kinds=(kind,), retry_after=1.5))
    for call in (lambda: connector.send([scored("A")]), lambda: connector.read(["A"]), connector.check):
        hubspot.requests.clear()
        with pytest.raises(UnavailableError) as caught:
            call()
        assert hubspot.requests.total() == 1
        assert caught.value.retry_after == (1.5 if kind == "limited" else None)


def test_a_call_takes_no_longer_than_the_settings_say(hubspot: FakeHubSpot) -> None:
    connector = connected(hubspot, timeout_seconds=0.2)
    hubspot.fail(script=[None, "no_answer"])
    began = time.monotonic()
    with pytest.raises(UnavailableError, match="in time"):
        connector.send([scored("A")])
    assert time.monotonic() - began < 10
    assert hubspot.contacts["A"] == {"attrition_churn_probability": "0.8"}
    assert connector.send([scored("A")]) == [TAKEN]


def test_nobody_listening_may_pass() -> None:
    with FakeHubSpot() as gone:
        connector = connected(gone)
    with pytest.raises(UnavailableError, match="was not reached"):
        connector.check()


def test_the_limit_of_a_day_ends_the_delivery(hubspot: FakeHubSpot) -> None:
    connector = connected(hubspot)
    hubspot.daily = True
    with pytest.raises(DestinationError, match="limit of calls a day"):
        connector.send([scored("A")])


def test_properties_that_somebody_deleted_end_the_delivery(hubspot: FakeHubSpot) -> None:
    connector = connected(hubspot)
    del hubspot.properties["attrition_risk_trend"]
    with pytest.raises(DestinationError, match="lack properties: attrition_risk_trend"):
        connector.send([scored("A", risk_trend="rising")])
    del hubspot.properties["attrition_external_id"]
    with pytest.raises(DestinationError, match="`unique_property`"):
        connector.send([scored("A")])


def test_a_reading_that_is_not_whole_is_for_later() -> None:
    ids = [f"customer-{number}" for number in range(40)]
    with FakeHubSpot(ids) as hubspot:
        connector = connected(hubspot)
        hubspot.fail(script=["partial"])
        with pytest.raises(UnavailableError):
            connector.read(ids)
        assert list(connector.read([*ids, "Z", *ids])) == ids


def test_more_than_a_hundred_are_read_in_several_calls() -> None:
    ids = [f"customer-{number}" for number in range(250)]
    with FakeHubSpot(ids) as hubspot:
        connector = connected(hubspot)
        assert list(connector.read(ids)) == ids
        assert dict(hubspot.requests) == {"batch/read": 3}


@pytest.mark.parametrize("token", [None, "", "  ", "pat eu1", "pat\neu1", "pät"])
def test_a_token_that_cannot_be_one_is_refused_by_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, token: str | None
) -> None:
    if token is None:
        monkeypatch.delenv("ATTRITION_HUBSPOT_TOKEN")
    else:
        monkeypatch.setenv("ATTRITION_HUBSPOT_TOKEN", token)
    with pytest.raises(DestinationError, match="ATTRITION_HUBSPOT_TOKEN") as caught:
        connect(HubSpot(kind="hubspot", name="crm"), language="en")
    assert not (token or "").strip() or (token or "") not in str(caught.value)


def test_the_token_is_in_no_message_no_log_and_no_description(
    hubspot: FakeHubSpot, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ATTRITION_HUBSPOT_TOKEN", "pat-eu1-5ec4e7")
    plan = HubSpot(kind="hubspot", name="crm", address=hubspot.address)
    connector = connect_any(plan, language="en")
    with caplog.at_level(logging.DEBUG), pytest.raises(DestinationError, match="does not accept the token") as caught:
        connector.send([scored("A")])  # the fake repeats the token in its answer
    assert "5ec4e7" not in f"{caught.value} {connector!r} {plan!r} {caplog.text}"


def until_taken(connector: Connector, records: Sequence[Record], said: list[str]) -> dict[str, Outcome]:
    """What became of each, where what is for later is sent again."""
    done: dict[str, Outcome] = {}
    for _ in range(400):
        waiting = [each for each in records if each.external_id not in done]
        if not waiting:
            return done
        try:
            outcomes = connector.send(waiting)
        except UnavailableError as error:
            said.append(str(error))
            continue
        for record, outcome in zip(waiting, outcomes, strict=True):
            said.append(outcome.why)
            if outcome.state != "later":
                done[record.external_id] = outcome
    raise AssertionError("it never ends")


def reading(connector: Connector, ids: Sequence[str]) -> dict[str, dict[str, Value]]:
    for _ in range(400):
        try:
            return connector.read(ids)
        except UnavailableError:
            pass
    raise AssertionError("it never ends")


VALUES = st.fixed_dictionaries(
    {"churn_probability": st.none() | st.floats(0, 1), "suppressed": st.booleans()},
    optional={
        "churn_risk_band": st.sampled_from(["low", "medium", "high", None]),
        "reason_1": st.text("abé ", max_size=5),
        "horizon_days": st.integers(1, 400),
        "scored_at": st.datetimes().map(lambda each: each.replace(microsecond=0).isoformat() + "+00:00"),
        "data_as_of": st.none() | st.dates().map(str),
    },
)


@settings(max_examples=40)
@given(
    sends=st.lists(st.dictionaries(st.sampled_from([*"ABCDEFGH", "Z"]), VALUES, min_size=1), min_size=1, max_size=6),
    share=st.sampled_from([0.0, 0.2, 0.6]),
    seed=st.integers(0, 10_000),
    create=st.booleans(),
)
def test_whatever_fails_the_last_values_are_there_once_when_all_were_taken(
    sends: list[dict[str, dict[str, Value]]], share: float, seed: int, *, create: bool
) -> None:
    wanted: dict[str, dict[str, Value]] = {each: dict.fromkeys(FIELDS) for each in "ABCDEFGH"}
    said: list[str] = []
    with FakeHubSpot(list("ABCDEFGH")) as hubspot:
        connector = connected(hubspot, create=create)
        hubspot.fail(Faults(share, seed))
        for records in sends:
            done = until_taken(connector, [Record(each, values) for each, values in records.items()], said)
            for each, values in records.items():
                assert done[each] == (UNKNOWN if each == "Z" and not create else TAKEN)
                if done[each] == TAKEN:
                    wanted.setdefault(each, dict.fromkeys(FIELDS)).update(
                        {name: None if value == "" else value for name, value in values.items()}
                    )
        assert reading(connector, [*wanted, "Z"]) == wanted
        assert hubspot.created == ([] if len(wanted) == 8 else ["Z"])
        assert hubspot.contacts.keys() == wanted.keys()
    assert not any(TOKEN in each for each in said)


def test_every_fault_is_met_and_outlived() -> None:
    ids = [f"customer-{number}" for number in range(300)]
    said: list[str] = []
    with FakeHubSpot(ids) as hubspot:
        connector = connected(hubspot, timeout_seconds=0.3)
        hubspot.fail(Faults(0.5, seed=3, kinds=KINDS, retry_after=0))
        for start in range(0, 300, 20):
            until_taken(connector, [scored(each, horizon_days=start + 1) for each in ids[start : start + 20]], said)
        assert set(hubspot.met) == set(KINDS)
        assert [values["attrition_horizon_days"] for values in hubspot.contacts.values()] == [
            str(number // 20 * 20 + 1) for number in range(300)
        ]
        assert hubspot.created == []


def test_contacts_that_an_answer_leaves_out_are_not_taken_for_unknown_ones() -> None:
    with FakeHubSpot(list("ABCDEFGH")) as hubspot:
        connector = connected(hubspot)
        for seed in range(20):
            hubspot.fail(Faults(1.0, seed, kinds=("partial",)))
            with contextlib.suppress(UnavailableError):
                assert set(connector.read(list("ABCDEFGH"))) == set("ABCDEFGH")
        assert hubspot.met["partial"] == 20
