from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.foundation.settings.delivered_fields import FIELDS
from pipelines.operations.delivery.connector import TAKEN, DestinationError, Outcome, Record, UnavailableError, Value
from pipelines.operations.delivery.json_api.connector import RestSystem, connect
from pipelines.operations.delivery.values import normal
from tests.pipelines.operations.delivery.json_api.fake_json_api import FAULTS, TOKEN, FakeRest, random_faults
from tests.pipelines.operations.delivery.json_api.json_api_case import SHAPES, rest

HIGH: dict[str, Value] = {
    "churn_probability": 0.75,
    "churn_risk_band": "high",
    "horizon_days": 60,
    "suppressed": False,
    "data_as_of": "2026-04-01",
    "scored_at": "2026-04-01T02:00:00+02:00",
    "reason_1": "Achète moins — « beaucoup »",
}
REMOTE = dict.fromkeys(FIELDS) | HIGH | {"scored_at": "2026-04-01T00:00:00+00:00"}
UNKNOWN = Outcome("refused", "the system does not know this customer")
ALL = sorted(SHAPES)


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTRITION_REST_TOKEN", TOKEN)


def to(fake: FakeRest, shape: str, **changed: Any) -> RestSystem:
    return connect(rest(shape, address=fake.address, **changed), language="en")


def sent(connector: RestSystem, records: list[Record]) -> list[Outcome]:
    """Everything, in parts, as long as it takes."""
    ends: dict[str, Outcome] = {}
    for start in range(0, len(records), connector.batch):
        part = records[start : start + connector.batch]
        for _ in range(200):
            try:
                outcomes = connector.send(part)
            except UnavailableError:
                continue
            told = {record.external_id: outcome for record, outcome in zip(part, outcomes, strict=True)}
            ends |= told
            break
        else:
            raise AssertionError("never taken")
    return [ends[record.external_id] for record in records]


@pytest.mark.parametrize("shape", ALL)
def test_what_is_sent_is_held_and_sending_again_changes_nothing(shape: str) -> None:
    with FakeRest(records=["A-1", "é/?#&, \"'"]) as fake:
        connector = to(fake, shape)
        records = [Record("A-1", HIGH), Record("é/?#&, \"'", HIGH)]
        for _ in range(2):
            assert sent(connector, records) == [TAKEN, TAKEN]
            assert connector.read(["A-1", "é/?#&, \"'", "A-9"]) == {"A-1": REMOTE, "é/?#&, \"'": REMOTE}
        assert (len(fake.records), fake.created) == (2, [])


@pytest.mark.parametrize("shape", ALL)
def test_a_customer_whom_the_system_does_not_know_is_refused_and_not_created(shape: str) -> None:
    with FakeRest(records=["A-1"]) as fake:
        assert sent(to(fake, shape), [Record("A-2", HIGH), Record("A-1", HIGH)]) == [UNKNOWN, TAKEN]
        assert sorted(fake.records) == ["A-1"]


@pytest.mark.parametrize("shape", ["jobs", "lists"])
def test_a_customer_is_created_where_the_settings_allow_it(shape: str) -> None:
    with FakeRest() as fake:
        assert to(fake, shape, create=True).send([Record("A-2", HIGH)]) == [TAKEN]
        assert fake.created == ["A-2"]
        assert not any(request.startswith("GET /api/profiles") for request in fake.requests)


@pytest.mark.parametrize("shape", ALL)
def test_a_field_that_is_not_named_stays_and_none_empties(shape: str) -> None:
    with FakeRest(records=["A-1"]) as fake:
        connector = to(fake, shape)
        connector.send([Record("A-1", HIGH)])
        assert connector.send([Record("A-1", {"reason_1": None, "churn_risk_band": "", "suppressed": True})]) == [TAKEN]
        changed = {"reason_1": None, "churn_risk_band": None, "suppressed": True}
        assert connector.read(["A-1"])["A-1"] == REMOTE | changed
        name = "ATTRITION_REASON_1" if shape == "contacts" else "attrition_reason_1"
        assert fake.records["A-1"][name] == ("" if shape == "contacts" else None)


