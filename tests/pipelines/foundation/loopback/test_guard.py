"""Who gets past the guard: requests as a server hands them on, one by one."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from pipelines.foundation.loopback.guard import Guard, graphql_alone, json_alone

PORT, TOKEN = 3000, "the-token"
OWN = {"host": f"127.0.0.1:{PORT}"}
COOKIE = {"cookie": f"attrition_{PORT}={TOKEN}"}
BEARER = {"authorization": f"Bearer {TOKEN}"}
JSON = {"content-type": "application/json"}
PAGE = {"origin": f"http://127.0.0.1:{PORT}", "sec-fetch-site": "same-origin"}
READ: dict[str, Any] = {"method": "GET", "path": "/runs"}
CHANGE: dict[str, Any] = {"method": "POST", "path": "/graphql"}
SOCKET: dict[str, Any] = {"type": "websocket", "path": "/graphql"}


class Page:
    """What stands behind the guard: it notes what reaches it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.append(scope["type"])
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"x-frame-options", b"SAMEORIGIN")]})
            await send({"type": "http.response.body", "body": b"secret"})


def asked(
    *headers: dict[str, str], query: str = "", methods: Any = graphql_alone, **scope: Any
) -> tuple[bool, Message]:
    """Whether a request reaches the page, and the first thing that is sent back."""
    page, sent = Page(), list[Message]()

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError("nobody reads the body of what is refused")

    given = {"type": "http", "query_string": query.encode(), "scheme": "http", "server": ("127.0.0.1", PORT)} | scope
    given["headers"] = [(name.encode(), value.encode()) for each in headers for name, value in each.items()]
    guard = Guard(page, token=TOKEN, port=PORT, command="attrition schedule", methods=methods)
    # Nothing of it waits for anything, so it needs no loop, and a test beside it may have one.
    with pytest.raises(StopIteration):
        guard(given, receive, send).send(None)
    return bool(page.asked), sent[0] if sent else {}


LET_THROUGH = {
    "reading by cookie": ((OWN, COOKIE), READ),
    "by the other name of this machine": (({"host": f"LOCALHOST:{PORT}"}, COOKIE), READ),
    "by the newer address of this machine": (({"host": f"[::1]:{PORT}"}, COOKIE), READ),
    "a change by the page": ((OWN, COOKIE, PAGE, JSON), CHANGE),
    "a change by a program": ((OWN, BEARER, {"content-type": "Application/JSON; charset=utf-8"}), CHANGE),
    "a program that reads": ((OWN, {"authorization": f"bearer {TOKEN}"}), READ),
    "a change by a program with the address": ((OWN, JSON), CHANGE | {"query": f"token={TOKEN}"}),
    "the page's web socket": ((OWN, COOKIE, PAGE), SOCKET),
    "a program's web socket": ((OWN, BEARER), SOCKET),
    "the bookmark": ((OWN, COOKIE, {"sec-fetch-site": "none"}), READ),
    "the page's own query page": ((OWN, COOKIE), READ | {"path": "/graphql"}),
}

REFUSED = {
    "without a host": ((COOKIE,), READ, 421),
    "two hosts": ((OWN, {"host": "evil.example"}, COOKIE), READ, 421),
    "a name that was bound anew": (({"host": f"evil.example:{PORT}"}, COOKIE), READ, 421),
    "another port": (({"host": "127.0.0.1:3001"}, COOKIE), READ, 421),
    "no port": (({"host": "127.0.0.1"}, COOKIE), READ, 421),
    "a host that begins alike": (({"host": f"127.0.0.1:{PORT}.evil.example"}, COOKIE), READ, 421),
    "a name bound anew, with the token": (({"host": "evil.example"},), READ | {"query": f"token={TOKEN}"}, 421),
    "without a token": ((OWN,), READ, 403),
    "an empty token": ((OWN, {"cookie": f"attrition_{PORT}="}), READ | {"query": "token="}, 403),
    "another token": ((OWN, {"cookie": f"attrition_{PORT}={TOKEN}x"}), READ, 403),
    "the cookie of another port": ((OWN, {"cookie": f"attrition_3001={TOKEN}"}), READ, 403),
    "a token of letters beyond ASCII": ((OWN,), READ | {"query": "token=%E2%82%AC"}, 403),
    "as a password": ((OWN, {"authorization": f"Basic {TOKEN}"}), READ, 403),
    "a foreign image": ((OWN, COOKIE, {"sec-fetch-site": "cross-site"}), READ, 403),
    "a page on another port": ((OWN, COOKIE, {"sec-fetch-site": "same-site"}), READ, 403),
    "a foreign page": ((OWN, COOKIE, JSON, {"origin": "http://evil.example"}), CHANGE, 403),
    "a page from nowhere": ((OWN, COOKIE, JSON, {"origin": "null"}), CHANGE, 403),
    "the other name of this machine": ((OWN, COOKIE, JSON, {"origin": f"http://localhost:{PORT}"}), CHANGE, 403),
    "the page over TLS": ((OWN, COOKIE, JSON, {"origin": f"https://127.0.0.1:{PORT}"}), CHANGE, 403),
    "two origins": ((OWN, COOKIE, JSON, PAGE, {"origin": "http://evil.example"}), CHANGE, 403),
    "a change that does not say where it comes from": ((OWN, COOKIE, JSON), CHANGE, 403),
    "a change in an address": ((OWN, COOKIE), READ | {"path": "/graphql", "query": "query=mutation{launchRun}"}, 405),
    "a change asked for by HEAD": ((OWN, BEARER), {"method": "HEAD", "path": "/graphql"}, 405),
    "a change as text": ((OWN, COOKIE, PAGE, {"content-type": "text/plain"}), CHANGE, 415),
    "a change as a form": ((OWN, COOKIE, PAGE, {"content-type": "multipart/form-data; boundary=x"}), CHANGE, 415),
    "a change of no kind": ((OWN, COOKIE, PAGE), CHANGE, 415),
    "an event reported by hand": ((OWN, BEARER, JSON), CHANGE | {"path": "/report_asset_check/delivery"}, 405),
    "another method": ((OWN, BEARER, JSON), CHANGE | {"method": "PUT"}, 405),
    "a question before a change": ((OWN, PAGE), CHANGE | {"method": "OPTIONS"}, 403),
    "a foreign web socket": ((OWN, COOKIE, {"origin": "http://evil.example"}), SOCKET, 1008),
    "a web socket from nowhere": ((OWN, COOKIE), SOCKET, 1008),
    "a web socket without a token": ((OWN, PAGE), SOCKET, 1008),
    "a web socket by another name": (({"host": "evil.example"}, COOKIE), SOCKET, 1008),
}


