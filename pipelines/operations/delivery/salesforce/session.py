"""Calls to Salesforce: logging in, and what an answer other than the one asked for means."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from typing import Any, TypeVar

import requests
from simple_salesforce.api import Salesforce as Client
from simple_salesforce.login import token_login

from features.errors import AttritionError
from pipelines.foundation.settings.destinations import Salesforce
from pipelines.foundation.storage.error_words import unanswered
from pipelines.operations.delivery.connector import DestinationError, UnavailableError
from pipelines.operations.delivery.retry_after import retry_after
from pipelines.operations.delivery.salesforce.errors import PASSING, known_code

TOKEN = "ATTRITION_SALESFORCE_TOKEN"  # noqa: S105 - the name of a variable
CLIENT_ID = "ATTRITION_SALESFORCE_CLIENT_ID"
CLIENT_SECRET = "ATTRITION_SALESFORCE_CLIENT_SECRET"  # noqa: S105 - the name of a variable

VERSION = "59.0"

# A day's calls are counted over the last 24 hours, so some are free again within the hour; too many at once pass soon.
_DAY_IS_FULL_SECONDS = 3600.0
_TOO_MANY_AT_ONCE_SECONDS = 60.0

_ATTEMPTS = 6
_LONGEST_WAIT_SECONDS = 30.0

_Answer = TypeVar("_Answer")


class ExpiredError(AttritionError):
    """The access token does not do, or no longer."""


class CallRefusedError(DestinationError):
    """Salesforce understood a call and will not do it. code: its own, such as "INVALID_FIELD"."""

    def __init__(self, said: str, *, code: str) -> None:
        super().__init__(said)
        self.code = code


class _Session(requests.Session):
    """Turns every answer that is no success into an error of ours, before the client makes one that quotes it."""

    def __init__(self, *, name: str, timeout_seconds: float) -> None:
        super().__init__()
        self._name = name
        self._timeout = timeout_seconds
        self.auth = lambda call: call  # otherwise a ~/.netrc replaces the token

    def request(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
        # Redirects are not followed: the token is for one address.
        options = {"timeout": self._timeout, "allow_redirects": False} | options
        try:
            response = super().request(method, url, *args, **options)
        except requests.RequestException as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise DestinationError(
                    f'destination "{self._name}": the certificate of its address is not trusted; where a proxy signs '
                    "for it, name the proxy's certificate in REQUESTS_CA_BUNDLE"
                ) from None
            raise UnavailableError(
                f'destination "{self._name}": a call came to nothing ({unanswered(error)})'
            ) from None
        if response.status_code >= 300:
            raise _meaning(response, self._name)
        if response.headers.get("Content-Type", "").startswith("text/csv"):
            response.encoding = "utf-8"  # otherwise a text without its encoding is taken for Latin-1
        return response


def _meaning(response: requests.Response, name: str) -> AttritionError:
    code, said = _error(response)
    status = response.status_code
    what = f'destination "{name}": Salesforce answered {status} ({code})'
    if status == 401:
        return ExpiredError(what)
    if status in {408, 429} or status >= 500 or code in PASSING:
        wait = retry_after(response.headers)
        if wait is None and code == "REQUEST_LIMIT_EXCEEDED":
            wait = _TOO_MANY_AT_ONCE_SECONDS if "concurrent" in said.lower() else _DAY_IS_FULL_SECONDS
        return UnavailableError(what, retry_after=wait)
    if status < 400:
        return CallRefusedError(f"{what}: it sends calls elsewhere; set address to the My Domain address", code=code)
    return CallRefusedError(what, code=code)


def _error(response: requests.Response) -> tuple[str, str]:
    """Code and sentence of an answer; the sentence is only looked at, never passed on."""
    try:
        answer = response.json()
    except ValueError:
        return "no code", ""
    first = answer[0] if isinstance(answer, list) and answer else answer
    if not isinstance(first, dict):
        return "no code", ""
    return known_code(first.get("errorCode", first.get("error"))), str(first.get("message", ""))


class Org:
    """The organisation that a plan names, seen by one user, who logs in with the first call.

    sleep: waits some seconds.
    Raises: DestinationError where the secrets are not there.
    """

    def __init__(self, plan: Salesforce, *, sleep: Callable[[float], None]) -> None:
        self._plan = plan
        self.sleep = sleep
        self._session = _Session(name=plan.name, timeout_seconds=plan.timeout_seconds)
        self._application = os.environ.get(CLIENT_ID, ""), os.environ.get(CLIENT_SECRET, "")
        self._token = os.environ.get(TOKEN, "")
        self._client: Client | None = None
        if not self._token and not all(self._application):
            raise DestinationError(
                f'destination "{plan.name}" needs a secret: set {CLIENT_ID} and {CLIENT_SECRET} in the environment, '
                f"or {TOKEN}, which holds for some hours only"
            )

    @property
    def name(self) -> str:
        """What the destination is called in messages."""
        return f'destination "{self._plan.name}"'

    def tell(self, call: Callable[[Client], _Answer]) -> _Answer:
        """What a call gives; it is made once. Raises: UnavailableError, CallRefusedError, DestinationError."""
        try:
            return self._made(call)
        except ExpiredError:
            if not all(self._application):
                raise DestinationError(
                    f'destination "{self._plan.name}": Salesforce does not accept the token, which may have run out; '
                    f"set {TOKEN} anew, or {CLIENT_ID} and {CLIENT_SECRET}, with which a new one is fetched each time"
                ) from None
            self._client = None
        try:
            return self._made(call)
        except ExpiredError:
            raise self._unknown_application() from None

    def ask(self, call: Callable[[Client], _Answer]) -> _Answer:
        """The same for a call that may be made again without harm: it is, a few times, where it fails for a while."""
        for attempt in range(_ATTEMPTS - 1):
            try:
                return self.tell(call)
            except UnavailableError as error:
                wait = 0.5 * 2**attempt if error.retry_after is None else error.retry_after
                if wait > _LONGEST_WAIT_SECONDS:
                    raise
                self.sleep(wait)
        return self.tell(call)

    def _made(self, call: Callable[[Client], _Answer]) -> _Answer:
        if self._client is None:
            self._client = self._log_in()
        try:
            return call(self._client)
        except requests.RequestException:  # what was answered is no JSON: a page that says "maintenance"
            raise UnavailableError(f'destination "{self._plan.name}": an answer cannot be read') from None

    def _log_in(self) -> Client:
        """A client for the token, or for one that the application gets; a token that was set is left aside then."""
        token, address = self._token, self._plan.address
        if all(self._application):
            secret = base64.b64encode(":".join(self._application).encode()).decode()
            asked = {"Authorization": f"Basic {secret}"}
            grant = {"grant_type": "client_credentials"}
            place = f"{address}/services/oauth2/token"
            try:
                token, host = token_login(place, grant, "", "", asked, None, self._session)
            except (CallRefusedError, ExpiredError):
                raise self._unknown_application() from None
            except (requests.RequestException, AttributeError, TypeError):
                raise UnavailableError(
                    f'destination "{self._plan.name}": the answer to logging in cannot be read'
                ) from None
            address = f"https://{host}"
        return Client(session_id=token, instance_url=address, version=VERSION, session=self._session)

    def _unknown_application(self) -> DestinationError:
        return DestinationError(
            f'destination "{self._plan.name}": Salesforce gives no token for {CLIENT_ID} and {CLIENT_SECRET}; see that '
            "both are right, that the application allows the client credentials flow, and that a user runs it"
        )