@pytest.mark.parametrize("shape", ALL)
def test_only_the_record_that_is_refused_is_not_taken(shape: str) -> None:
    who = [f"A-{number}" for number in range(60)]
    with FakeRest(records=who, refuses={"A-7": "too old", "A-33": f"no  {TOKEN}\nfor you " + "x" * 300}) as fake:
        outcomes = sent(to(fake, shape), [Record(each, HIGH) for each in who])
        refused = {each: outcome.why for each, outcome in zip(who, outcomes, strict=True) if outcome != TAKEN}
        assert refused == {"A-7": "too old", "A-33": "no … for you " + "x" * 187}
        assert sum(bool(values) for values in fake.records.values()) == 58


def test_a_batch_that_is_refused_whole_is_halved_until_the_culprit_stands_alone() -> None:
    who = [f"A-{number}" for number in range(50)]
    with FakeRest(records=who, refuses={"A-33": "all or nothing"}) as fake:
        outcomes = to(fake, "lists").send([Record(each, HIGH) for each in who])
        assert [each for each, outcome in zip(who, outcomes, strict=True) if outcome != TAKEN] == ["A-33"]
        assert outcomes[33] == Outcome("refused", "the batch is not valid")
        assert fake.requests["POST /v1/customers"] <= 13


def test_a_refusal_that_names_nobody_is_traced_to_its_record() -> None:
    who = [f"A-{number}" for number in range(50)]
    with FakeRest(records=who, refuses={"A-33": "nobody named", "A-4": "too old"}) as fake:
        outcomes = to(fake, "lists").send([Record(each, HIGH) for each in who])
        refused = {each: outcome.why for each, outcome in zip(who, outcomes, strict=True) if outcome != TAKEN}
        assert refused == {"A-33": "nobody named", "A-4": "too old"}
        assert fake.requests["POST /v1/customers"] <= 14


def test_errors_of_a_job_that_are_not_listed_are_found_by_their_number() -> None:
    who = [f"A-{number}" for number in range(50)]
    refuses = dict.fromkeys(who[:30], "too old")
    jobs = rest("jobs").job
    assert jobs is not None
    short = jobs.model_dump() | {"errors_path": "/api/profile-bulk-import-jobs/{job}/import-errors?page[size]=20"}
    with FakeRest(records=who, refuses=refuses) as fake:
        outcomes = to(fake, "jobs", job=short).send([Record(each, HIGH) for each in who])
        assert outcomes == [Outcome("refused", "too old")] * 30 + [TAKEN] * 20


def test_what_is_no_record_is_refused_before_it_is_sent() -> None:
    with FakeRest(records=["A-1"]) as fake:
        records = [Record("", HIGH), Record("..", HIGH), Record("A\0", HIGH), Record("A-3", {"shoe_size": 43})]
        records += [Record("A-2", {"churn_probability": float("nan")}), Record("A-1", HIGH)]
        outcomes = to(fake, "lists").send(records)
        assert [outcome.state for outcome in outcomes] == ["refused"] * 5 + ["taken"]
        assert outcomes[1].why == "the external id is empty, or cannot stand in an address"
        assert outcomes[3].why == "there is no field shoe_size"
        assert fake.requests["POST /v1/customers"] == 1


def test_a_job_is_asked_after_until_it_is_done() -> None:
    with FakeRest(records=["A-1"], faults=[None, "slow job"]) as fake:
        paused: list[float] = []
        plan = rest("jobs", address=fake.address)
        assert RestSystem(plan, language="en", pause=paused.append).send([Record("A-1", HIGH)]) == [TAKEN]
        assert paused == [0.001, 0.002]


