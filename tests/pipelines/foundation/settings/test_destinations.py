from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from pipelines.foundation.settings.destinations import BottleCrm, HubSpot, Rest, Salesforce, Sql

KINDS: dict[str, type[BaseModel]] = {
    "hubspot": HubSpot,
    "salesforce": Salesforce,
    "bottlecrm": BottleCrm,
    "sql": Sql,
    "rest": Rest,
}
WITH_A_TOKEN = ("hubspot", "bottlecrm", "rest")  # and an address to which it is sent


def destination(kind: str, address: str) -> Any:
    needs = {"create": True, "write": {"path": "/v1/customers"}} if kind == "rest" else {}
    return KINDS[kind].model_validate({"kind": kind, "name": "crm", "address": address, **needs})


@pytest.mark.parametrize("kind", WITH_A_TOKEN)
@pytest.mark.parametrize(
    "address",
    [
        "http://crm.example.com", "http://10.0.0.1", "http://localhost.example.com", "ftp://crm.example.com",
        "crm.example.com", "https://", "http://[::1", "",
    ],
)  # fmt: skip
def test_an_address_that_would_give_the_token_away_is_refused(kind: str, address: str) -> None:
    with pytest.raises(ValidationError, match=r"not https, and the token would be readable .*; write it like https://"):
        destination(kind, address)


@pytest.mark.parametrize("kind", WITH_A_TOKEN)
@pytest.mark.parametrize("address", ["https://crm.example.com", "http://127.0.0.1:8000", "http://localhost:8000"])
def test_https_and_this_machine_are_taken(kind: str, address: str) -> None:
    assert destination(kind, f"{address}/").address == address


@pytest.mark.parametrize("kind", KINDS)
def test_a_password_in_an_address_is_refused_and_not_repeated(kind: str) -> None:
    scheme = "postgresql" if kind == "sql" else "https"
    with pytest.raises(ValidationError) as refused:
        destination(kind, f"{scheme}://somebody:s3cret@crm.example.com")
    assert "s3cret" not in str(refused.value)


def test_salesforce_takes_https_alone() -> None:
    with pytest.raises(ValidationError, match="https://"):
        destination("salesforce", "http://127.0.0.1:8000")
