from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import urllib3.exceptions
from hubspot.crm.contacts.exceptions import ApiException  # type: ignore[import-untyped]
from hubspot.crm.properties.exceptions import ApiException as PropertiesError  # type: ignore[import-untyped]

from features.errors import AttritionError
from pipelines.operations.delivery.connector import TAKEN, DestinationError, Outcome, UnavailableError
from pipelines.operations.delivery.hubspot.calls import InvalidError, ask, blamed, in_parts

SECRET = "what a record holds"
NUMBER = "64c72d80-c369-409f-b2ec-c233d4928080"


def failing(
    status: int, body: object = None, headers: Mapping[str, str] | None = None, kind: Any = ApiException
) -> Any:
    def call(*, _request_timeout: float) -> None:
        error = kind(status=status, reason=SECRET)
        error.body = body if isinstance(body, str) else json.dumps(body)
        error.headers = headers
        raise error

    return call


def failure(call: Callable[..., Any]) -> AttritionError:
    with pytest.raises(AttritionError) as caught:
        ask(call, timeout_seconds=1.0)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    return caught.value


def waits(error: AttritionError) -> float | None:
    assert isinstance(error, UnavailableError)
    return error.retry_after


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_does_not_do_names_its_variable_and_the_scopes(status: int) -> None:
    error = failure(failing(status, {"message": SECRET}))
    assert type(error) is DestinationError
    for part in ("ATTRITION_HUBSPOT_TOKEN", "crm.objects.contacts.write", "crm.schemas.contacts.write"):
        assert part in str(error)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "3"}, 3.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "-1"}, 0.0),
        ({"Retry-After": "Mon, 01 Jul 2024 06:00:07 GMT", "Date": "Mon, 01 Jul 2024 06:00:00 GMT"}, 7.0),
        ({"Retry-After": "Mon, 01 Jul 2024 06:00:07 GMT"}, 10.0),
        ({"Retry-After": "soon"}, 10.0),
        ({"Retry-After": "nan"}, 10.0),
        ({}, 10.0),
        (None, 10.0),
    ],
)
def test_the_short_limit_passes_when_hubspot_says_or_after_its_ten_seconds(
    headers: dict[str, str] | None, seconds: float
) -> None:
    body = {"policyName": "TEN_SECONDLY_ROLLING", "message": SECRET}
    assert waits(failure(failing(429, body, headers))) == seconds


@pytest.mark.parametrize("body", [{"policyName": "DAILY"}, {"message": "You have reached your daily limit."}])
def test_the_limit_of_a_day_ends_the_delivery_rather_than_wait_for_midnight(body: dict[str, str]) -> None:
    error = failure(failing(429, body, {"Retry-After": "3"}))
    assert type(error) is DestinationError
    assert "midnight" in str(error)


@pytest.mark.parametrize("status", [408, 423, 477, 500, 502, 503, 504, 521, 524])
def test_a_failure_of_hubspot_may_pass(status: int) -> None:
    assert waits(failure(failing(status, "<html>", {"Retry-After": "60"}))) == 60
    assert waits(failure(failing(status))) == (2 if status == 423 else None)
    assert waits(failure(failing(status, "[]", kind=PropertiesError))) == (2 if status == 423 else None)


@pytest.mark.parametrize("status", [301, 404, 405])
def test_an_address_that_is_not_hubspots_is_named(status: int) -> None:
    error = failure(failing(status, "<html>"))
    assert type(error) is DestinationError
    assert "`address`" in str(error)


def test_an_invalid_call_is_told_by_codes_and_properties_and_not_by_what_was_sent() -> None:
    wrong = [
        {"message": SECRET, "error": "INVALID_OPTION", "name": "attrition_risk_trend"},
        {"error": SECRET, "name": "x"},
    ]
    body = {
        "category": "VALIDATION_ERROR",
        "message": f"Property values were not valid: {json.dumps(wrong)} and more",
        "correlationId": NUMBER,
    }
    error = failure(failing(400, body))
    assert isinstance(error, InvalidError)
    assert str(error) == (
        "HubSpot refuses it (VALIDATION_ERROR, attrition_risk_trend: INVALID_OPTION); the log of the private app at "
        f"HubSpot has it under {NUMBER}"
    )


@pytest.mark.parametrize("body", [{}, [], "no json", {"message": "[{cut", "category": SECRET, "correlationId": SECRET}])
def test_an_invalid_call_without_words_is_still_told(body: object) -> None:
    assert str(failure(failing(409, body))) == "HubSpot refuses it (without a code)"