def test_a_job_that_does_not_end_or_fails_may_be_sent_again() -> None:
    settings = rest("jobs").job
    assert settings is not None
    impatient = settings.model_dump() | {"wait_seconds": 0.001}
    with FakeRest(records=["A-1"], faults=[None, "slow job", None, None, None, "cancelled job"]) as fake:
        with pytest.raises(UnavailableError, match=r"not done after 0.001 seconds \(processing\)"):
            to(fake, "jobs", job=impatient).send([Record("A-1", HIGH)])
        with pytest.raises(UnavailableError, match="the job ended: cancelled"):
            to(fake, "jobs").send([Record("A-1", HIGH)])


@pytest.mark.parametrize(("fault", "waits"), [("429", 2.5), ("429 by date", 7.0), ("500", None), ("503", None)])
def test_a_system_that_is_busy_may_be_asked_later(fault: str, waits: float | None) -> None:
    with (
        FakeRest(records=["A-1"], faults=[fault], retry_after=waits or 0) as fake,
        pytest.raises(UnavailableError, match="it answers ") as busy,
    ):
        to(fake, "lists").send([Record("A-1", HIGH)])
    assert busy.value.retry_after == waits


def test_the_time_to_wait_is_read_where_the_settings_say() -> None:
    with FakeRest(records=["A-1"], faults=["429"], retry_after=9) as fake, pytest.raises(UnavailableError) as busy:
        to(fake, "contacts").send([Record("A-1", HIGH)])
    assert busy.value.retry_after == 9


@pytest.mark.parametrize("fault", ["hang up before", "hang up after", "cut after", "late", "html"])
def test_an_answer_that_does_not_come_may_come_another_time(fault: str) -> None:
    with FakeRest(records=["A-1"], faults=[None, fault]) as fake:
        connector = to(fake, "lists", timeout_seconds=0.3)
        with pytest.raises(UnavailableError, match=r"no answer \(|is no JSON"):
            connector.send([Record("A-1", HIGH)])
        assert connector.send([Record("A-1", HIGH)]) == [TAKEN]
        assert connector.read(["A-1"]) == {"A-1": REMOTE}


@pytest.fixture
def raw() -> Iterator[tuple[str, list[bytes], list[bytes]]]:
    """Address of a listener, the answers that it gives in turn, and what it was sent."""
    answers: list[bytes] = []
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)

        def listen() -> None:
            while True:
                try:
                    line, _ = server.accept()
                except OSError:
                    return
                with line:
                    heard.append(line.recv(2**16))
                    if answers:
                        line.sendall(answers.pop(0))

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", answers, heard
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def answer(status: int, *headers: str, body: str = "") -> bytes:
    lines = [f"HTTP/1.1 {status} -", f"Content-Length: {len(body)}", "Connection: close", *headers, "", body]
    return "\r\n".join(lines).encode()


def test_a_redirection_is_not_followed_with_the_token(raw: tuple[str, list[bytes], list[bytes]]) -> None:
    address, answers, heard = raw
    answers.append(answer(307, f"Location: {address}/elsewhere"))
    with pytest.raises(DestinationError, match="answers 307 to POST"):
        connect(rest("lists", address=address, create=True), language="en").send([Record("A-1", HIGH)])
    assert len(heard) == 1


