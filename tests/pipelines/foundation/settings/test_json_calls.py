from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.pipelines.operations.delivery.json_api.json_api_case import SHAPES, rest

WRITE = {"path": "/v1/customers"}
READ = {"path": "/v1/customers/{id}"}


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_what_people_write_is_understood(shape: str) -> None:
    assert rest(shape, address="https://api.example.com/eu/").address == "https://api.example.com/eu"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"address": "https://me:T0K3N@api.example.com"}, "the address holds a user, a password or a token"),
        ({"address": "https://T0K3N@api.example.com"}, "the address holds a user, a password or a token"),
        ({"address": "https://api.example.com/#T0K3N"}, "the address is none"),
        ({"address": "https://api.example.com/?key=T0K3N"}, "the address holds a user, a password or a token"),
        ({"headers": {"X:Y": "1"}}, "is no header"),
        ({"headers": {"X": "a\r\nb"}}, "is no header"),
        ({"batch": 51}, "less than or equal to 50"),
        ({"read": None}, "nothing says how to find out whom the system knows"),
        ({"create": True, "write": WRITE | {"creates": False}}, "the call cannot create"),
        ({"id_at": ""}, "id_at is missing"),
        ({"id_at": "", "write": {"path": "/c/{id}"}, "read": {"path": "/c?ids=[{ids}]"}}, "id_at is missing"),
        ({"id_at": "a..b"}, "should match pattern"),
        ({"names": {"run_id": "customer_id"}}, "two things have the same name"),
        ({"names": {"run_id": "type"}, "record": {"type": "profile"}}, "two things have the same name"),
        ({"names": {"run_id": "attrition_currency"}}, "two things have the same name"),
        ({"fields_at": "a.b", "id_at": "a.b.c", "names": {"run_id": "c"}}, "two things have the same name"),
        ({"write": {"path": "v1/customers"}}, "is no path"),
        ({"write": {"path": "/v1/cust omers"}}, "is no path"),
        ({"write": {"path": "/v1/{ids}"}}, "at most one {id}"),
        ({"read": {"path": "/v1/customers"}}, "must hold one {id} or {ids}"),
        ({"read": {"path": "/v1/{id}/{ids}"}}, "must hold one {id} or {ids}"),
        ({"fields": {"path": "/v1/{id}"}}, "holds nothing in braces"),
        ({"job": {"id_at": "id", "path": "/jobs", "state_at": "s", "done": ["ok"]}}, "must hold one {job}"),
        ({"job": {"id_at": "id", "path": "/jobs/{job}", "state_at": "s", "done": []}}, "at least 1 item"),
    ],
)
def test_what_cannot_be_is_refused_without_repeating_a_secret(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said) as refused:
        rest("lists", **changed)
    assert "T0K3N" not in str(refused.value)


def test_one_name_may_be_beside_the_fields_and_among_them() -> None:
    plan = rest("lists", fields_at="fields", names={"run_id": "customer_id"}, read=READ)
    assert plan.remote.remote("run_id") == "customer_id"


def test_names_may_be_in_capitals_unless_they_are_given() -> None:
    names = rest("contacts", names={"run_id": "job"}).remote
    assert (names.remote("run_id"), names.remote("currency")) == ("job", "ATTRITION_CURRENCY")
