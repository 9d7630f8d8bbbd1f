"""The part of `attrition.toml` that says which systems scores are sent to. Secrets come from the environment only."""

from __future__ import annotations

from typing import Annotated, Literal
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


_ApiName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]


class Salesforce(_Destination):
    """Records of a Salesforce object, found by an external id field.

    address: https:// and the My Domain host. names: API names as they are, such as "Churn_Risk__c"; what is not named
    is called by our name between `prefix` and "__c".
    Application: ATTRITION_SALESFORCE_CLIENT_ID and _CLIENT_SECRET; otherwise ATTRITION_SALESFORCE_TOKEN.
    """

    kind: Literal["salesforce"]
    address: str
    salesforce_object: _ApiName = "Contact"
    external_id_field: _ApiName = "Attrition_External_Id__c"
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,17}$")] = "attrition_"
    names: dict[str, _ApiName] = Field(default_factory=dict)

    @field_validator("address")
    @classmethod
    def _host(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme != "https" or not parts.hostname or parts.username or parts.path.strip("/") or parts.query:
            raise ValueError("the address is https:// and a host, such as https://company.my.salesforce.com")
        return f"https://{parts.netloc}"

    @model_validator(mode="after")
    def _one_field_each(self) -> Salesforce:
        default = {name: f"{self.prefix}{name}__c" for name in FIELDS}
        taken = {self.external_id_field.casefold()}
        for name, remote in (default | self.names).items():
            if remote.casefold() in taken:
                raise ValueError(f"{name} and another field are both called {remote}; Salesforce ignores capitals")
            taken.add(remote.casefold())
        return self


class BottleCrm(_Destination):
    """Contacts of BottleCRM (django-crm), found by a custom field."""

    kind: Literal["bottlecrm"]
    address: str

    _address = field_validator("address")(_without_secrets)


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
