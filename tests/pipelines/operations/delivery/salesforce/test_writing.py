from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.operations.delivery.connector import (
    TAKEN,
    Connector,
    DestinationError,
    Outcome,
    Record,
    UnavailableError,
    Value,
)
from pipelines.operations.delivery.salesforce import writing
from pipelines.operations.delivery.salesforce.connector import MOST_BY_CALLS
from pipelines.operations.delivery.salesforce.fields import Values, cell
from pipelines.operations.delivery.salesforce.writing import Rows, RunContext
from tests.pipelines.operations.delivery.salesforce.fake_salesforce import FakeSalesforce, Faults
from tests.pipelines.operations.delivery.salesforce.salesforce_case import VALUES, connected, ids, records

MANY = MOST_BY_CALLS + 1


def sent_until_taken(connector: Connector, wanted: Sequence[Record]) -> int:
    """How often it was sent, as an outbox does: what is for later again, and all of it when nothing was heard."""
    left = list(wanted)
    for time in range(1, 400):
        try:
            outcomes = connector.send(left)
        except UnavailableError:
            continue
        assert all(outcome.state != "refused" for outcome in outcomes), outcomes
        left = [record for record, outcome in zip(left, outcomes, strict=True) if outcome.state == "later"]
        if not left:
            return time
    raise AssertionError(f"{len(left)} records were never taken")


