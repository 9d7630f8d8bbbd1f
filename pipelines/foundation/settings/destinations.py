"""The part of `attrition.toml` that says where scores go. Secrets come from the environment only."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, JsonValue, field_validator, model_validator

from features.errors import did_you_mean
from pipelines.foundation.settings.addresses import is_confidential
from pipelines.foundation.settings.delivered_fields import FIELDS, Names
from pipelines.foundation.settings.json_calls import FieldList, Job, Place, Read, Write
from pipelines.foundation.settings.section import Count, PositiveSpan, Seconds, Section, Share, Times

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]


class Delivery(Section):
    """Where scores go and how long they hold. max_data_age_days: nothing is scored from data that end earlier.

    Nothing is sent to a destination where more than max_changed_share of its customers would get another band or play,
    or where the share of a band would shift by more than max_band_shift. attempts, pause_seconds: how often a call that
    failed is tried, and the first pause. read_back: how many of the records that a destination holds are read again.
    """

    valid_days: PositiveSpan = 30
    max_data_age_days: PositiveSpan = 31
    csv: bool = True
    max_changed_share: Share = 0.5
    max_band_shift: Share = 0.2
    attempts: Times = 10
    pause_seconds: Seconds = 1.0
    read_back: Annotated[Count, Field(ge=0)] = 50


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


_SECRET = re.compile(r"auth|key|token|secret|password|cookie", re.IGNORECASE)  # in the name of what may hold one


def _without_secrets(value: str) -> str:
    if urlsplit(value).password:
        raise ValueError("the address holds a password; secrets come from environment variables only")
    return value


def _web_address(value: str) -> str:
    if not is_confidential(value):
        raise ValueError(
            "the address is not https, and the token would be readable on its way; write it like "
            "https://api.example.com (http to this machine only)"
        )
    parts = urlsplit(value)
    if parts.username or any(_SECRET.search(name) for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        raise ValueError(
            "the address holds a user, a password or a token; secrets come from environment variables only"
        )
    return _without_secrets(value).rstrip("/")


class HubSpot(_Destination):
    """Contacts of HubSpot, found by `unique_property`, which must be unique there. Token: ATTRITION_HUBSPOT_TOKEN."""

    kind: Literal["hubspot"]
    unique_property: str = "attrition_external_id"
    address: str = "https://api.hubapi.com"

    _address = field_validator("address")(_web_address)


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
        taken = {self.external_id_field.casefold()}
        for name in FIELDS:
            remote = self.remote.remote(name)
            if remote.casefold() in taken:
                raise ValueError(f"{name} and another field are both called {remote}; Salesforce ignores capitals")
            taken.add(remote.casefold())
        return self

    @property
    def remote(self) -> Names:
        return Names(self.prefix, self.names, ending="__c")


class BottleCrm(_Destination):
    """Contacts of BottleCRM (django-crm), found by a custom field. Personal access token: ATTRITION_BOTTLECRM_TOKEN.

    address: without `/api/`. external_id_field: holds the customer's external id; it is made where it is missing.
    """

    kind: Literal["bottlecrm"]
    address: str
    external_id_field: str = "attrition_external_id"

    _address = field_validator("address")(_web_address)

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

    @field_validator("address")
    @classmethod
    def _without_password(cls, value: str) -> str:
        if re.search(r"\bpassword\s*=", value):
            raise ValueError("the address holds a password; set PGPASSWORD, or write ~/.pgpass")
        return value


class Rest(_Destination):
    """Any system that takes records as JSON. Token: ATTRITION_REST_TOKEN, for {token} in the headers.

    wait_header: the header that says for how many seconds the system wants to be left alone.
    batch: records per call. record: what every record holds besides its id (`id_at`) and fields (`fields_at`).
    capitals: fields are called there as our names and prefix in capital letters.
    empty_as: how a field is emptied, with null or an empty text.
    fields: how to ask which fields there are; "given": they are there, or arise when first written; None: by hand.
    """

    kind: Literal["rest"]
    address: str
    headers: dict[str, str] = Field(default_factory=lambda: {"Authorization": "Bearer {token}"})
    wait_header: str = "Retry-After"
    batch: Annotated[int, Field(ge=1, le=50)] = 50
    id_at: Place = "id"
    fields_at: Place = ""
    record: dict[str, JsonValue] = Field(default_factory=dict)
    capitals: bool = False
    empty_as: Literal["null", "text"] = "null"
    write: Write
    job: Job | None = None
    read: Read | None = None
    fields: Literal["given"] | FieldList | None = None

    _address = field_validator("address")(_web_address)

    @field_validator("address")
    @classmethod
    def _root(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.query or parts.fragment or parts.username:
            raise ValueError("the address is none; write it like https://api.example.com")
        return value

    @field_validator("headers")
    @classmethod
    def _headers(cls, value: dict[str, str]) -> dict[str, str]:
        for name, content in value.items():
            if not re.fullmatch(r"[!-~]+", name) or ":" in name or not re.fullmatch(r"[ -~]*", content):
                raise ValueError(f"'{name}' is no header: plain letters only")
            if _SECRET.search(name) and "{token}" not in content:
                raise ValueError(
                    f"the header '{name}' holds a secret, by its name; write {{token}} in its place, and set "
                    "ATTRITION_REST_TOKEN"
                )
        return value

    @model_validator(mode="after")
    def _fits(self) -> Rest:
        if not self.create and self.write.creates and self.read is None:
            raise ValueError(
                "nothing says how to find out whom the system knows, so that nobody is created; give read, or allow it "
                "with create = true, or say write.creates = false where the call does not create"
            )
        if self.create and not self.write.creates:
            raise ValueError("create = true, but write.creates = false: the call cannot create; take one of them back")
        if not self.id_at and ("{id}" not in self.write.path or (self.read and "{ids}" in self.read.path)):
            raise ValueError("id_at is missing: nothing says where a record holds the customer's id")
        names = self.remote.all()
        before = self.fields_at + "." if self.fields_at else ""
        beside = [self.id_at.removeprefix(before).split(".")[0]] if self.id_at.startswith(before) else []
        taken = [*beside, *([] if self.fields_at else self.record)]
        if len(names) < len(FIELDS) or any(name in names for name in taken):
            raise ValueError("two things have the same name in a record; change prefix, names or record")
        return self

    @property
    def remote(self) -> Names:
        if not self.capitals:
            return super().remote
        return Names("", {name: self.names.get(name, (self.prefix + name).upper()) for name in FIELDS})


Destination = Annotated[HubSpot | Salesforce | BottleCrm | Sql | Rest, Field(discriminator="kind")]
