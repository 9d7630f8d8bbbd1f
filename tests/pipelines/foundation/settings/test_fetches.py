from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pipelines.foundation.settings.fetches import StripeFetch
from pipelines.foundation.settings.settings import Settings

SOURCE = {"table": "orders", "query": "orders.sql"}


def settings(*fetches: dict[str, Any]) -> Settings:
    return Settings.model_validate({"currency": "EUR", "sources": [SOURCE], "fetches": [*fetches]})


def refusal(**given: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        settings({"kind": "stripe", **given})
    return str(refused.value)


def test_stripe_is_fetched_from_its_own_address_into_a_folder_of_its_name() -> None:
    (fetch,) = settings({"kind": "stripe"}).fetches
    assert (fetch.address, fetch.folder, fetch.payment_methods) == ("https://api.stripe.com", "stripe", True)


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("https://stripe.example.com/", "https://stripe.example.com"),
        ("https://stripe.example.com:8443", "https://stripe.example.com:8443"),
        ("http://127.0.0.1:8420", "http://127.0.0.1:8420"),
        ("http://localhost", "http://localhost"),
        ("http://[::1]:1", "http://[::1]:1"),
    ],
)
def test_another_address_is_taken_where_nobody_can_read_the_key_on_its_way(given: str, taken: str) -> None:
    assert StripeFetch(kind="stripe", address=given).address == taken


@pytest.mark.parametrize("address", ["http://api.stripe.com", "http://10.0.0.1:8420", "ftp://127.0.0.1", "stripe", ""])
def test_an_address_on_whose_way_the_key_could_be_read_is_refused(address: str) -> None:
    assert "the key would be readable on its way" in refusal(address=address)


@pytest.mark.parametrize(
    "address",
    [
        "https://rk_live_secret@api.stripe.com",
        "https://u:rk_live_secret@api.stripe.com",
        "https://api.stripe.com?key=rk_live_secret",
        "https://api.stripe.com/v1",
    ],
)
def test_an_address_that_holds_more_than_a_host_is_refused_and_not_repeated(address: str) -> None:
    said = refusal(address=address)
    assert "the key comes from the environment" in said
    assert "rk_live_secret" not in said


def test_no_setting_takes_the_key() -> None:
    for name in ("key", "token", "api_key", "secret"):
        assert "Extra inputs are not permitted" in refusal(**{name: "rk_live_secret"})
        assert "rk_live_secret" not in refusal(**{name: "rk_live_secret"})


@pytest.mark.parametrize("folder", ["", "..", "a/b", "Stripe", ".hidden", "a b"])
def test_a_folder_is_one_plain_name(folder: str) -> None:
    assert "folder" in refusal(folder=folder)


def test_two_fetches_have_folders_of_their_own() -> None:
    assert len(settings({"kind": "stripe"}, {"kind": "stripe", "folder": "stripe-us"}).fetches) == 2
    with pytest.raises(ValidationError, match="two of them write into the folder 'stripe'"):
        settings({"kind": "stripe"}, {"kind": "stripe"})


def test_another_kind_is_refused() -> None:
    assert "'stripe'" in refusal(kind="paypal")
