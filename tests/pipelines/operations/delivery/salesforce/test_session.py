from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import pytest

from pipelines.operations.delivery.connector import TAKEN, DestinationError, UnavailableError
from pipelines.operations.delivery.salesforce.session import CLIENT_ID, CLIENT_SECRET, TOKEN
from tests.pipelines.operations.delivery.salesforce import fake_salesforce
from tests.pipelines.operations.delivery.salesforce.fake_salesforce import APPLICATION, FakeSalesforce, Faults
from tests.pipelines.operations.delivery.salesforce.fake_salesforce_wire import Answer
from tests.pipelines.operations.delivery.salesforce.salesforce_case import VALUES, connected, records

SECRETS = (fake_salesforce.TOKEN, *APPLICATION)


def said(error: BaseException) -> str:
    """All that anybody could see of an error: message, fields, and what it was raised from."""
    return "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))


def application(patch: pytest.MonkeyPatch, identifier: str, secret: str) -> None:
    patch.setenv(CLIENT_ID, identifier)
    patch.setenv(CLIENT_SECRET, secret)


def test_a_token_that_ran_out_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce(["A-0"]) as fake:
        connector = connected(fake, monkeypatch)
        fake.tokens.clear()
        for call in (connector.check, connector.setup, lambda: connector.send(records(1))):
            with pytest.raises(DestinationError, match=f"set {TOKEN} anew") as caught:
                call()
            assert not any(secret in said(caught.value) for secret in SECRETS)


def test_an_application_gets_its_own_token_and_another_when_it_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce(["A-0"]) as fake:
        application(monkeypatch, *APPLICATION)
        connector = connected(fake, monkeypatch)
        monkeypatch.delenv(TOKEN)
        fake.tokens.clear()
        assert connector.send(records(1)) == [TAKEN]
        fake.tokens.clear()
        assert connector.send(records(1, run_id="run-2")) == [TAKEN]
        assert connector.read(["A-0"]) == {"A-0": VALUES | {"run_id": "run-2"}}
        assert fake.requests["token"] == 2


def test_a_job_survives_a_token_that_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce([f"A-{number}" for number in range(2001)]) as fake:
        application(monkeypatch, *APPLICATION)
        connector = connected(fake, monkeypatch, sleep=lambda _: fake.tokens.clear())
        assert connector.send(records(2001)) == [TAKEN] * 2001
        assert fake.requests["token"] > 1


def test_an_application_that_is_not_known_is_told_without_its_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce() as fake:
        application(monkeypatch, APPLICATION[0], "a-wrong-secret")
        with pytest.raises(DestinationError, match=f"{CLIENT_ID} and {CLIENT_SECRET}") as caught:
            connected(fake, monkeypatch).check()
        assert not any(secret in said(caught.value) for secret in (*SECRETS, "a-wrong-secret"))


@pytest.mark.parametrize(
    ("limited", "seconds"),
    [("TotalRequests Limit exceeded.", 3600.0), ("ConcurrentRequests (Concurrent API Requests) Limit exceeded.", 60.0)],
)
def test_a_day_without_calls_left_is_waited_for(limited: str, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    with FakeSalesforce(["A-0"]) as fake:
        fake.limited = limited
        with pytest.raises(UnavailableError, match="REQUEST_LIMIT_EXCEEDED") as caught:
            connected(fake, monkeypatch, sleep=slept.append).send(records(1))
        assert (caught.value.retry_after, slept) == (seconds, [])


@pytest.mark.parametrize(
    ("faults", "words", "retry_after"),
    [
        (Faults(too_many=1.0), "429", 1.0),
        (Faults(unavailable=1.0), "503", 2.0),
        (Faults(broken=1.0), "500", None),
        (Faults(drop=1.0), "it was not reached", None),
        (Faults(hang_up=1.0), "it was not reached", None),
        (Faults(stall=1.0, stall_seconds=0.5), "it did not answer in time", None),
    ],
)
def test_what_may_pass_is_asked_again_a_few_times_and_then_told(
    faults: Faults, words: str, retry_after: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    with FakeSalesforce(["A-0"], faults=faults) as fake:
        connector = connected(fake, monkeypatch, sleep=slept.append, timeout_seconds=0.2)
        with pytest.raises(UnavailableError, match=words) as caught:
            connector.read(["A-0"])
        assert caught.value.retry_after == retry_after
        assert slept == ([retry_after] * 5 if retry_after else [0.5, 1.0, 2.0, 4.0, 8.0])
        assert sum(fake.faulty.values()) == 6
        assert fake_salesforce.TOKEN not in said(caught.value)
        assert "A-0" not in str(caught.value)


def test_a_write_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce(["A-0"]) as fake:
        connector = connected(fake, monkeypatch)
        monkeypatch.setattr(fake, "meets", lambda: "hang_up" if fake.requests["query"] else "")
        with pytest.raises(UnavailableError):
            connector.send(records(1))
        assert fake.requests["update"] == 1


@pytest.mark.parametrize("page", ["<html>We are down for maintenance</html>", ""])
def test_a_page_instead_of_an_answer_may_pass(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce(["A-0"]) as fake:
        monkeypatch.setattr(fake._server, "answering", lambda *_: Answer(200, page, {}))
        with pytest.raises(UnavailableError, match="cannot be read"):
            connected(fake, monkeypatch).check()


def test_a_redirect_is_not_followed_with_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answering(_: str, path: str, headers: Any, body: bytes) -> Answer:
        asked.append(path)
        return Answer(302, "", {"Location": "/elsewhere"})

    with FakeSalesforce() as fake:
        monkeypatch.setattr(fake._server, "answering", answering)
        with pytest.raises(DestinationError, match="it sends calls elsewhere; set address to the My Domain address"):
            connected(fake, monkeypatch).send(records(1))
        assert len(asked) == 1


def test_a_certificate_that_is_not_trusted_stops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSalesforce() as fake:
        connector = connected(fake, monkeypatch)
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        with pytest.raises(DestinationError, match="REQUESTS_CA_BUNDLE"):
            connector.check()


def test_a_netrc_does_not_replace_the_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "netrc").write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with FakeSalesforce() as fake:
        connected(fake, monkeypatch).check()  # refused where the token is not the one that was set
        assert fake.requests


@pytest.mark.parametrize("fault", ["too_many", "unavailable", "broken", "drop", "hang_up"])
def test_no_message_holds_a_secret(
    fault: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    application(monkeypatch, *APPLICATION)
    caplog.set_level("DEBUG")
    with FakeSalesforce(["A-0"]) as fake:
        connector = connected(fake, monkeypatch)
        connector.check()
        monkeypatch.setattr(fake, "meets", lambda: fault)
        calls: list[Callable[[], object]] = [
            connector.check, connector.setup, lambda: connector.read(["A-0"]), lambda: connector.send(records(1)),
        ]  # fmt: skip
        for call in calls:
            with pytest.raises(UnavailableError) as caught:
                call()
            assert not any(secret in said(caught.value) + repr(connector) for secret in SECRETS)
    assert not any(secret in caplog.text for secret in SECRETS)