def test_a_job_that_fails_half_way_leaves_its_rest_for_later(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce(ids(MANY), faults=Faults(job_fails=1.0)) as fake:
        outcomes = connected(fake, monkeypatch).send(records(MANY))
        states = [outcome.state for outcome in outcomes]
        assert states == ["taken"] * (MANY // 2) + ["later"] * (MANY - MANY // 2)
        assert outcomes[-1] == Outcome("later", "Salesforce did not come to it")
        assert sum("attrition_run_id__c" in row for row in fake.records.values()) == MANY // 2


def test_rows_that_somebody_holds_are_for_later_and_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce(ids(MANY), faults=Faults(lock=0.1)) as fake:
        outcomes = connected(fake, monkeypatch).send(records(MANY))
        written = ["attrition_run_id__c" in row for row in fake.records.values()]
        assert [outcome.state == "taken" for outcome in outcomes] == written
        assert {outcome.why for outcome in outcomes} == {"", "Salesforce: UNABLE_TO_LOCK_ROW"}
        assert 100 < written.count(False) < 300


def test_rows_that_no_result_names_are_for_later(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce(ids(MANY)) as fake:
        monkeypatch.setattr(
            "tests.pipelines.operations.delivery.salesforce.fake_salesforce_jobs.FakeJob.results", lambda *_: ""
        )
        outcomes = connected(fake, monkeypatch).send(records(MANY))
        assert set(outcomes) == {Outcome("later", "Salesforce did not say what became of it")}


def test_results_are_told_apart_by_ids_of_every_alphabet(monkeypatch: pytest.MonkeyPatch) -> None:
    alphabets = [f'É"客,{number}' for number in range(MANY)]
    with FakeSalesforce(salesforce_object="Customer__c") as fake:
        connector = connected(fake, monkeypatch, create=True)
        assert connector.send([Record(each, VALUES) for each in alphabets]) == [TAKEN] * MANY
        assert sorted(fake.created) == sorted(alphabets)


def test_a_file_that_names_a_field_which_is_hidden_stops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce(ids(MANY)) as fake:
        fake.org.fields["attrition_run_id__c"].visible = False
        with pytest.raises(DestinationError, match=r'"crm": Salesforce refused a file .* \(InvalidBatch\)'):
            connected(fake, monkeypatch).send(records(MANY))


def test_a_job_that_does_not_end_is_taken_back_and_writes_nothing_later(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    with FakeSalesforce(ids(MANY)) as fake:
        monkeypatch.setattr(
            "tests.pipelines.operations.delivery.salesforce.fake_salesforce_jobs.FakeJob.step", lambda *_, **__: None
        )
        with pytest.raises(UnavailableError, match="did not end"):
            connected(fake, monkeypatch, sleep=slept.append).send(records(MANY))
        assert [job.state for job in fake.jobs.values()] == ["Aborted"]
        assert 3600 <= sum(slept) < 3620
        assert max(slept) == 10.0


@pytest.mark.parametrize("endpoint", ["job_create", "job_upload", "job_close", "job_state", "job_results"])
def test_a_job_whose_call_is_lost_is_taken_back_or_goes_on(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce(ids(MANY)) as fake:
        connector = connected(fake, monkeypatch)
        answering = fake._job
        lost: list[str] = []

        def job(method: str, rest: list[str], body: bytes) -> tuple[int, Any]:
            before = fake.requests[endpoint]
            answer = answering(method, rest, body)
            if fake.requests[endpoint] > before and not lost:
                lost.append(endpoint)
                raise OSError
            return answer

        monkeypatch.setattr(fake, "_job", job)
        assert sent_until_taken(connector, records(MANY)) == (2 if endpoint in {"job_create", "job_upload"} else 1)
        assert connector.read(["A-0"]) == {"A-0": VALUES}
        states = [each.state for each in fake.jobs.values()]
        assert states == [*{"job_create": ["Open"], "job_upload": ["Aborted"]}.get(endpoint, []), "JobComplete"]


def test_a_call_that_one_record_spoils_takes_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce(ids(200)) as fake:
        connector = connected(fake, monkeypatch)
        monkeypatch.setattr(Values, "row", lambda _, record: {"attrition_data_as_of__c": record.values["x"]})
        sent = [Record(each, {"x": "tomorrow" if each == "A-77" else "2024-06-30"}) for each in ids(200)]
        outcomes = connector.send(sent)
        assert [outcome.state for outcome in outcomes].count("taken") == 199
        assert outcomes[77] == Outcome("refused", "Salesforce: JSON_PARSER_ERROR")


def test_jobs_are_cut_where_their_file_would_be_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "BYTES_OF_A_JOB", 1000)
    rows = Rows("Contact", "Id", {str(number): {"text": "é" * number} for number in range(200)})
    jobs = list(RunContext.cut(rows))
    assert len(jobs) > 10
    assert [key for job in jobs for key in job.rows.rows] == list(rows.rows)
    assert all(len(writing._file(job.rows).encode()) <= 1000 for job in jobs)


@pytest.mark.parametrize("number", [1e-07, 1e-16, 123456789012.345678, -0.5, 0.0, 1e12, 90])
def test_a_number_is_written_without_an_exponent_and_keeps_its_value(number: float) -> None:
    assert "e" not in cell(number).lower()
    assert float(cell(number)) == number


def test_twenty_thousand_go_in_two_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce(ids(20_000)) as fake:
        connector = connected(fake, monkeypatch)
        some = records(20_000)
        for start in range(0, 20_000, connector.batch):
            assert connector.send(some[start : start + connector.batch]) == [TAKEN] * connector.batch
        assert fake.requests["job_create"] == 2
        assert sum(fake.requests.values()) < 80
        assert fake.created == []


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], include_characters="\n\r"), max_size=30)
KINDS: dict[str, st.SearchStrategy[Value]] = {
    "churn_probability": st.floats(1e-9, 1) | st.sampled_from([0.0, 1.0]),
    "value_at_risk": st.floats(0, 1e9).map(lambda value: round(value, 2)),
    "horizon_days": st.integers(1, 730),
    "suppressed": st.booleans(),
    "data_as_of": st.dates().map(str).filter(lambda day: day > "1900"),
    "churn_risk_band": st.sampled_from(["low", "medium", "high"]),
    "run_id": TEXT.map(str.strip),
    "reason_1": TEXT.map(str.strip) | st.sampled_from(["#N/A", "=1+1", '"', ","]),
}
ROWS = st.fixed_dictionaries({}, optional={name: kind | st.none() for name, kind in KINDS.items()})
SENDS = st.lists(st.dictionaries(st.sampled_from(ids(9)), ROWS, min_size=1), min_size=1, max_size=4)
CHANCES = st.sampled_from([0.0, 0.05, 0.2])
FAULTS = st.builds(
    Faults, seed=st.integers(0, 10**6), too_many=CHANCES, unavailable=CHANCES, broken=CHANCES, drop=CHANCES,
    hang_up=CHANCES, lock=CHANCES, job_fails=CHANCES, job_aborted=CHANCES,
)  # fmt: skip


def same(expected: Value, found: Value) -> bool:
    if isinstance(expected, float) and isinstance(found, float):
        return math.isclose(expected, found, rel_tol=1e-6)
    return (expected or None) == (found or None) if expected in {None, ""} else expected == found


@pytest.mark.parametrize("most_by_calls", [MOST_BY_CALLS, 0], ids=["in calls", "as jobs"])
@pytest.mark.parametrize("create", [False, True], ids=["only known", "created"])
@given(sends=SENDS, faults=FAULTS)
@settings(max_examples=40)
def test_whatever_fails_each_customer_ends_with_what_was_last_sent_and_none_is_doubled(
    most_by_calls: int, create: bool, sends: list[dict[str, dict[str, Value]]], faults: Faults
) -> None:
    known = [] if create else ids(9)
    with (
        pytest.MonkeyPatch.context() as patch,
        FakeSalesforce(known, salesforce_object="Customer__c", faults=faults) as fake,
    ):
        patch.setattr("pipelines.operations.delivery.salesforce.connector.MOST_BY_CALLS", most_by_calls)
        connector = connected(fake, patch, create=create)
        expected: dict[str, dict[str, Value]] = {}
        for batch in sends:
            sent_until_taken(connector, [Record(external_id, values) for external_id, values in batch.items()])
            for external_id, values in batch.items():
                expected.setdefault(external_id, {}).update(values)
        fake.faults = Faults()
        found = connector.read(ids(9))
        for external_id, values in expected.items():
            for name, value in values.items():
                assert same(value, found[external_id][name]), (external_id, name)
        assert sorted(row[fake.org.key] for row in fake.records.values()) == sorted(known or expected)
        assert sorted(fake.created) == (sorted(expected) if create else [])
