"""One call to BottleCRM, and what its answer means: given, refused, to be tried again, or for somebody to mend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import requests

from features.errors import AttritionError
from pipelines.foundation.storage.error_words import unanswered
from pipelines.operations.delivery.connector import DestinationError, UnavailableError
from pipelines.operations.delivery.retry_after import retry_after

TOKEN = "ATTRITION_BOTTLECRM_TOKEN"  # noqa: S105 - the name of a variable
_LONGEST_WORDS = 300


class RefusedError(AttritionError):
    """BottleCRM does not take what was sent, as it is; the message is what it said, without what was sent."""


class _Bearer(requests.auth.AuthBase):
    """The token on every call, and on the calls to this address alone: ~/.netrc is not asked."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Api:
    """The API at `address`. destination: what messages call it. timeout_seconds: of one call."""

    def __init__(self, *, destination: str, address: str, token: str, timeout_seconds: float) -> None:
        if not token.isascii() or not token.isprintable() or " " in token:
            raise DestinationError(
                f'destination "{destination}": {TOKEN} holds characters that no token has; copy it again from '
                f"BottleCRM's page of API tokens"
            )
        self._name = destination
        self._root = address + "/api/"
        self._timeout = timeout_seconds
        self._session = requests.Session()
        self._session.auth = _Bearer(token)

    def get(self, path: str, **parameters: str | list[str]) -> dict[str, Any]:
        try:
            return self._call("GET", path, parameters=parameters, body=None)
        except RefusedError as error:
            raise DestinationError(f'destination "{self._name}" does not answer as BottleCRM does: {error}') from None

    def write(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Raises: RefusedError; UnavailableError, where it is not known whether it was written."""
        return self._call(method, path, parameters={}, body=body)

    def _call(
        self, method: str, path: str, *, parameters: Mapping[str, str | list[str]], body: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        try:
            answer = self._session.request(
                method,
                self._root + path,
                params=parameters,
                json=body,
                timeout=self._timeout,
                allow_redirects=False,
            )
        except requests.exceptions.SSLError:
            raise DestinationError(
                f'destination "{self._name}": the certificate of its address is not trusted; where it is of your own '
                f"authority, name its file in REQUESTS_CA_BUNDLE"
            ) from None
        except requests.exceptions.Timeout:
            raise UnavailableError(
                f'destination "{self._name}" did not answer within {self._timeout:g} seconds'
            ) from None
        except (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError):
            raise UnavailableError(f'destination "{self._name}" cannot be reached, or broke off') from None
        except requests.exceptions.RequestException as error:
            raise DestinationError(
                f'destination "{self._name}" cannot be called ({unanswered(error)}); look at its address'
            ) from None
        return self._meaning(answer)

    def _meaning(self, answer: requests.Response) -> dict[str, Any]:
        status, said = answer.status_code, _json(answer)
        if status in {401, 403}:
            raise DestinationError(
                f'destination "{self._name}": BottleCRM does not let this token do that ({status}{_after(said)}); '
                f"set {TOKEN} to a personal access token of an administrator, with the scopes contacts, tasks and "
                f"custom-fields, to read and to write"
            )
        if status in {408, 425, 429} or status >= 500:
            raise UnavailableError(
                f'destination "{self._name}" answered {status}', retry_after=retry_after(answer.headers)
            )
        if status in {400, 404, 409, 413, 422} and said is not None:
            raise RefusedError(f"BottleCRM answered {status}{_after(said)}")
        if not 200 <= status < 300 or said is None:
            raise DestinationError(
                f'destination "{self._name}": what answers ({status}) is no API of BottleCRM; its address is the one '
                f"under which /api/contacts/ answers, after all redirections"
            )
        return said


def _json(answer: requests.Response) -> dict[str, Any] | None:
    try:
        said = answer.json()
    except requests.exceptions.JSONDecodeError:
        return None
    return said if isinstance(said, dict) else None


def _after(said: Mapping[str, Any] | None) -> str:
    words = "; ".join(_sentences("", (said or {}).get("errors", (said or {}).get("detail"))))
    return f": {words[:_LONGEST_WORDS]}" if words else ""


def _sentences(name: str, said: Any) -> Iterator[str]:
    """Each complaint behind the field it is about: `custom_fields.attrition_churn_risk_band must be one of [...]`."""
    if isinstance(said, Mapping):
        for key, value in said.items():
            yield from _sentences(f"{name}.{key}" if name else str(key), value)
    elif isinstance(said, list):
        for value in said:
            yield from _sentences(name, value)
    elif isinstance(said, str):
        yield f"{name} {said}".strip()
