"""The part of `attrition.toml` that says which systems' APIs are read before anything lands. Keys: environment only."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator

from pipelines.foundation.settings.addresses import is_confidential
from pipelines.foundation.settings.section import Seconds, Section, Times


class Fetch(Section):
    """What every API's section says. folder: below fetched/, where its files lie until they have landed.

    attempts, pause_seconds: how often a call that failed is tried, and the first pause; each further one is twice as
    long. timeout_seconds: how long one call may take.
    """

    folder: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,99}$")]
    attempts: Annotated[Times, Field(le=20)] = 8
    pause_seconds: Seconds = 1.0
    timeout_seconds: Seconds = 60.0


class StripeFetch(Fetch):
    """Stripe. Key: ATTRITION_STRIPE_KEY, best a restricted one (rk_...) that may only read.

    payment_methods: also the cards of every customer who ever subscribed, which takes a call each.
    """

    kind: Literal["stripe"]
    folder: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,99}$")] = "stripe"
    address: str = "https://api.stripe.com"
    payment_methods: bool = True

    @field_validator("address")
    @classmethod
    def _host(cls, value: str) -> str:
        return web_host(value)


# One line for each further API: AnyFetch = Annotated[StripeFetch | NextFetch, Field(discriminator="kind")]
AnyFetch = StripeFetch


def web_host(value: str) -> str:
    """An API's address back; ValueError where a key must not be sent there, or it is more than scheme and host."""
    if not is_confidential(value):
        raise ValueError(
            "the address is not https, and the key would be readable on its way; write it like "
            "https://api.example.com (http to this machine only)"
        )
    parts = urlsplit(value)
    if parts.username or parts.password or parts.query or parts.fragment or parts.path.strip("/"):
        raise ValueError(
            "the address is https:// and a host, such as https://api.example.com; the key comes from the environment"
        )
    return f"{parts.scheme}://{parts.netloc}"


def _apart(fetches: tuple[AnyFetch, ...]) -> tuple[AnyFetch, ...]:
    """The fetches back; ValueError, in words, where two of them would write into one folder."""
    folders = [fetch.folder for fetch in fetches]
    for folder in folders:
        if folders.count(folder) > 1:
            raise ValueError(f"two of them write into the folder '{folder}'; give each a folder of its own")
    return fetches


Fetches = Annotated[tuple[AnyFetch, ...], AfterValidator(_apart)]
