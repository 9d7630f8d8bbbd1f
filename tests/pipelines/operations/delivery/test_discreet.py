"""No secret and nothing that acts on a terminal gets out of a connector, whatever a server answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote

import hypothesis.strategies as st
import pytest
from hypothesis import given
from pydantic import ValidationError

from pipelines.foundation.settings.destinations import BottleCrm, Destination, HubSpot, Rest, Salesforce, Sql
from pipelines.operations.delivery.connect import KINDS, connect
from pipelines.operations.delivery.connector import DestinationError, Outcome, Record, UnavailableError, Value
from pipelines.operations.delivery.discreet import SECRET, Discreet, fit_to_show
from tests.pipelines.operations.delivery.destination_case import values

DELIVERY = Path(__file__).parents[4] / "pipelines" / "operations" / "delivery"
TOKEN = "tök-4711"


LETTERS = st.characters(codec="utf-8", exclude_characters='αβγ%"\\')


@given(st.text(LETTERS), st.text('αβγ%"\\', min_size=4, max_size=20), st.text(LETTERS))
def test_a_secret_is_in_no_text_in_whichever_way_it_is_written(before: str, secret: str, after: str) -> None:
    for written in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1]):
        shown = fit_to_show(f"{before} {written} {after}", [secret])
        assert shown.isprintable()
        assert written not in shown


def test_what_a_terminal_would_act_on_is_gone_and_long_texts_are_cut() -> None:
    assert fit_to_show("a\x1b[2Jb\r\nc\u202ed\x07", []) == "a [2Jb c d"
    assert fit_to_show("x" * 9000, []) == "x" * 5000 + " ..."
    assert fit_to_show("a token of three letters, abc, is in many words", ["abc"]).count("abc") == 1


class Blunt:
    """A connector that says everything it knows."""

    batch = 7
    said = f"no: Bearer {TOKEN}\x1b[31m"

    def __init__(self, error: type[UnavailableError | DestinationError]) -> None:
        self.error = error

    def setup(self) -> list[str]:
        raise self.error(self.said)

    def check(self) -> None:
        raise self.error(self.said)

    def send(self, records: Sequence[Record]) -> list[Outcome]:
        return [Outcome("refused", self.said) for _ in records] + [Outcome("taken")]

    def read(self, external_ids: Sequence[str]) -> dict[str, dict[str, Value]]:
        raise self.error(self.said)


@pytest.mark.parametrize("error", [UnavailableError, DestinationError])
def test_every_way_out_of_a_connector_is_covered(error: type[UnavailableError | DestinationError]) -> None:
    connector = Discreet(Blunt(error), [TOKEN])
    for call in (connector.setup, connector.check, lambda: connector.read(["A"])):
        with pytest.raises(error) as raised:
            call()
        assert str(raised.value) == f"no: Bearer {SECRET} [31m"
    assert connector.send([Record("A", {})]) == [Outcome("refused", f"no: Bearer {SECRET} [31m"), Outcome("taken")]
    assert connector.batch == 7


def test_how_long_a_destination_wants_to_be_left_alone_gets_through() -> None:
    class Waiting(Blunt):
        def check(self) -> None:
            raise UnavailableError("later", retry_after=9.0)

    with pytest.raises(UnavailableError) as raised:
        Discreet(Waiting(UnavailableError), []).check()
    assert raised.value.retry_after == 9.0


def test_every_secret_that_a_connector_reads_is_known() -> None:
    named = {
        name
        for place in DELIVERY.rglob("*.py")
        for name in re.findall(r"ATTRITION_[A-Z]+_(?:TOKEN|CLIENT_SECRET)|PGPASSWORD", place.read_text("utf-8"))
    }
    assert named == {name for kind in KINDS.values() for name in kind.secrets}


# Servers that say everything they were sent


class Echo(BaseHTTPRequestHandler):
    """Refuses everything, quoting what it was sent."""

    status = 400

    def do_POST(self) -> None:
        heard = f"{self.headers.get('Authorization')} \x1b[2J"
        said = {"message": heard, "detail": heard, "error": heard, "errors": {"name": [heard]}, "errorCode": heard}
        body = json.dumps(said).encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_PATCH = do_POST  # noqa: N815 - the server's names

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def echo() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 503])
@pytest.mark.parametrize("kind", ["hubspot", "bottlecrm", "rest"])
def test_a_server_that_repeats_the_token_is_not_repeated(
    echo: str, kind: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "pat-na1-0815-canary"
    monkeypatch.setenv(f"ATTRITION_{kind.upper()}_TOKEN", secret)
    monkeypatch.setattr(Echo, "status", status)
    plans: dict[str, Destination] = {
        "hubspot": HubSpot(kind="hubspot", name="crm", address=echo),
        "bottlecrm": BottleCrm(kind="bottlecrm", name="crm", address=echo),
        "rest": Rest(
            kind="rest", name="crm", address=echo, create=True, id_at="id", write={"path": "/x"}, fields="given"
        ),
    }
    said = []
    connector = connect(plans[kind], language="en")
    for call in (connector.setup, connector.check, lambda: connector.send([Record("A", values())])):
        try:
            found = call()
            said += [each.why for each in found or [] if isinstance(each, Outcome)]
        except (UnavailableError, DestinationError) as error:
            said.append(str(error))
    assert said
    assert not any(secret in each or "\x1b" in each for each in said), said


# Addresses and headers


@pytest.mark.parametrize(
    "address", ["postgresql://me@db.example.com/crm?sslkey=me.key&sslmode=verify-full", "host=db sslkey=x"]
)
def test_an_address_of_postgresql_may_name_a_user_and_a_file_with_a_key(address: str) -> None:
    assert Sql(kind="sql", name="crm", address=address).address == address


@pytest.mark.parametrize(
    "address",
    ["http://crm.example.com", "ftp://crm.example.com", "https://user:pass@crm.example.com", "https://tok@crm.example.com",
     "https://crm.example.com/?api_key=x"],
)  # fmt: skip
@pytest.mark.parametrize("kind", [HubSpot, BottleCrm, Rest, Salesforce])
def test_no_destination_takes_an_address_that_would_tell_a_secret(kind: Any, address: str) -> None:
    more = {"write": {"path": "/x"}, "create": True} if kind is Rest else {}
    name = {HubSpot: "hubspot", BottleCrm: "bottlecrm", Rest: "rest", Salesforce: "salesforce"}[kind]
    with pytest.raises(ValidationError):
        kind(kind=name, name="crm", address=address, **more)


@pytest.mark.parametrize("header", ["Authorization", "X-API-Key", "api-token", "Cookie", "X-Secret"])
def test_a_secret_written_into_the_settings_is_refused(header: str) -> None:
    def rest(content: str) -> Rest:
        return Rest(
            kind="rest", name="crm", address="https://a.example", create=True, write={"path": "/x"},
            headers={header: content},
        )  # fmt: skip

    assert rest("Bearer {token}").headers == {header: "Bearer {token}"}
    with pytest.raises(ValidationError, match=r"write \{token\} in its place, and set ATTRITION_REST_TOKEN"):
        rest("Bearer 4711")