@pytest.mark.parametrize(("headers", "scope"), LET_THROUGH.values(), ids=LET_THROUGH)
def test_the_page_and_who_has_its_address_get_in(headers: tuple[dict[str, str], ...], scope: dict[str, Any]) -> None:
    reached, _ = asked(*headers, **scope)
    assert reached


@pytest.mark.parametrize(("headers", "scope", "code"), REFUSED.values(), ids=REFUSED)
def test_nobody_else_does(headers: tuple[dict[str, str], ...], scope: dict[str, Any], code: int) -> None:
    reached, answer = asked(*headers, **scope)
    assert not reached
    assert code == answer["code" if scope.get("type") == "websocket" else "status"]


MLFLOW = {
    "reading": ((OWN, COOKIE), {"method": "GET", "path": "/ajax-api/2.0/mlflow/experiments/get"}, None),
    "the page's search": (
        (OWN, COOKIE, PAGE, JSON),
        {"method": "POST", "path": "/ajax-api/2.0/mlflow/runs/search"},
        None,
    ),
    "an alias taken away": ((OWN, COOKIE, PAGE, JSON), {"method": "DELETE", "path": "/ajax-api/2.0/x"}, None),
    "a program's file": ((OWN, BEARER), {"method": "PUT", "path": "/api/2.0/mlflow-artifacts/artifacts/x"}, None),
    "a form": ((OWN, COOKIE, PAGE, {"content-type": "text/plain"}), {"method": "POST", "path": "/ajax-api/2.0/x"}, 415),
    "a foreign page": ((OWN, COOKIE, JSON, {"origin": "http://localhost:5000"}), {"method": "POST", "path": "/x"}, 403),
    "a foreign page that reads": ((OWN, COOKIE, {"sec-fetch-site": "same-site"}), {"method": "GET", "path": "/x"}, 403),
    "a question before a change": ((OWN, COOKIE), {"method": "OPTIONS", "path": "/x"}, 403),
    "a program's question": ((OWN, BEARER), {"method": "OPTIONS", "path": "/x"}, 405),
    "a program without the token": ((OWN, {"authorization": "Bearer x"}), {"method": "PUT", "path": "/x"}, 403),
}


@pytest.mark.parametrize(("headers", "scope", "code"), MLFLOW.values(), ids=MLFLOW)
def test_of_mlflows_page_changes_are_json_or_a_programs(
    headers: tuple[dict[str, str], ...], scope: dict[str, Any], code: int | None
) -> None:
    reached, answer = asked(*headers, methods=json_alone, **scope)
    assert (reached, None if reached else answer["status"]) == (code is None, code)


@pytest.mark.parametrize(
    ("path", "query", "location"),
    [
        ("/", f"token={TOKEN}", "/"),
        ("/runs", f"a=1&token={TOKEN}&a=2", "/runs?a=1&a=2"),
        ("//evil.example/x", f"token={TOKEN}", "/evil.example/x"),
        ("/a b\r\nx: y", f"token={TOKEN}", "/a%20b%0D%0Ax%3A%20y"),
        ("/graphql", f"token={TOKEN}", "/graphql"),
    ],
)
def test_the_address_gives_way_to_a_cookie_that_other_sites_do_not_send(path: str, query: str, location: str) -> None:
    reached, answer = asked(OWN, method="GET", path=path, query=query)
    headers = {name.decode(): value.decode() for name, value in answer["headers"]}
    assert (reached, answer["status"], headers["location"]) == (False, 303, location)
    assert headers["set-cookie"] == f"attrition_{PORT}={TOKEN}; HttpOnly; Path=/; SameSite=strict"
    assert TOKEN not in headers["location"]


def test_no_other_page_may_frame_it_or_learn_its_address() -> None:
    for headers in ((OWN, COOKIE), (OWN,)):
        _, answer = asked(*headers, **READ)
        found = {name.decode(): value.decode() for name, value in answer["headers"]}
        assert (found["x-frame-options"], found["referrer-policy"]) == ("DENY", "no-referrer")
        assert found["cross-origin-resource-policy"] == "same-origin"


def test_what_the_server_itself_says_is_handed_on() -> None:
    assert asked(type="lifespan")[0]
