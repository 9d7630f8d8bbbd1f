from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from features.errors import AttritionError, DataError, SettingsError
from pipelines.data.fetching.stripe import KEY, Stripe
from pipelines.foundation.settings.fetches import StripeFetch
from tests.pipelines.data.fetching.stripe_case import CANARY, FakeStripe, Fault, customer, stripe

T = 1_764_000_000


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeStripe]:
    monkeypatch.setenv(KEY, CANARY)
    with stripe(customers=[customer(f"cus_{number:03}", created=T - number) for number in range(250)]) as served:
        yield served


def api(fake: FakeStripe, said: list[str], **settings: Any) -> Stripe:
    given = {"kind": "stripe", "address": fake.address, "attempts": 4, "pause_seconds": 0.01} | settings
    return Stripe(StripeFetch.model_validate(given), said.append)


def ids(fake: FakeStripe, said: list[str] | None = None, **settings: Any) -> list[str]:
    with closing(api(fake, [] if said is None else said, **settings)) as account:
        return [each["id"] for page in account.pages("customers", None, Path()) for each in page.objects]


def refusal(fake: FakeStripe, **settings: Any) -> AttritionError:
    """What is raised; it never quotes what the server said, which quotes the key."""
    said: list[str] = []
    with pytest.raises(AttritionError) as refused:
        ids(fake, said, **settings)
    assert CANARY not in str(refused.value) + "".join(said)
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None or refused.value.__suppress_context__
    return refused.value


EVERY = [f"cus_{number:03}" for number in range(250)]


@pytest.mark.parametrize("status", [429, 409, 500, 502, 503, 0])
@pytest.mark.parametrize("after_pages", [0, 2])
def test_what_fails_for_a_while_is_tried_again_and_nothing_is_lost_or_doubled(
    fake: FakeStripe, status: int, after_pages: int
) -> None:
    fake.faults["customers"] = Fault(status, times=3, after_pages=after_pages)
    assert ids(fake) == EVERY
    assert len(fake.asked("customers")) == 3 + 3


def test_waits_grow(fake: FakeStripe) -> None:
    fake.faults["customers"] = Fault(503, times=3)
    begun = time.monotonic()
    ids(fake, pause_seconds=0.1)
    assert 0.1 + 0.2 + 0.4 <= time.monotonic() - begun < 5


def test_it_waits_as_long_as_it_is_told(fake: FakeStripe) -> None:
    fake.faults["customers"] = Fault(429, times=1, headers={"Retry-After": "1"})
    begun, said = time.monotonic(), list[str]()
    ids(fake, said)
    assert 1 <= time.monotonic() - begun < 5
    assert said == ["Stripe has nothing for us just now (HTTP 429); waiting"]


def test_what_fails_for_good_is_tried_so_many_times(fake: FakeStripe) -> None:
    fake.faults["customers"] = Fault(500, times=99)
    error = refusal(fake)
    assert isinstance(error, DataError)
    assert str(error).startswith("Stripe gave no customers (HTTP 500), tried 4 times; run the same command again later")
    assert len(fake.asked("customers")) == 4


@pytest.mark.parametrize(("told", "calls"), [("true", 4), ("false", 1)])
def test_stripe_says_whether_to_try_again(fake: FakeStripe, told: str, calls: int) -> None:
    fake.faults["customers"] = Fault(400 if told == "true" else 500, times=99, headers={"Stripe-Should-Retry": told})
    refusal(fake)
    assert len(fake.asked("customers")) == calls


def test_a_server_that_is_gone_is_told_with_the_address(fake: FakeStripe) -> None:
    error = refusal(fake, address="http://127.0.0.1:1", attempts=2)
    assert "it was not reached, tried 2 times" in str(error)
    assert "http://127.0.0.1:1" in str(error)


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (401, f"does not take the key in {KEY}", SettingsError),
        (403, f"the key in {KEY} may not read customers; give it leave to read them", SettingsError),
        (400, "refused to list customers (HTTP 400)", DataError),
        (302, "refused to list customers (HTTP 302)", DataError),
    ],
)
def test_what_is_refused_is_not_tried_again(fake: FakeStripe, status: int, said: str, kind: type) -> None:
    fake.faults["customers"] = Fault(status, times=99, headers={"Location": "https://127.0.0.1:1/"})
    error = refusal(fake)
    assert said in str(error)
    assert isinstance(error, kind)
    assert len(fake.asked("customers")) == 1


def test_an_answer_that_is_no_list_is_refused(fake: FakeStripe) -> None:
    fake.faults["customers"] = Fault(200, times=1)
    assert "no list of objects" in str(refusal(fake))


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (None, "is not set"),
        ("  ", "is not set"),
        (f"{CANARY} x", "holds spaces"),
        (f"{CANARY}\u00e9", "holds spaces, or letters that no key has"),
        ("pk_live_canary", "publishable key"),
    ],
)
def test_a_key_that_is_none_is_told_before_any_call(
    fake: FakeStripe, key: str | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY) if key is None else monkeypatch.setenv(KEY, key)
    error = refusal(fake)
    assert said in str(error)
    assert "canary" not in str(error)
    assert fake.calls == []


def test_a_key_that_may_do_everything_is_advised_against(fake: FakeStripe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, "sk_test_canary")
    said: list[str] = []
    api(fake, said)
    assert said == ["the key of Stripe may do everything there; a restricted one (rk_...) that may only read is enough"]


def test_a_key_of_netrc_does_not_take_the_place_of_ours(
    fake: FakeStripe, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login other password other")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    assert ids(fake) == EVERY
