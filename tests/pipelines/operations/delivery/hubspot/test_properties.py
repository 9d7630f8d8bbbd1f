from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import pytest

from pipelines.foundation.settings.delivered_fields import FIELDS
from pipelines.foundation.settings.destinations import HubSpot
from pipelines.operations.delivery.connector import Connector, DestinationError, UnavailableError
from pipelines.operations.delivery.hubspot.connector import connect
from tests.pipelines.operations.delivery.hubspot.fake_hubspot import TOKEN, FakeHubSpot
from tests.pipelines.operations.delivery.hubspot.fake_hubspot_http import definition


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTRITION_HUBSPOT_TOKEN", TOKEN)


@pytest.fixture
def hubspot() -> Iterator[FakeHubSpot]:
    with FakeHubSpot(unique=None) as there:
        yield there


def connected(hubspot: FakeHubSpot, *, language: Literal["en", "fr"] = "en", **plan: Any) -> Connector:
    return connect(HubSpot(kind="hubspot", name="crm", address=hubspot.address, **plan), language=language)


def test_setup_makes_a_group_and_every_property_and_then_nothing_more(hubspot: FakeHubSpot) -> None:
    connector = connected(hubspot)
    made = connector.setup()
    assert made == ["attrition_external_id", *(f"attrition_{name}" for name in FIELDS)]
    assert hubspot.groups == {"attrition": "Attrition"}
    assert set(made) < set(hubspot.properties)
    connector.check()
    assert connector.setup() == []


def test_a_property_has_the_type_of_its_field_and_the_key_holds_no_value_twice(hubspot: FakeHubSpot) -> None:
    connected(hubspot).setup()
    kinds = {
        name.removeprefix("attrition_"): (each["type"], each["fieldType"])
        for name, each in hubspot.properties.items()
        if name.startswith("attrition_")
    }
    assert kinds["external_id"] == ("string", "text")
    assert kinds["churn_probability"] == ("number", "number")
    assert kinds["horizon_days"] == ("number", "number")
    assert kinds["suppressed"] == ("bool", "booleancheckbox")
    assert kinds["data_as_of"] == ("date", "date")
    assert kinds["scored_at"] == ("datetime", "date")
    assert kinds["churn_risk_band"] == ("enumeration", "select")
    assert [each["name"] for each in hubspot.properties.values() if each["hasUniqueValue"]] == ["attrition_external_id"]
    assert [each["value"] for each in hubspot.properties["attrition_suppressed"]["options"]] == ["true", "false"]


@pytest.mark.parametrize(
    ("language", "label", "options", "flags"),
    [
        ("en", "Churn risk", ["Low", "Medium", "High"], ["Yes", "No"]),
        ("fr", "Risque d'attrition", ["Faible", "Moyen", "Élevé"], ["Oui", "Non"]),
    ],
)
def test_people_see_labels_in_their_language_and_values_stay(
    hubspot: FakeHubSpot, language: Literal["en", "fr"], label: str, options: list[str], flags: list[str]
) -> None:
    connected(hubspot, language=language).setup()
    band = hubspot.properties["attrition_churn_risk_band"]
    assert band["label"] == label
    assert [each["label"] for each in band["options"]] == options
    assert [each["value"] for each in band["options"]] == ["low", "medium", "high"]
    assert [each["label"] for each in hubspot.properties["attrition_suppressed"]["options"]] == flags


def test_every_choice_has_a_french_word(hubspot: FakeHubSpot) -> None:
    connected(hubspot, language="fr").setup()
    english = [
        each["label"]
        for name, property_ in hubspot.properties.items()
        for each in property_["options"]
        if each["label"].lower() == each["value"] and name.startswith("attrition_") and each["value"] != "stable"
    ]
    assert english == []


def test_names_and_prefix_are_those_of_the_settings(hubspot: FakeHubSpot) -> None:
    made = connected(hubspot, prefix="acme_", names={"run_id": "job"}, unique_property="customer_number").setup()
    assert made[0] == "customer_number"
    assert "job" in made
    assert "acme_churn_probability" in made
    assert not any(name.startswith("attrition_") for name in made)


def test_what_is_there_is_left_alone(hubspot: FakeHubSpot) -> None:
    mine = definition(name="attrition_currency", type="string", fieldType="textarea", label="Mine")
    hubspot.properties["attrition_currency"] = mine
    assert "attrition_currency" not in connected(hubspot).setup()
    assert hubspot.properties["attrition_currency"] == mine


def test_a_flag_of_former_days_will_do(hubspot: FakeHubSpot) -> None:
    options = [{"value": "true", "label": "Yes"}, {"value": "false", "label": "No"}]
    flag = definition(name="attrition_suppressed", type="enumeration", fieldType="booleancheckbox", options=options)
    hubspot.properties["attrition_suppressed"] = flag
    assert "attrition_suppressed" not in connected(hubspot).setup()


