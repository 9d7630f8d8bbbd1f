"""Calls of an API by dlt's REST client, tried again where that may help. What a server says is shown to nobody.

Of dlt only the client, its pages and its retries: its pipelines keep state, schemas and packages of what was loaded in
folders of their own, beside the workspace and unknown to `attrition erase`, and send telemetry. Nothing of that runs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from features.errors import DataError, SettingsError
from pipelines.data.fetching.api import RefusedError
from pipelines.foundation.settings.fetches import Fetch
from pipelines.foundation.storage.error_words import unanswered

if TYPE_CHECKING:
    from dlt.sources.helpers.rest_client.client import RESTClient
    from dlt.sources.helpers.rest_client.paginators import BasePaginator
    from requests import Response

_LONGEST_WAIT = 300.0  # seconds, whatever the server asks for
_OK, _KEY_REFUSED, _NOT_ALLOWED, _CONFLICT, _TOO_MANY, _THEIRS = 200, 401, 403, 409, 429, 500
Say = Callable[[str], None]


def key_of(variable: str, *, system: str) -> str:
    """A key from the environment. Raises: SettingsError where there is none, or it can be no key."""
    key = os.environ.get(variable, "").strip()
    if not key:
        raise SettingsError(f"{variable} is not set; put the key of {system} into this environment variable")
    if not re.fullmatch(r"[!-~]+", key):
        raise SettingsError(f"{variable} holds spaces, or letters that no key has; copy the key of {system} anew")
    return key


@dataclass(frozen=True)
class Calls:
    """Lists of one API. headers: beside the key. variable: where the key comes from, for messages.

    wanted: what a header of an answer says on whether to try again (true or false); None: the status decides.
    """

    system: str
    address: str
    variable: str
    key: str
    headers: Mapping[str, str]
    settings: Fetch
    say: Say
    wanted: str | None = None

    def pages(
        self, path: str, params: Mapping[str, Any], *, what: str, paginator: BasePaginator
    ) -> Iterator[list[dict[str, Any]]]:
        """The pages of a list. what: what messages call it.

        Raises: SettingsError where the key is refused; RefusedError, DataError where the list cannot be had.
        """
        import requests

        seen: list[int] = []

        def look(response: Response, *_: Any, **__: Any) -> None:
            seen.append(response.status_code)
            if response.status_code != _OK:
                response.close()  # what it says is not read
                raise requests.HTTPError(response=response)

        try:
            yield from self._client.paginate(
                path,
                params=dict(params),
                paginator=paginator,
                data_selector="data",
                hooks={"response": [look]},
                allow_redirects=False,
            )
        except requests.HTTPError:
            raise self._refused(seen[-1], what) from None
        except requests.JSONDecodeError:
            raise DataError(
                f"{self.system} answered with no JSON where {what} were asked for; try again later"
            ) from None
        except requests.RequestException as error:
            raise DataError(
                f"{self.system} gave no {what}: {unanswered(error)}, {self._tried}; see whether {self.address} can be "
                "reached from here, and run the same command again: what came is kept until the end of the day"
            ) from None

    @property
    def _tried(self) -> str:
        times = self.settings.attempts
        return "tried once" if times == 1 else f"tried {times} times"

    def close(self) -> None:
        if "_client" in self.__dict__:
            self._client.session.close()

    @cached_property
    def _client(self) -> RESTClient:
        from dlt.common.configuration.specs import RuntimeConfiguration
        from dlt.sources.helpers.requests import Client
        from dlt.sources.helpers.rest_client.auth import BearerTokenAuth
        from dlt.sources.helpers.rest_client.client import RESTClient

        settings = self.settings
        patient = Client(
            request_timeout=settings.timeout_seconds,
            raise_for_status=False,
            status_codes=(),  # `_again` decides
            retry_condition=lambda answer, _: self._again(answer),
            request_max_attempts=settings.attempts,
            request_backoff_factor=settings.pause_seconds,
            request_max_retry_delay=_LONGEST_WAIT,
        )
        return RESTClient(
            base_url=self.address,
            headers=dict(self.headers),
            auth=BearerTokenAuth(token=self.key),
            session=patient.session,
            config=RuntimeConfiguration(),  # as it is: none from files that lie around
        )

    def _again(self, answer: Response | None) -> bool:
        """Whether an answer is worth a second try. That none came always is: dlt sees to it."""
        if answer is None or answer.status_code == _OK:
            return False
        told = answer.headers.get(self.wanted or "", "").lower()
        status = answer.status_code
        again = told == "true" or (told != "false" and (status in {_CONFLICT, _TOO_MANY} or status >= _THEIRS))
        if again:
            self.say(f"{self.system} has nothing for us just now (HTTP {status}); waiting")
        return again

    def _refused(self, status: int, what: str) -> DataError | SettingsError:
        if status == _KEY_REFUSED:
            return SettingsError(
                f"{self.system} does not take the key in {self.variable}; see whether it was copied whole, is of this "
                "account and was not revoked"
            )
        if status == _NOT_ALLOWED:
            return SettingsError(f"the key in {self.variable} may not read {what}; give it leave to read them")
        if status == _TOO_MANY or status >= _THEIRS:
            return DataError(
                f"{self.system} gave no {what} (HTTP {status}), {self._tried}; run the same command again later: what "
                "came is kept until the end of the day"
            )
        return RefusedError(
            f"{self.system} refused to list {what} (HTTP {status}); see whether {self.address} is its API",
            status,
        )
