"""The part of `attrition.toml` that says which systems scores are sent to. Secrets come from the environment only."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from features.errors import did_you_mean
from pipelines.crm.fields import FIELDS, Names
from pipelines.source_settings import Section

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
Seconds = Annotated[float, Field(gt=0)]


class _Destination(Section):
    """name: what it is called in messages and in the outbox. prefix, names: what our fields are called there.

    create: customers whom the destination does not know are made there; otherwise they are refused.
    timeout_seconds: how long one call may take.
    """

    name: Name
    prefix: str = "attrition_"
    names: dict[str, str] = Field(default_factory=dict)
    create: bool = False
    timeout_seconds: Seconds = 30.0

    @field_validator("names")
    @classmethod
    def _known(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if name not in FIELDS:
                raise ValueError(f"'{name}' is no field that is sent.{did_you_mean(name, list(FIELDS))}")
        return value

    @property
    def remote(self) -> Names:
        return Names(self.prefix, self.names)


def _without_secrets(value: str) -> str:
    if urlsplit(value).password:
        raise ValueError("the address holds a password; secrets come from environment variables only")
    return value


class HubSpot(_Destination):
    """Contacts of HubSpot, found by `unique_property`, which must be unique there. Token: ATTRITION_HUBSPOT_TOKEN."""

    kind: Literal["hubspot"]
    unique_property: str = "attrition_external_id"
    address: str = "https://api.hubapi.com"

    _address = field_validator("address")(_without_secrets)


class Salesforce(_Destination):
    """Records of a Salesforce object, found by an external id field. Token: ATTRITION_SALESFORCE_TOKEN."""

    kind: Literal["salesforce"]
    address: str
    salesforce_object: str = "Contact"
    external_id_field: str = "Attrition_External_Id__c"

    _address = field_validator("address")(_without_secrets)


class BottleCrm(_Destination):
    """Contacts of BottleCRM (django-crm), found by a custom field. Personal access token: ATTRITION_BOTTLECRM_TOKEN.

    address: without `/api/`. external_id_field: holds the customer's external id; it is made where it is missing.
    """

    kind: Literal["bottlecrm"]
    address: str
    external_id_field: str = "attrition_external_id"

    _address = field_validator("address")(_without_secrets)

    @model_validator(mode="after")
    def _keys(self) -> Self:
        """BottleCRM takes keys of 64 characters, of its own alphabet, and each once."""
        keys = [self.external_id_field, self.task_field, *self.remote.all()]
        for key in keys:
            if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", key):
                raise ValueError(
                    f"'{key}' can be no key of a field of BottleCRM: at most 64 of a-z, 0-9 and _, the first of them a "
                    f"letter; change prefix, names or external_id_field"
                )
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise ValueError(f"two fields would be called '{twice[0]}' in BottleCRM; change names or external_id_field")
        return self

    @property
    def task_field(self) -> str:
        """Of a contact: how far its task is. Of a task: whose it is."""
        return f"{self.prefix}task"


class Sql(_Destination):
    """A table of PostgreSQL. User and password: PGUSER, PGPASSWORD or ~/.pgpass, as PostgreSQL's own programs do."""

    kind: Literal["sql"]
    address: str
    table: str = "attrition_scores"
    create: bool = True

    _address = field_validator("address")(_without_secrets)


class Rest(_Destination):
    """Any system with an address that takes records as JSON. Token: ATTRITION_REST_TOKEN."""

    kind: Literal["rest"]
    address: str

    _address = field_validator("address")(_without_secrets)


Destination = Annotated[HubSpot | Salesforce | BottleCrm | Sql | Rest, Field(discriminator="kind")]
