"""What stands before a page of this machine: only who was given its address gets in, and only from the page itself.

Dagster and MLflow ask nobody who they are. A page of anybody's, open in a browser on this machine, could otherwise
start runs or move a champion: an image's address, or a form's, is enough. Browsers say of each request which page it
comes from; what they do not say, the token does.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from urllib.parse import quote, urlencode

from starlette.datastructures import MutableHeaders, QueryParams
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN = "token"  # noqa: S105 - the name of a parameter
IN_ENVIRONMENT = "ATTRITION_PAGE_TOKEN"  # for the page alone: everybody on the machine can read arguments
HOSTS = ("127.0.0.1", "localhost", "[::1]")
_READS = ("GET", "HEAD")
_OWN_SITE = ("same-origin", "none")  # none: typed, or from a bookmark
_REFUSED = 1008  # a web socket's code for a policy that was broken
_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Guard:
    """An ASGI application before another one, on a port of this machine.

    Let through is what (1) asks this machine by its own name and port, (2) comes from no foreign page, as `Origin` and
    `Sec-Fetch-Site` tell, (3) brings the token: in the address, which then gives way to a cookie, in that cookie, or as
    `Authorization: Bearer`, and (4) asks by a method that may.

    command: what printed the address. methods: why a request may not be asked so (status, words), or None.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        token: str,
        port: int,
        command: str,
        methods: Callable[[HTTPConnection], tuple[int, str] | None],
    ) -> None:
        self.app, self.token, self.command, self.methods = app, token, command, methods
        self.hosts = frozenset(f"{host}:{port}" for host in HOSTS)
        self.cookie = f"attrition_{port}"  # ports of one machine share their cookies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse, or hand on; what is neither HTTP nor a web socket comes from the server itself."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        asked = HTTPConnection(scope)
        refusal = self.refusal(asked)
        if refusal is None and scope["type"] == "http" and self._is_by_address(asked):
            refusal = self._with_cookie(asked)
        if refusal is None:
            await self.app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _REFUSED, "reason": ""})
        else:
            await refusal(scope, receive, _with_headers(send))

    def refusal(self, asked: HTTPConnection) -> Response | None:
        """What a request that is not let through is told; None for one that is."""
        host = asked.headers.getlist("host")
        if len(host) != 1 or host[0].lower() not in self.hosts:
            return _no(421, "This page is asked for by another name than its own.")
        if self._is_foreign(asked, host[0].lower()):
            return _no(403, "This comes from another page than this one.")
        if not self._has_token(asked):
            return _no(403, f"Open the address that `{self.command}` printed: the token in it lets you in.")
        wrong = self.methods(asked) if asked.scope["type"] == "http" else None
        return None if wrong is None else _no(*wrong)

    def _is_foreign(self, asked: HTTPConnection, host: str) -> bool:
        origins, sites = asked.headers.getlist("origin"), asked.headers.getlist("sec-fetch-site")
        if any(origin.lower() != f"http://{host}" for origin in origins) or any(
            site not in _OWN_SITE for site in sites
        ):
            return True
        # Every browser says where a web socket or a change comes from; who says nothing is none, and needs no cookie.
        by_cookie = self._is(asked.cookies.get(self.cookie))
        return by_cookie and not origins and asked.scope.get("method", "") not in _READS

    def _has_token(self, asked: HTTPConnection) -> bool:
        scheme, _, bearer = asked.headers.get("authorization", "").partition(" ")
        given = (asked.cookies.get(self.cookie), asked.query_params.get(TOKEN), bearer)
        return any(self._is(each) for each in given[: 3 if scheme.lower() == "bearer" else 2])

    def _is(self, given: str | None) -> bool:
        return given is not None and hmac.compare_digest(given.encode(), self.token.encode())

    def _is_by_address(self, asked: HTTPConnection) -> bool:
        return asked.scope["method"] in _READS and self._is(asked.query_params.get(TOKEN))

    def _with_cookie(self, asked: HTTPConnection) -> Response:
        """The same address without the token, so that it is neither shown, nor kept in the history."""
        left = [(name, value) for name, value in QueryParams(asked.url.query).multi_items() if name != TOKEN]
        path = "/" + asked.scope["path"].lstrip("/")  # "//other.example" would be another machine's
        answer = RedirectResponse(quote(path) + (f"?{urlencode(left)}" if left else ""), status_code=303)
        answer.set_cookie(self.cookie, self.token, httponly=True, samesite="strict", path="/")
        return answer


def graphql_alone(asked: HTTPConnection) -> tuple[int, str] | None:
    """Of Dagster's page: reading by GET, everything else as JSON by POST to /graphql."""
    method, path = asked.scope["method"], asked.scope["path"]
    if method in _READS:
        # Dagster runs a query that stands in an address, and would run a change that does.
        if path.rstrip("/").endswith("/graphql") and (method, asked.query_params.get("query")) != ("GET", None):
            return 405, "Ask by POST, as JSON."
        return None
    if method != "POST" or path != "/graphql":
        return 405, "Only /graphql takes anything, and only by POST."
    return None if _is_json(asked) else (415, "Ask as application/json.")


def json_alone(asked: HTTPConnection) -> tuple[int, str] | None:
    """Of MLflow's page: reading by GET, changes as JSON; programs, which say the token each time, send files, too."""
    method = asked.scope["method"]
    if method in _READS:
        return None
    if method not in ("POST", "PUT", "PATCH", "DELETE"):
        return 405, "This is not asked for so."
    by_program = "authorization" in asked.headers
    return None if by_program or _is_json(asked) else (415, "Ask as application/json.")


def _is_json(asked: HTTPConnection) -> bool:
    return asked.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


def _no(status: int, why: str) -> Response:
    return PlainTextResponse(f"{why}\n", status_code=status)


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            for name, value in _HEADERS.items():
                headers[name] = value
        await send(message)

    return sending