def test_an_entry_in_netrc_does_not_replace_the_token(
    raw: tuple[str, list[bytes], list[bytes]], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, answers, heard = raw
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password other")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    answers.append(answer(200, body="{}"))
    connector = connect(rest("lists", address=address, create=True), language="en")
    connector.caller._session.trust_env = True  # as it is for a host that is not this machine
    connector.send([Record("A-1", HIGH)])
    assert f"Authorization: Bearer {TOKEN}".encode() in heard[0]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("-5", 0.0), ("nan", None), ("inf", None), ("soon", None), ("Thu, 01 Jan 1970 00:00:00 GMT", None)],
)
def test_a_time_to_wait_that_is_none_is_not_taken_for_one(
    raw: tuple[str, list[bytes], list[bytes]], header: str, seconds: float | None
) -> None:
    address, answers, _ = raw
    answers.append(answer(429, f"Retry-After: {header}"))
    with pytest.raises(UnavailableError) as busy:
        connect(rest("lists", address=address), language="en").read(["A-1"])
    assert busy.value.retry_after == seconds


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "does not take the token .*ATTRITION_REST_TOKEN"),
        (403, "does not allow the token to do this .*ATTRITION_REST_TOKEN"),
        (404, r"nothing at write\.path"),
        (405, "answers 405 to POST /v1/….*look at address and path"),
    ],
)
def test_what_somebody_has_to_mend_is_said_without_the_token(
    raw: tuple[str, list[bytes], list[bytes]], status: int, said: str
) -> None:
    address, answers, _ = raw
    answers.append(answer(status, body=f'{{"message": "{TOKEN}"}}'))
    with pytest.raises(DestinationError, match=said) as mistake:
        connect(rest("lists", address=address, create=True), language="en").send([Record("A-1", HIGH)])
    assert TOKEN not in str(mistake.value)


def test_the_token_is_in_no_message_log_or_representation(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("ATTRITION_REST_TOKEN", "S3CR3T-TOKEN")
    with FakeRest(records=["A-1"]) as fake:
        connector = to(fake, "jobs")
        with pytest.raises(DestinationError) as refused:
            connector.check()
        shown = str(refused.value) + repr(connector) + repr(connector.caller) + repr(connector.plan) + caplog.text
        assert "S3CR3T" not in shown


def test_without_a_token_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ATTRITION_REST_TOKEN")
    with pytest.raises(DestinationError, match="there is no token; set ATTRITION_REST_TOKEN"):
        connect(rest("lists"), language="en")
    monkeypatch.setenv("ATTRITION_REST_TOKEN", "a\nb")
    with pytest.raises(DestinationError, match="holds what no token holds"):
        connect(rest("lists"), language="en")


def test_a_check_asks_for_nobody_and_writes_nothing() -> None:
    with FakeRest(records=["A-1"], fields=[f"ATTRITION_{name.upper()}" for name in FIELDS]) as fake:
        for shape in ALL:
            to(fake, shape).check()
        assert all(request.startswith("GET ") for request in fake.requests)
        wrong = {"path": "/api/profiles?filter=nobody({ids})", "at": "data"}
        with pytest.raises(DestinationError, match=r"does not take read\.path \(Invalid filter provided\.\)"):
            to(fake, "jobs", read=wrong).check()


def test_fields_that_are_missing_are_said_in_words() -> None:
    there = [f"ATTRITION_{name.upper()}" for name in FIELDS if name != "suppressed"]
    with FakeRest(fields=there) as fake:
        for lacking in (to(fake, "contacts").check, to(fake, "contacts").setup):
            with pytest.raises(DestinationError, match=r'by hand: ATTRITION_SUPPRESSED \(flag: "Held back"\)$'):
                lacking()
        fake.fields = {*there, "ATTRITION_SUPPRESSED"}
        assert to(fake, "contacts").setup() == []
        assert to(fake, "jobs").setup() == []
        french = connect(rest("lists", address=fake.address), language="fr")
        with pytest.raises(DestinationError, match=r"attrition_suppressed \(flag: \"Mis à l'écart\"\)"):
            french.setup()


def test_what_cannot_be_read_is_said() -> None:
    plan = rest("lists", create=True).model_copy(update={"read": None})
    with pytest.raises(DestinationError, match="give read in the settings"):
        connect(plan, language="en").read(["A-1"])


def test_a_send_that_broke_off_goes_on_where_it_was() -> None:
    records = [Record(who, HIGH) for who in ("gone", "A-1", "A-2")]
    with FakeRest(records=["A-1", "A-2"], faults=[None, None, "503"]) as fake:
        connector = to(fake, "lists")
        with pytest.raises(UnavailableError):
            connector.send(records)
        assert connector.send(records) == [UNKNOWN, TAKEN, TAKEN]
        assert fake.requests == {"GET /v1/customers/…": 4, "POST /v1/customers": 1}
        assert connector.send(records) == [UNKNOWN, TAKEN, TAKEN]
        assert fake.requests == {"GET /v1/customers/…": 7, "POST /v1/customers": 2}


def test_what_was_taken_before_a_send_broke_off_is_not_written_again_unless_it_changed() -> None:
    with FakeRest(refuses={"A-1": "nobody named"}, faults=[None, None, "503"]) as fake:
        connector = to(fake, "lists", create=True)
        records = [Record("A-2", HIGH), Record("A-1", HIGH)]
        with pytest.raises(UnavailableError):
            connector.send(records)
        fake.records["A-2"].clear()
        assert connector.send(records) == [TAKEN, Outcome("refused", "nobody named")]
        assert fake.records["A-2"] == {}
        assert connector.send([Record("A-2", {"horizon_days": 30})]) == [TAKEN]
        assert fake.records["A-2"] == {"attrition_horizon_days": 30}


@pytest.mark.parametrize("shape", ALL)
def test_many_are_taken_through_faults_and_each_once(shape: str) -> None:
    who = [f"A-{number}" for number in range({"jobs": 2000, "contacts": 300, "lists": 300}[shape])]
    kinds = tuple(each for each in FAULTS if each != "slow job")
    with FakeRest(records=who, faults=random_faults(7, 0.1, kinds)) as fake:
        outcomes = sent(to(fake, shape), [Record(each, HIGH) for each in who])
        assert outcomes == [TAKEN] * len(who)
        assert sorted(fake.records) == sorted(who)
        assert fake.created == []


_TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=10)
_VALUES = st.fixed_dictionaries(
    {},
    optional={
        "churn_probability": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "horizon_days": st.none() | st.integers(),
        "suppressed": st.none() | st.booleans(),
        "data_as_of": st.none() | st.dates().map(str),
        "scored_at": st.none() | st.just("2026-04-01T02:00:00+02:00"),
        "reason_1": st.none() | _TEXTS,
    },
)
_WHO = st.sampled_from(["A-1", "A-2", "é/ü", "5", "a,b", 'q"\\', "gone", "never"])
_SENDS = st.lists(st.lists(st.tuples(_WHO, _VALUES), max_size=6, unique_by=lambda each: each[0]), max_size=4)