@pytest.mark.parametrize(
    ("there", "says"),
    [
        ({"name": "attrition_churn_probability", "type": "string"}, "is of type string, and number is needed"),
        ({"name": "attrition_scored_at", "type": "date"}, "is of type date, and datetime is needed"),
        ({"name": "attrition_churn_risk_band", "type": "enumeration", "options": [{"value": "low"}]}, "medium, high"),
        ({"name": "attrition_currency", "type": "string", "hubspotDefined": True}, "is HubSpot's own"),
        ({"name": "attrition_currency", "type": "string", "calculated": True}, "can only be read"),
        (
            {"name": "attrition_currency", "type": "string", "modificationMetadata": {"readOnlyValue": True}},
            "can only be read",
        ),
        ({"name": "attrition_external_id", "type": "string"}, "may hold a value twice"),
        ({"name": "attrition_external_id", "type": "number", "hasUniqueValue": True}, "is of type number"),
    ],
)
def test_a_property_that_will_not_do_is_named_with_a_remedy_and_nothing_is_made(
    hubspot: FakeHubSpot, there: dict[str, Any], says: str
) -> None:
    hubspot.properties[there["name"]] = definition(fieldType="text", **there)
    before = dict(hubspot.properties)
    for call in (connected(hubspot).setup, connected(hubspot).check):
        with pytest.raises(DestinationError) as caught:
            call()
        assert there["name"] in str(caught.value)
        assert says in str(caught.value)
        assert "another name" in str(caught.value)
    assert hubspot.properties == before


def test_check_names_what_is_missing_and_writes_nothing(hubspot: FakeHubSpot) -> None:
    connected(hubspot).setup()
    del hubspot.properties["attrition_run_id"]
    hubspot.requests.clear()
    with pytest.raises(DestinationError, match=r'lack 1 properties \(attrition_run_id\).*setup of destination "crm"'):
        connected(hubspot).check()
    assert dict(hubspot.requests) == {"properties/contacts": 1}


def test_the_email_and_the_name_of_a_contact_are_never_taken(hubspot: FakeHubSpot) -> None:
    for plan in ({"unique_property": "email"}, {"names": {"reason_1": "firstname"}}):
        with pytest.raises(DestinationError, match="is HubSpot's own"):
            connected(hubspot, **plan).setup()


@pytest.mark.parametrize(
    "name", ["Risk", "1risk", "_risk", "risk-band", "risk band", "hs_risk", "risque_é", "", "r" * 101]
)
def test_a_name_that_hubspot_cannot_have_is_refused_before_any_call(hubspot: FakeHubSpot, name: str) -> None:
    for plan in ({"names": {"churn_risk_band": name}}, {"unique_property": name}):
        with pytest.raises(DestinationError, match="has no property called"):
            connected(hubspot, **plan)
    assert not hubspot.requests


@pytest.mark.parametrize(
    "plan", [{"names": {"reason_1": "why", "reason_2": "why"}}, {"names": {"reason_1": "attrition_external_id"}}]
)
def test_two_fields_under_one_name_are_refused(hubspot: FakeHubSpot, plan: dict[str, Any]) -> None:
    with pytest.raises(DestinationError, match="would both be"):
        connected(hubspot, **plan)


def test_a_token_that_may_not_make_properties_is_told_the_scopes(hubspot: FakeHubSpot) -> None:
    hubspot.scopes = frozenset({"read", "write"})
    with pytest.raises(DestinationError, match=r"crm\.schemas\.contacts\.write"):
        connected(hubspot).setup()


@pytest.mark.parametrize("kind", ["hang_up", "failed_after", "partial", "limited", "cut_short"])
def test_setup_that_broke_off_is_completed_by_the_next(hubspot: FakeHubSpot, kind: str) -> None:
    hubspot.fail(script=[None, None, None, kind])
    connector = connected(hubspot)
    with pytest.raises(UnavailableError):
        connector.setup()
    hubspot.fail()
    connector.setup()
    connector.check()
    assert hubspot.met[kind] == 1


def test_properties_that_hubspot_refuses_are_named() -> None:
    class Refusing(FakeHubSpot):
        def answer(self, method: str, path: str, body: dict[str, Any], *, partly: bool) -> Any:
            if path.endswith("batch/create"):
                return 400, {"status": "error", "category": "VALIDATION_ERROR", "message": "too many"}
            return super().answer(method, path, body, partly=partly)

    with (
        Refusing(unique=None) as full,
        pytest.raises(DestinationError, match="does not make the properties attrition_ext"),
    ):
        connected(full).setup()
