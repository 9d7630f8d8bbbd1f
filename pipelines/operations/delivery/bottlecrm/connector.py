"""Scores in the contacts of BottleCRM (django-crm), and a task for the owner of each customer at high risk.

Run against BottleCRM 1.35 itself, started on this machine (tests/bottlecrm); not against a live tenant. BottleCRM has
no call for several contacts: each is looked up, written and read back, 3 calls where it has changed and 1 where not.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.foundation.settings.delivered_fields import FIELDS
from pipelines.foundation.settings.destinations import BottleCrm
from pipelines.operations.delivery.bottlecrm.api import TOKEN, Api, RefusedError
from pipelines.operations.delivery.bottlecrm.fields import Definition, Language, definitions, differing, ours, unfit
from pipelines.operations.delivery.bottlecrm.tasks import Tasks, is_due, words
from pipelines.operations.delivery.connector import TAKEN, DestinationError, Outcome, Record, UnsendableError, Value
from pipelines.operations.delivery.values import normal

# A contact has a first and a last name. The last name of one that we make is the external id: nothing else is known.
_FIRST_NAME = {"en": "Customer", "fr": "Client"}

# How far the task of a contact is. It is written before the task is made, so that whatever breaks off, a task that may
# be there is known of; and it outlives the task, so that one which somebody deleted is not made again.
_PLANNED = "planned"
_MADE = "made "


def connect(plan: BottleCrm, *, language: Language) -> BottleCrmConnector:
    """Nothing is called yet. Raises: DestinationError without a token, or with an address or a token that is none."""
    token = os.environ.get(TOKEN, "").strip()
    if not token:
        raise DestinationError(
            f'destination "{plan.name}" needs a personal access token of BottleCRM (profile, API tokens); set {TOKEN}'
        )
    api = Api(destination=plan.name, address=plan.address, token=token, timeout_seconds=plan.timeout_seconds)
    return BottleCrmConnector(api, plan, language)


class BottleCrmConnector:
    """See `Connector`. batch: few, because what a killed process did last is looked at again."""

    batch = 20

    def __init__(self, api: Api, plan: BottleCrm, language: Language) -> None:
        self._api = api
        self._plan = plan
        self._language = language
        self._wanted = definitions(plan, language)
        self._tasks = Tasks(api, field=plan.task_field, language=language)

    def setup(self) -> list[str]:
        made = []
        there = self._there()
        self._refuse_unfit(there)
        for place, wanted in enumerate(self._wanted, start=1):
            if (wanted.target, wanted.key) not in there:
                try:
                    self._api.write("POST", "custom-fields/", wanted.body(self._language, place=place))
                except RefusedError as error:
                    raise DestinationError(f"the field {wanted.key} cannot be made: {error}") from None
                made.append(_called(wanted))
        self.check()
        return made

    def check(self) -> None:
        there = self._there()
        self._refuse_unfit(there)
        missing = [_called(wanted) for wanted in self._wanted if (wanted.target, wanted.key) not in there]
        if missing:
            raise DestinationError(
                f'destination "{self._plan.name}": BottleCRM has no custom field {", ".join(missing)}, and would drop '
                f"what is sent for it; set the destination up first"
            )
        self._api.get("contacts/", limit="1")
        self._api.get("tasks/", limit="1", slim="true")

    def send(self, records: Sequence[Record]) -> list[Outcome]:
        return [self._sent(record) for record in records]

    def read(self, external_ids: Sequence[str]) -> dict[str, dict[str, Value]]:
        found = ((external_id, self._contacts(external_id)) for external_id in external_ids)
        return {
            external_id: ours(contacts[0]["custom_fields"], self._plan) for external_id, contacts in found if contacts
        }

    def _there(self) -> dict[tuple[str, str], Mapping[str, Any]]:
        """What has been defined, by what has it and key."""
        found = self._api.get("custom-fields/", include_counts="false")["definitions"]
        return {(definition["target_model"], definition["key"]): definition for definition in found}

    def _refuse_unfit(self, there: Mapping[tuple[str, str], Mapping[str, Any]]) -> None:
        for wanted in self._wanted:
            definition = there.get((wanted.target, wanted.key))
            why = unfit(wanted, definition) if definition else ""
            if why:
                raise DestinationError(f'destination "{self._plan.name}": the field {_called(wanted)} {why}')

    def _contacts(self, external_id: str) -> list[dict[str, Any]]:
        """Looked up each time: whoever keeps a list of contacts misses what people change meanwhile."""
        if not external_id or "\0" in external_id:  # it lists everybody, or breaks
            return []
        parameters: dict[str, str | list[str]] = {f"cf_{self._plan.external_id_field}": external_id, "limit": "2"}
        found: list[dict[str, Any]] = self._api.get("contacts/", **parameters)["results"]
        return found

    def _sent(self, record: Record) -> Outcome:
        try:
            values = {name: normal(FIELDS[name], value) for name, value in record.values.items()}
        except UnsendableError as error:
            return Outcome("refused", str(error))
        try:
            contacts = self._contacts(record.external_id)
            if not contacts and self._plan.create and record.external_id:
                self._create(record.external_id)
                contacts = self._contacts(record.external_id)
            if len(contacts) != 1:
                return Outcome("refused", self._why_not_one(len(contacts)))
            return self._delivered(record.external_id, values, contacts[0])
        except RefusedError as error:
            return Outcome("refused", str(error))

    def _why_not_one(self, found: int) -> str:
        if found:
            return f"several contacts have this id in {self._plan.external_id_field}; leave it to one of them"
        return f"BottleCRM knows no contact with this id in {self._plan.external_id_field}, or hides it from this token"

    def _create(self, external_id: str) -> None:
        named = {"first_name": _FIRST_NAME[self._language], "last_name": external_id}
        self._api.write("POST", "contacts/", named | {"custom_fields": {self._plan.external_id_field: external_id}})

    def _delivered(self, external_id: str, values: Mapping[str, Value], contact: Mapping[str, Any]) -> Outcome:
        """The values, then the task where one is to be made; a task that is over is closed before the values say so."""
        custom = contact["custom_fields"]
        remote = {self._plan.remote.remote(name): value for name, value in values.items()}
        progress = str(custom.get(self._plan.task_field) or "")
        known = ours(custom, self._plan) | dict(values)
        if not is_due(known):
            if progress:
                self._tasks.close(external_id)
            return self._kept(external_id, remote | {self._plan.task_field: None}, contact)
        said = words(known, self._language)
        done = _MADE + said.mark
        outcome = self._kept(external_id, remote | {self._plan.task_field: progress or _PLANNED}, contact)
        if outcome != TAKEN or progress == done:
            return outcome
        if progress.startswith(_MADE):
            self._tasks.change(external_id, said)
        else:
            owners = [owner["id"] for owner in contact["assigned_to"] if owner["is_active"]]
            self._tasks.make(external_id, said, contact=contact["id"], owners=owners)
        self._write(contact["id"], {self._plan.task_field: done})
        return TAKEN

    def _kept(self, external_id: str, remote: Mapping[str, Value], contact: Mapping[str, Any]) -> Outcome:
        """Written where anything differs, and read back: BottleCRM says 200 to fields that it drops."""
        change = differing(remote, contact["custom_fields"])
        if not change:
            return TAKEN
        self._write(contact["id"], change)
        after = self._contacts(external_id)
        lost = sorted(differing(remote, after[0]["custom_fields"])) if after else ["everything"]
        if not lost:
            return TAKEN
        self.check()
        return Outcome("later", f"BottleCRM took it, and holds something else in {', '.join(lost)}: written meanwhile?")

    def _write(self, contact: str, change: Mapping[str, Value]) -> None:
        """Only what changes: BottleCRM keeps the fields that are not named, ours and everybody's."""
        self._api.write("PATCH", f"contacts/{contact}/", {"custom_fields": dict(change)})


def _called(wanted: Definition) -> str:
    return wanted.key if wanted.target == "Contact" else f"{wanted.key} of tasks"