@pytest.mark.parametrize("shape", ALL)
@settings(max_examples=40)
@given(sends=_SENDS, faults=st.lists(st.none() | st.sampled_from(FAULTS), max_size=12))
def test_any_sends_through_any_faults_end_exact(
    shape: str, sends: list[list[tuple[str, dict[str, Value]]]], faults: list[str | None]
) -> None:
    known = ["A-1", "A-2", "é/ü", "5", "a,b", 'q"\\', "never"]
    with pytest.MonkeyPatch.context() as patch, FakeRest(records=known, faults=faults, refuses={"never": "no"}) as fake:
        patch.setenv("ATTRITION_REST_TOKEN", TOKEN)
        connector = to(fake, shape)
        expected: dict[str, dict[str, Value]] = {who: dict.fromkeys(FIELDS) for who in known}
        for send in sends:
            outcomes = sent(connector, [Record(who, values) for who, values in send])
            for (who, values), outcome in zip(send, outcomes, strict=True):
                assert outcome == {"gone": UNKNOWN, "never": Outcome("refused", "no")}.get(who, TAKEN)
                if outcome == TAKEN:
                    expected[who] |= {name: normal(FIELDS[name], value) for name, value in values.items()}
        fake._faults = iter(())
        assert connector.read([*known, "gone"]) == expected
        assert fake.created == []
