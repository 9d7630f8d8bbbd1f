"""Contacts of HubSpot, through its own client. Not run against a live tenant."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, Literal

from hubspot import Client  # type: ignore[import-untyped]

from pipelines.foundation.settings.delivered_fields import FIELDS
from pipelines.foundation.settings.destinations import HubSpot
from pipelines.operations.delivery.connector import (
    TAKEN,
    DestinationError,
    Outcome,
    Record,
    UnavailableError,
    UnsendableError,
    Value,
)
from pipelines.operations.delivery.hubspot.calls import NOT_FOUND, SCOPES, TOKEN, ask, blame, blamed, in_parts
from pipelines.operations.delivery.hubspot.properties import Properties
from pipelines.operations.delivery.hubspot.values import text_of, value_of


def connect(plan: HubSpot, *, language: Literal["en", "fr"]) -> Contacts:
    """Contacts as a destination; nothing is sent yet.

    Raises: DestinationError where the token is missing, or a name of a property cannot be.
    """
    token = os.environ.get(TOKEN, "").strip()
    if not token:
        raise DestinationError(
            f'destination "{plan.name}" needs {TOKEN}: the access token of a private app at HubSpot with the scopes '
            f"{', '.join(SCOPES)}"
        )
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise DestinationError(f"what {TOKEN} holds is no token of HubSpot's: it has spaces or signs that none has")
    # retry=False: how often and when to try again is the outbox's to say, which knows what HubSpot asked for.
    client = Client(access_token=token, retry=False, host=plan.address)
    return Contacts(plan, client, language=language)


class Contacts:
    """Contacts that are found by the unique property. Only our own properties of a contact are read or written.

    A contact is looked for first. Without `create` it is then written by HubSpot's own id, which makes nobody, even
    where it was deleted in between; with `create` by the unique property, which makes whoever is not there.
    """

    batch = 100

    def __init__(self, plan: HubSpot, client: Any, *, language: Literal["en", "fr"]) -> None:
        self._plan = plan
        self._contacts = client.crm.contacts.batch_api
        self._properties = Properties(plan, client, language=language)
        self._unknown = Outcome("refused", f"HubSpot knows no contact with this {plan.unique_property}")

    def setup(self) -> list[str]:
        return self._properties.make()

    def check(self) -> None:
        self._properties.check()

    def send(self, records: Sequence[Record]) -> list[Outcome]:
        outcomes: dict[str, Outcome] = {}
        texts: dict[str, dict[str, str]] = {}
        for record in records:
            try:
                texts[record.external_id] = self._texts(record)
            except UnsendableError as error:
                outcomes[record.external_id] = Outcome("refused", str(error))
        found = in_parts(self._look_up, list(texts))
        write = []
        for each, seen in found.items():
            if isinstance(seen, str) or (seen is self._unknown and self._plan.create):
                write.append(each)
            else:
                outcomes[each] = seen
        contact_ids = {each: seen for each, seen in found.items() if isinstance(seen, str)}
        outcomes |= in_parts(partial(self._write, texts, contact_ids), write)
        return [outcomes[record.external_id] for record in records]

    def read(self, external_ids: Sequence[str]) -> dict[str, dict[str, Value]]:
        asked = list(dict.fromkeys(external_ids))
        names = {name: self._plan.remote.remote(name) for name in FIELDS}
        values: dict[str, dict[str, Value]] = {}
        for start in range(0, len(asked), self.batch):
            some = asked[start : start + self.batch]
            answer, status = self._read(some, [*names.values()])
            for error in _errors(answer):
                if error.category != NOT_FOUND:
                    raise UnavailableError(blame(error).why)
            for contact in answer.results:
                texts = contact.properties or {}
                values[str(texts.get(self._plan.unique_property))] = {
                    name: value_of(texts.get(remote), FIELDS[name]) for name, remote in names.items()
                }
            unknown = self._blamed(answer, ids={each: each for each in some}, traces={})
            if status != HTTPStatus.OK and any(each not in values and each not in unknown for each in some):
                raise UnavailableError("HubSpot left some contacts out of its answer and did not say why")
        return {each: values[each] for each in asked if each in values}

    def _texts(self, record: Record) -> dict[str, str]:
        if not record.external_id.strip():
            raise UnsendableError("it has no external id, by which HubSpot could find it")
        return {self._plan.remote.remote(name): text_of(value, FIELDS[name]) for name, value in record.values.items()}

    def _read(self, ids: Sequence[str], properties: Sequence[str]) -> tuple[Any, int]:
        key = self._plan.unique_property
        body = {"idProperty": key, "properties": [key, *properties], "inputs": [{"id": each} for each in ids]}
        return ask(self._contacts.read_with_http_info, body, timeout_seconds=self._plan.timeout_seconds)

    def _blamed(self, answer: Any, *, ids: Mapping[str, str], traces: Mapping[str, str]) -> dict[str, Outcome]:
        return blamed(_errors(answer), ids=ids, traces=traces, unknown=self._unknown)

    def _look_up(self, ids: Sequence[str]) -> dict[str, str | Outcome]:
        """HubSpot's own id of each whom it knows."""
        answer, status = self._read(ids, [])
        contact_ids = {(each.properties or {}).get(self._plan.unique_property): each.id for each in answer.results}
        said = self._blamed(answer, ids={each: each for each in ids}, traces={})
        # HubSpot may find a text in other letters than were asked for; that contact is another customer's.
        strangers = {str(each).strip().casefold() for each in contact_ids.keys() - set(ids)}
        found: dict[str, str | Outcome] = {}
        for each in ids:
            if contact_ids.get(each):
                found[each] = contact_ids[each]
            elif each.strip().casefold() in strangers:
                found[each] = Outcome("refused", f"HubSpot has its {self._plan.unique_property} in other letters")
            elif status == HTTPStatus.OK:
                found[each] = self._unknown
            else:
                found[each] = said.get(each) or Outcome("later", "HubSpot did not say whether it knows it")
        return found

    def _write(
        self, texts: Mapping[str, Mapping[str, str]], contact_ids: Mapping[str, str], ids: Sequence[str]
    ) -> dict[str, Outcome]:
        key = self._plan.unique_property
        traces = {str(place): each for place, each in enumerate(ids)}
        if self._plan.create:
            call = self._contacts.upsert_with_http_info
            sent = {each: each for each in ids}
            inputs = [
                {"id": each, "idProperty": key, "properties": {key: each, **texts[each]}, "objectWriteTraceId": trace}
                for trace, each in traces.items()
            ]
        else:
            call = self._contacts.update_with_http_info
            sent = {contact_ids[each]: each for each in ids}
            inputs = [
                {"id": contact_ids[each], "properties": texts[each], "objectWriteTraceId": trace}
                for trace, each in traces.items()
            ]
        answer, _ = ask(call, {"inputs": inputs}, timeout_seconds=self._plan.timeout_seconds)
        ours = {contact_ids[each]: each for each in ids if each in contact_ids}
        taken = {
            traces.get(each.object_write_trace_id) or ours.get(each.id) or (each.properties or {}).get(key)
            for each in answer.results
        }
        said = self._blamed(answer, ids=sent, traces=traces)
        later = Outcome("later", "HubSpot did not say what became of it")
        return {each: said.get(each) or (TAKEN if each in taken else later) for each in ids}


def _errors(answer: Any) -> list[Any]:
    """Of a 207; the client reads a 200 as something that has none."""
    return getattr(answer, "errors", None) or []
