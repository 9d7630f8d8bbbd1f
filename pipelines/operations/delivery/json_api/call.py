"""One call to a system that speaks JSON, and what its answers mean. The token is never shown."""

from __future__ import annotations

import json
import os
import re
import time
import weakref
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests

from pipelines.foundation.settings.addresses import is_loopback
from pipelines.foundation.settings.destinations import Rest
from pipelines.foundation.storage.error_words import unanswered
from pipelines.operations.delivery.connector import DestinationError, UnavailableError
from pipelines.operations.delivery.json_api.place import found
from pipelines.operations.delivery.retry_after import retry_after

TOKEN = "ATTRITION_REST_TOKEN"  # noqa: S105 - the variable's name

_REFUSALS = {400, 404, 409, 413, 414, 422}  # it depends on what was sent, and somebody else's record may do
_PASSING = {408, 423, 425, 429}
_LONGEST = 32 * 2**20  # bytes of an answer
_WHERE_REASONS_ARE = ("message", "detail", "error", "error.message", "errors.0.detail", "errors.0.message", "errors.0")


@dataclass(frozen=True)
class Answer:
    """document: None where there is none. refused: what was sent will not do as it is."""

    status: int
    document: Any

    @property
    def refused(self) -> bool:
        return self.status >= 400


class Caller:
    """Raises: DestinationError where the token is missing."""

    def __init__(self, plan: Rest) -> None:
        self.plan = plan
        self._token = os.environ.get(TOKEN, "").strip()
        if not self._token and any("{token}" in content for content in plan.headers.values()):
            raise self._mistaken(f"there is no token; set {TOKEN}")
        if not re.fullmatch("[!-~]*", self._token):
            raise self._mistaken(f"{TOKEN} holds what no token holds; set it anew")
        self._session = requests.Session()
        self._session.headers.update({"Accept": "application/json", "Content-Type": "application/json"})
        self._session.headers.update(
            {name: text.replace("{token}", self._token) for name, text in plan.headers.items()}
        )
        self._session.auth = _as_it_is
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # A proxy for the whole network has no business in what one machine says to itself.
        self._session.trust_env = not is_loopback(urlsplit(plan.address).hostname or "")
        weakref.finalize(self, self._session.close)

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        """Raises: UnavailableError where it may do another time; DestinationError where somebody has to mend it."""
        data = None if body is None else json.dumps(body, allow_nan=False).encode()
        try:
            # Sent elsewhere, we would take the token along.
            with self._session.request(
                method,
                self.plan.address + path,
                data=data,
                timeout=self.plan.timeout_seconds,
                allow_redirects=False,
                stream=True,
            ) as response:
                content = self._content(response)
        except requests.RequestException as error:
            raise self._unavailable(f"no answer ({unanswered(error)})") from None
        status = response.status_code
        if status in _PASSING or status >= 500:
            raise self._unavailable(
                f"it answers {status}", retry_after=retry_after(response.headers, name=self.plan.wait_header)
            )
        if status in {401, 403}:
            what = "does not take the token" if status == 401 else "does not allow the token to do this"
            raise self._mistaken(f"it {what} ({status}, {method} {_plain(path)}); look at {TOKEN} and its rights")
        if not (200 <= status < 300 or status in _REFUSALS):
            raise self._mistaken(f"it answers {status} to {method} {_plain(path)}; look at address and path")
        try:
            document = json.loads(content) if content.strip() else None
        except ValueError:
            if status < 300:
                raise self._unavailable("its answer is no JSON") from None
            document = None
        return Answer(status, document)

    def reason(self, answer: Answer) -> str:
        """Why a system refuses, in its own words where it has any."""
        for place in _WHERE_REASONS_ARE:
            said = found(answer.document, place)
            if isinstance(said, str) and said:
                return self.clean(said)
        return f"it answers {answer.status}"

    def clean(self, said: object) -> str:
        """What a system said, on one line, not too long, and without the token."""
        text = " ".join(str(said).split())
        return (text.replace(self._token, "…") if self._token else text)[:200]

    def _content(self, response: requests.Response) -> bytes:
        """An answer that drips is not waited for longer than one call may take."""
        until = time.monotonic() + self.plan.timeout_seconds
        content = b""
        for part in response.iter_content(2**16):
            content += part
            if len(content) > _LONGEST or time.monotonic() > until:
                raise self._unavailable("its answer does not end")
        return content

    def _unavailable(self, said: str, *, retry_after: float | None = None) -> UnavailableError:
        return UnavailableError(f'destination "{self.plan.name}": {said}', retry_after=retry_after)

    def _mistaken(self, said: str) -> DestinationError:
        return DestinationError(f'destination "{self.plan.name}": {said}')


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Without this, an entry for the host in ~/.netrc would be sent instead of the token."""
    return request


def _plain(path: str) -> str:
    """A path without what may be a customer's id."""
    return path.partition("?")[0].rpartition("/")[0] + "/…"