def test_a_property_that_is_not_there_is_no_fault_of_a_record() -> None:
    wrong = [{"error": "PROPERTY_DOESNT_EXIST", "name": "attrition_risk_trend", "message": SECRET}]
    error = failure(failing(400, {"message": f"Property values were not valid: {json.dumps(wrong)}"}))
    assert type(error) is DestinationError
    assert "attrition_risk_trend" in str(error)


def test_a_key_that_is_not_unique_is_no_fault_of_a_record() -> None:
    error = failure(failing(400, {"message": "Unable to perform update/upsert by non-unique 0-1 property x"}))
    assert type(error) is DestinationError
    assert "unique_property" in str(error)


@pytest.mark.parametrize(
    "thrown",
    [
        urllib3.exceptions.ReadTimeoutError(None, "", SECRET),  # type: ignore[arg-type]
        urllib3.exceptions.ProtocolError(SECRET),
        ConnectionResetError(SECRET),
        AttributeError(SECRET),  # the client's own, where a certificate is not trusted
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, SECRET),  # the same, where a proxy answers in another encoding
        TypeError(SECRET),
    ],
)
def test_what_the_client_throws_otherwise_may_pass(thrown: Exception) -> None:
    def call(*, _request_timeout: float) -> None:
        raise thrown

    assert waits(failure(call)) is None


@pytest.mark.parametrize("answer", [None, "text", SimpleNamespace(results=None)])
def test_an_answer_that_is_not_hubspots_is_no_answer(answer: object) -> None:
    assert waits(failure(lambda *, _request_timeout: (answer, 200, {}))) is None


def test_the_time_a_call_may_take_is_handed_to_the_client() -> None:
    seen = []

    def call(*arguments: object, _request_timeout: float) -> tuple[Any, int, dict[str, str]]:
        seen.append((arguments, _request_timeout))
        return SimpleNamespace(results=[]), 207, {}

    assert ask(call, "body", timeout_seconds=2.5)[1] == 207
    assert seen == [(("body",), 2.5)]


def test_one_bad_record_of_a_hundred_is_found_in_fourteen_further_calls() -> None:
    calls: list[int] = []

    def attempt(ids: Sequence[str]) -> dict[str, Outcome]:
        calls.append(len(ids))
        if "17" in ids:
            raise InvalidError("wrong")
        return dict.fromkeys(ids, TAKEN)

    found = in_parts(attempt, [str(number) for number in range(100)])
    assert found.pop("17") == Outcome("refused", "wrong")
    assert list(found.values()) == [TAKEN] * 99
    assert len(calls) <= 15


def test_what_was_found_before_a_call_failed_counts() -> None:
    def attempt(ids: Sequence[str]) -> dict[str, Outcome]:
        if len(ids) == 4:
            raise InvalidError("wrong")
        if "c" in ids:
            raise UnavailableError("not now")
        return dict.fromkeys(ids, TAKEN)

    later = Outcome("later", "not now")
    assert in_parts(attempt, ["a", "b", "c", "d"]) == {"a": TAKEN, "b": TAKEN, "c": later, "d": later}
    with pytest.raises(UnavailableError):
        in_parts(attempt, ["c", "d", "e", "f"])
    assert in_parts(attempt, []) == {}


def test_an_error_inside_an_answer_is_mapped_by_what_was_sent_and_never_by_a_likeness() -> None:
    def error(category: str, **context: list[str]) -> Any:
        return SimpleNamespace(category=category, message=SECRET, id=NUMBER, context=context)

    errors = [
        error("VALIDATION_ERROR", objectWriteTraceId=["1"]),
        error("OBJECT_NOT_FOUND", ids=["501", "1"]),
        error("RATE_LIMITS", objectWriteTraceId=["3"], ids=["504"]),
        error("VALIDATION_ERROR"),
    ]
    ids = {"501": "A", "502": "B", "503": "C", "504": "D"}
    unknown = Outcome("refused", "nobody")
    said = blamed(errors, ids=ids, traces={"0": "A", "1": "B", "2": "C", "3": "D"}, unknown=unknown)
    assert {each: outcome.state for each, outcome in said.items()} == {"A": "refused", "B": "refused", "D": "later"}
    assert said["A"] is unknown
    assert "VALIDATION_ERROR" in said["B"].why
    assert SECRET not in str(said)


def test_the_error_of_a_single_record_needs_no_name() -> None:
    error = SimpleNamespace(category="VALIDATION_ERROR", message="", id=None, context=None)
    said = blamed([error], ids={"501": "A"}, traces={}, unknown=TAKEN)
    assert said == {"A": Outcome("refused", "HubSpot refuses it (VALIDATION_ERROR)")}
