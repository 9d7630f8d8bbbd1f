from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pipelines.foundation.settings.delivered_fields import FIELDS
from pipelines.foundation.settings.destinations import Salesforce
from pipelines.operations.delivery.connector import TAKEN, DestinationError, Outcome, Record, UnavailableError
from pipelines.operations.delivery.salesforce.connector import MOST_BY_CALLS, SalesforceConnector, connect
from tests.pipelines.operations.delivery.salesforce.fake_salesforce import FakeSalesforce, Faults
from tests.pipelines.operations.delivery.salesforce.fake_salesforce_org import OrgField
from tests.pipelines.operations.delivery.salesforce.salesforce_case import VALUES, connected, ids, plan, records

MANY = MOST_BY_CALLS + 1  # the least that goes as a job
BOTH_WAYS = pytest.mark.parametrize("count", [1, MANY], ids=["in a call", "as a job"])


@BOTH_WAYS
def test_what_is_read_is_what_was_sent(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce(ids(count)) as fake:
        connector = connected(fake, monkeypatch)
        assert connector.send(records(count)) == [TAKEN] * count
        assert connector.read(["A-0", "A-999999"]) == {"A-0": VALUES}
        assert fake.requests["job_create"] == (count == MANY)


@BOTH_WAYS
def test_none_empties_a_field_and_a_field_that_is_not_named_is_left(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeSalesforce(ids(count)) as fake:
        connector = connected(fake, monkeypatch)
        connector.send(records(count, suppressed=True))
        emptied = Record("A-0", {"reason_1": None, "reason_2": "", "value_at_risk": None, "suppressed": None})
        assert connector.send([emptied, *records(count)[1:]]) == [TAKEN] * count
        expected = VALUES | {"reason_1": None, "reason_2": None, "value_at_risk": None, "suppressed": False}
        assert connector.read(["A-0"]) == {"A-0": expected}


@pytest.mark.parametrize("text", ["#N/A", "one\r\ntwo"])
@BOTH_WAYS
def test_a_text_that_a_file_has_no_way_to_say_arrives_too(
    count: int, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeSalesforce(ids(count)) as fake:
        connector = connected(fake, monkeypatch)
        assert connector.send([Record("A-0", {"reason_1": text}), *records(count)[1:]]) == [TAKEN] * count
        assert connector.read(["A-0"])["A-0"]["reason_1"] == text


@BOTH_WAYS
def test_an_unknown_customer_is_refused_and_not_created(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce(ids(count)[1:]) as fake:
        outcomes = connected(fake, monkeypatch).send(records(count))
        assert outcomes == [Outcome("refused", "no Contact has its external id"), *[TAKEN] * (count - 1)]
        assert fake.created == []
        assert len(fake.records) == count - 1


@BOTH_WAYS
def test_an_unknown_customer_is_created_where_that_is_wanted(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce(ids(count)[1:], salesforce_object="Customer__c") as fake:
        connector = connected(fake, monkeypatch, create=True)
        connector.check()
        assert connector.send(records(count)) == [TAKEN] * count
        assert connector.send(records(count)) == [TAKEN] * count
        assert fake.created == ["A-0"]
        assert len(fake.records) == count
        assert connector.read(["A-0"]) == {"A-0": VALUES}


@BOTH_WAYS
def test_what_salesforce_requires_of_a_new_record_is_said(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce(ids(count)[1:]) as fake:
        (first, *_) = connected(fake, monkeypatch, create=True).send(records(count))
        assert first.state == "refused"
        assert "REQUIRED_FIELD_MISSING in LastName" in first.why


def test_two_records_with_one_external_id_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce(["A-0", "A-1"]) as fake:
        fake.org.insert("A-0", {})
        connector = connected(fake, monkeypatch)
        outcomes = connector.send(records(2))
        assert outcomes == [Outcome("refused", "2 records of Contact have its external id; merge them"), TAKEN]
        assert set(connector.read(["A-0", "A-1"])) == {"A-1"}


def test_capitals_make_another_customer(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce(["a-0", "A-1"]) as fake:
        fake.org.fields["attrition_external_id__c"].case_sensitive = False
        connector = connected(fake, monkeypatch)
        assert [outcome.state for outcome in connector.send(records(2))] == ["refused", "taken"]
        assert set(connector.read(["A-0", "A-1"])) == {"A-1"}
        with pytest.raises(DestinationError, match="unique and tell capitals apart"):
            connected(fake, monkeypatch, create=True).check()


@pytest.mark.parametrize("external_id", ["", " A-0", "A-0\n", "x" * 256])
def test_an_id_that_salesforce_would_not_keep_is_refused(external_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce(["A-0"], salesforce_object="Customer__c") as fake:
        connector = connected(fake, monkeypatch, create=True)
        outcomes = connector.send([Record(external_id, VALUES), Record("A-0", VALUES)])
        assert [outcome.state for outcome in outcomes] == ["refused", "taken"]
        assert fake.created == []
        assert connector.read([external_id]) == {}


@pytest.mark.parametrize("external_id", ["O'Hara", "a\\'b", "É-2", "客户,1", "x') OR Name LIKE ('%", '"1"', "#1=2"])
@BOTH_WAYS
def test_an_id_is_a_text_and_nothing_else(count: int, external_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce([external_id, *ids(count)]) as fake:
        connector = connected(fake, monkeypatch)
        assert connector.send([*records(count), Record(external_id, VALUES)]) == [TAKEN] * (count + 1)
        assert connector.read([external_id]) == {external_id: VALUES}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("churn_probability", float("nan")),
        ("value_at_risk", "much"),
        ("data_as_of", "30/06/2024"),
        ("scored_at", "2024-07-01T06:00:00"),
        ("reason_1", "\ud800"),
    ],
)
def test_a_value_that_is_none_of_its_field_is_refused_alone(
    name: str, value: float | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeSalesforce(ids(2)) as fake:
        bad, good = connected(fake, monkeypatch).send([Record("A-0", VALUES | {name: value}), *records(2)[1:]])
        assert bad.state == "refused"
        assert bad.why.startswith(f"{name} does not hold a ")
        assert good == TAKEN


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("churn_risk_band", "purple", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("run_id", "Jane Doe " * 40, "STRING_TOO_LONG"),
        ("value_at_risk", 1e13, "NUMBER_OUTSIDE_VALID_RANGE"),
    ],
)
@BOTH_WAYS
def test_what_salesforce_refuses_is_refused_without_its_value(
    count: int, name: str, value: float | str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeSalesforce(ids(count)) as fake:
        sent = [*records(count)[:-1], Record(f"A-{count - 1}", VALUES | {name: value})]
        outcomes = connected(fake, monkeypatch).send(sent)
        assert outcomes[:-1] == [TAKEN] * (count - 1)
        assert outcomes[-1].state == "refused"
        assert outcomes[-1].why.startswith(f"Salesforce: {code} in attrition_{name}__c (")
        assert str(value) not in outcomes[-1].why


def test_long_ids_are_asked_for_in_addresses_that_are_short_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    long = [f"{'é客' * 100}{number}" for number in range(60)]
    with FakeSalesforce(long) as fake:
        connector = connected(fake, monkeypatch)
        assert connector.send([Record(each, {"run_id": "r"}) for each in long]) == [TAKEN] * 60
        assert len(connector.read(long)) == 60


def test_reading_many_follows_the_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce(ids(900)) as fake:
        connector = connected(fake, monkeypatch)
        connector.send(records(900))
        assert connector.read(ids(900)) == dict.fromkeys(ids(900), VALUES)
        assert fake.requests["query_more"] > 0


def test_a_time_of_another_zone_is_the_same_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce(["A-0"]) as fake:
        connector = connected(fake, monkeypatch)
        connector.send([Record("A-0", {"scored_at": "2024-07-01T08:00:00.250000+02:00"})])
        assert connector.read(["A-0"])["A-0"]["scored_at"] == "2024-07-01T06:00:00+00:00"


def test_nothing_is_sent_where_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce() as fake:
        connector = connected(fake, monkeypatch)
        assert (connector.send([]), connector.read([]), dict(fake.requests)) == ([], {}, {})


def test_setup_makes_what_is_missing_once_and_check_says_that_it_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce(["A-0"], ready=False) as fake:
        connector = connected(fake, monkeypatch)
        with pytest.raises(DestinationError, match="Attrition_External_Id__c is not there"):
            connector.check()
        assert connector.setup() == ["Attrition_External_Id__c", *(f"attrition_{name}__c" for name in FIELDS)]
        assert connector.setup() == []
        with pytest.raises(DestinationError, match=r"and 23 more fields like it.*permission set or profile"):
            connector.check()
        fake.permit()
        connector.check()
        assert connector.setup() == []
        assert connector.send(records(1)) == [TAKEN]
        assert connector.read(["A-0"]) == {"A-0": VALUES}
        assert fake.org.fields["attrition_reason_1__c"].label == "First reason"


def test_the_external_id_is_made_so_that_no_two_customers_share_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce(ready=False, permits=True) as fake:
        connected(fake, monkeypatch, create=True).setup()
        made = fake.org.fields["attrition_external_id__c"]
        assert (made.type, made.unique, made.external_id, made.case_sensitive) == ("string", True, True, True)


@pytest.mark.parametrize("choice", ["valueName", "fullName"])
def test_a_picklist_is_made_by_either_name_of_its_values(choice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce(ready=False, permits=True) as fake:
        fake.org.choice = choice
        connector = connected(fake, monkeypatch)
        connector.setup()
        connector.check()
        assert fake.org.fields["attrition_churn_risk_band__c"].values == ("low", "medium", "high")
        assert fake.org.fields["attrition_churn_risk_band__c"].restricted


def test_labels_are_in_the_language_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce(ready=False) as fake:
        connected(fake, monkeypatch)
        SalesforceConnector(plan(fake), language="fr", sleep=lambda _: None).setup()
        assert fake.org.fields["attrition_reason_1__c"].label == "Première raison"
        risk = fake.org.fields["attrition_churn_risk_band__c"]
        assert (risk.values, risk.shown) == (("low", "medium", "high"), ("Faible", "Moyen", "Élevé"))


def test_a_field_made_by_a_call_whose_answer_was_lost_is_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = Faults(seed=3, hang_up=0.2, unavailable=0.2)
    with FakeSalesforce(ready=False, permits=True, faults=faults) as fake:
        connector = connected(fake, monkeypatch)
        connector.setup()
        assert fake.faulty["hang_up"] > 0
        assert connector.setup() == []
        connector.check()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"type": "date"}, "attrition_value_at_risk__c has the type date, which does not hold a number"),
        ({"scale": 2}, "attrition_value_at_risk__c keeps 2 decimals of 6"),
        ({"updateable": False}, "attrition_value_at_risk__c may not be edited by this user"),
    ],
)
def test_a_field_that_does_not_hold_ours_stops_it(
    wrong: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeSalesforce() as fake:
        vars(fake.org.fields["attrition_value_at_risk__c"]).update(wrong)
        with pytest.raises(DestinationError, match=said):
            connected(fake, monkeypatch).check()
        if "updateable" not in wrong:
            with pytest.raises(DestinationError, match=said):
                connected(fake, monkeypatch).setup()


def test_a_picklist_without_one_of_our_values_stops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce() as fake:
        fake.org.fields["attrition_risk_trend__c"].values = ("falling", "steady")
        with pytest.raises(DestinationError, match="attrition_risk_trend__c lacks the value rising"):
            connected(fake, monkeypatch).check()


def test_an_external_id_that_is_none_stops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce() as fake:
        fake.org.fields["attrition_external_id__c"].external_id = False
        with pytest.raises(DestinationError, match="is not a text field that is an external id"):
            connected(fake, monkeypatch).check()


def test_an_object_that_is_not_there_stops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce() as fake, pytest.raises(DestinationError, match=r"Contakt is not there.*salesforce_object"):
        connected(fake, monkeypatch, salesforce_object="Contakt").check()


def test_without_the_right_to_make_fields_the_right_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce(ready=False) as fake:
        fake.may_make = False
        with pytest.raises(DestinationError, match="Customize Application"):
            connected(fake, monkeypatch).setup()


def test_own_names_are_api_names_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce(["A-0"]) as fake:
        fake.org.add(OrgField("Description", "textarea", length=32000))
        connector = connected(fake, monkeypatch, names={"reason_1": "Description", "run_id": "Job__c"})
        assert connector.setup() == ["Job__c"]
        fake.permit()
        connector.send(records(1))
        assert fake.row("A-0")["Description"] == VALUES["reason_1"]
        with pytest.raises(DestinationError, match=r"Nothing is not there, .* its name ends in __c"):
            connected(fake, monkeypatch, names={"run_id": "Nothing"}).setup()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"address": "http://company.my.salesforce.com"}, "https://"),
        ({"address": "https://user:secret@company.my.salesforce.com"}, "password|https://"),
        ({"address": "https://company.my.salesforce.com/services"}, "https://"),
        ({"salesforce_object": "Contact WHERE"}, "pattern"),
        ({"external_id_field": "a'b"}, "pattern"),
        ({"names": {"run_id": "a b"}}, "pattern"),
        ({"prefix": "x" * 30}, "pattern"),
        ({"names": {"run_id": "Job__c", "currency": "job__C"}}, "ignores capitals"),
    ],
)
def test_settings_that_cannot_be_are_refused_early(settings: dict[str, object], said: str) -> None:
    usual = {"kind": "salesforce", "name": "crm", "address": "https://company.my.salesforce.com/"}
    assert Salesforce.model_validate(usual).address == "https://company.my.salesforce.com"
    with pytest.raises(ValueError, match=said) as caught:
        Salesforce.model_validate(usual | settings)
    assert "secret" not in str(caught.value)


def test_without_a_secret_there_is_no_connector(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce() as fake:
        monkeypatch.delenv("ATTRITION_SALESFORCE_TOKEN", raising=False)
        with pytest.raises(DestinationError, match=r"ATTRITION_SALESFORCE_CLIENT_ID.*ATTRITION_SALESFORCE_TOKEN"):
            connect(plan(fake), language="en")


def test_the_first_failure_is_told_and_a_later_one_leaves_the_rest_for_later(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce(ids(600)) as fake:
        connector = connected(fake, monkeypatch)
        monkeypatch.setattr(fake, "meets", lambda: "unavailable" if fake.requests["update"] else "")
        outcomes = connector.send(records(600))
        assert [outcome.state for outcome in outcomes] == ["taken"] * 200 + ["later"] * 400
        monkeypatch.setattr(fake, "meets", lambda: "unavailable" if fake.requests["query"] >= 2 else "")
        with pytest.raises(UnavailableError) as caught:
            connector.send(records(600))
        assert caught.value.retry_after == 2.0


def test_another_process_reaches_it_with_the_environment_alone() -> None:
    program = (
        "from pipelines.operations.delivery.connect import connect; import sys;"
        "from pipelines.foundation.settings.destinations import Salesforce;"
        "from pipelines.operations.delivery.connector import Record;"
        "c = connect(Salesforce(kind='salesforce', name='crm', address=sys.argv[1]), language='en');"
        "c.check(); print(c.send([Record('A-0', {'run_id': 'r'})])[0].state)"
    )
    with FakeSalesforce(["A-0"]) as fake:
        ran = subprocess.run(
            [sys.executable, "-c", program, fake.address],
            env=dict(os.environ) | fake.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ran.stdout, ran.returncode) == ("taken\n", 0), ran.stderr
        assert fake.row("A-0")["attrition_run_id__c"] == "r"
