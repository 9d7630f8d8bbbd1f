"""Scores to any system that takes records as JSON: what the calls look like is in the settings (`rest_settings`).

Written from the public documentation of Klaviyo, Brevo and ShopiMind. Not run against a live tenant.
Times are sent in UTC, as `values.instant` writes them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote

from pipelines.foundation.settings.delivered_fields import FIELDS
from pipelines.foundation.settings.destinations import Rest
from pipelines.foundation.settings.json_calls import Errors
from pipelines.operations.delivery.connector import (
    TAKEN,
    DestinationError,
    Outcome,
    Record,
    UnavailableError,
    UnsendableError,
    Value,
)
from pipelines.operations.delivery.json_api.call import Answer, Caller
from pipelines.operations.delivery.json_api.job import finished
from pipelines.operations.delivery.json_api.place import found, listed, placed
from pipelines.operations.delivery.values import normal, remote_value, writable

_NOBODY = "attrition-check"
_UNKNOWN = "the system does not know this customer"


def connect(plan: Rest, *, language: Literal["en", "fr"]) -> RestSystem:
    """Raises: DestinationError where the token is missing."""
    return RestSystem(plan, language=language)


class RestSystem:
    """pause: how time is let pass between two questions after a job."""

    def __init__(
        self, plan: Rest, *, language: Literal["en", "fr"], pause: Callable[[float], None] = time.sleep
    ) -> None:
        self.plan = plan
        self.language = language
        self.pause = pause
        self.caller = Caller(plan)
        self.one_a_call = "{id}" in plan.write.path
        self.batch = 1 if self.one_a_call else plan.batch
        # Of a send that broke off, until one ends: where a batch takes many calls, one of them may fail every time.
        self._asked: dict[str, Any] = {}
        self._settled: dict[str, tuple[Any, Outcome]] = {}

    def setup(self) -> list[str]:
        """Nothing is made: how fields are made differs from system to system. What to make by hand is raised."""
        if self.plan.fields is None:
            raise self._mistaken(
                f'it cannot be asked which fields it has; make these by hand, then say fields = "given": '
                f"{self._described(list(self.plan.remote.all()))}"
            )
        self._fields()
        return []

    def check(self) -> None:
        """Without `read` and a list of fields nothing can be asked that does not write, and nothing is."""
        self._fields()
        if self.plan.read is not None:
            answer = self.caller.call("GET", self._path(self.plan.read.path, [_NOBODY]))
            if answer.refused and answer.status != 404:
                raise self._mistaken(f"it does not take read.path ({self.caller.reason(answer)}); look at the settings")

    def send(self, records: Sequence[Record]) -> list[Outcome]:
        outcomes: dict[str, Outcome] = {}
        ready: dict[str, Any] = {}
        for record in records:
            try:
                ready[record.external_id] = self._document(record)
            except UnsendableError as error:
                outcomes[record.external_id] = Outcome("refused", str(error))
        settled = {who: outcome for who, (document, outcome) in self._settled.items() if ready.get(who) == document}
        outcomes.update(settled)
        try:
            self._deliver({who: document for who, document in ready.items() if who not in settled}, outcomes)
        except UnavailableError:
            self._settled = {who: (ready[who], outcomes[who]) for who in ready if who in outcomes}
            raise
        self._settled, self._asked = {}, {}
        return [outcomes[record.external_id] for record in records]

    def read(self, external_ids: Sequence[str]) -> dict[str, dict[str, Value]]:
        if self.plan.read is None:
            raise self._mistaken("nothing says how it is read; give read in the settings")
        names = {field.name: remote for remote, field in self.plan.remote.all().items()}
        asked: dict[str, Any] = {}
        self._ask(external_ids, asked)
        result = {}
        for who, document in asked.items():
            if document is None:
                continue
            fields = found(document, self.plan.fields_at)
            values = fields if isinstance(fields, dict) else {}
            result[who] = {name: remote_value(FIELDS[name], values.get(remote)) for name, remote in names.items()}
        return result

    def _document(self, record: Record) -> Any:
        who = record.external_id
        if not who or not writable(who) or who in {".", ".."}:
            raise UnsendableError("the external id is empty, or cannot stand in an address")
        unknown = [name for name in record.values if name not in FIELDS]
        if unknown:
            raise UnsendableError(f"there is no field {unknown[0]}")
        empty = None if self.plan.empty_as == "null" else ""
        normals = {name: normal(FIELDS[name], value) for name, value in record.values.items()}
        fields = {self.plan.remote.remote(name): empty if value is None else value for name, value in normals.items()}
        document = placed(self.plan.record, self.plan.fields_at, fields)
        return placed(document, self.plan.id_at, who) if self.plan.id_at else document

    def _deliver(self, ready: dict[str, Any], outcomes: dict[str, Outcome]) -> None:
        """Write records; whom the system does not know is refused, and never part of a call that would create it."""
        if not self.plan.create and self.plan.write.creates:
            self._ask([who for who in ready if who not in self._asked], self._asked)
            outcomes.update({who: Outcome("refused", _UNKNOWN) for who in ready if self._asked.get(who) is None})
            ready = {who: document for who, document in ready.items() if self._asked.get(who) is not None}
        for start in range(0, len(ready), self.batch):
            self._write(dict(list(ready.items())[start : start + self.batch]), outcomes)

    def _write(self, rows: dict[str, Any], outcomes: dict[str, Outcome]) -> None:
        """Write records in one call. Whom the answer blames is refused; where it blames nobody, halves are written."""
        if not rows:
            return
        write = self.plan.write
        documents = list(rows.values())
        body = documents[0] if self.one_a_call else placed(write.envelope, write.list_at, documents)
        answer = self.caller.call(write.method, self._path(write.path, list(rows)), body)
        if answer.status == 404 and write.creates:
            raise self._mistaken("there is nothing at write.path (404); look at the settings")
        blamed, unclear = self._blamed(answer, rows)
        outcomes.update({who: Outcome("refused", why) for who, why in blamed.items()})
        rest = {who: document for who, document in rows.items() if who not in blamed}
        if not answer.refused and not unclear:
            outcomes.update(dict.fromkeys(rest, TAKEN))
        elif blamed and not unclear:
            self._write(rest, outcomes)
        elif len(rows) == 1:
            outcomes.update(dict.fromkeys(rest, Outcome("refused", unclear[0])))
        else:
            half = (len(rest) + 1) // 2
            self._write(dict(list(rest.items())[:half]), outcomes)
            self._write(dict(list(rest.items())[half:]), outcomes)

    def _blamed(self, answer: Answer, rows: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
        """Whom an answer refuses and why, and reasons that name nobody whom we sent."""
        if answer.status == 404 and self.one_a_call:
            return {}, [_UNKNOWN]
        if answer.refused or self.plan.job is None:
            blamed, unclear = self._errors(answer.document, self.plan.write.errors, rows)
            nameless = answer.refused and not blamed and not unclear
            return blamed, [self.caller.reason(answer)] if nameless else unclear
        state, errors = finished(self.caller, self.plan.job, answer, pause=self.pause)
        blamed, unclear = self._errors(errors, self.plan.job.errors, rows)
        failed = found(state, self.plan.job.failed_at) if self.plan.job.failed_at else 0
        more = isinstance(failed, int) and failed > len(blamed)
        return blamed, unclear or (["the job failed for it, and does not say why"] if more else [])

    def _errors(
        self, document: Any, errors: Errors | None, rows: Mapping[str, Any]
    ) -> tuple[dict[str, str], list[str]]:
        blamed: dict[str, str] = {}
        unclear: list[str] = []
        if errors is None:
            return blamed, unclear
        for each in listed(document, errors.at):
            who = str(found(each, errors.id_at))
            why = self.caller.clean(found(each, errors.why_at) or "the system refuses it")
            if who in rows:
                blamed[who] = why
            else:
                unclear.append(why)
        return blamed, unclear

    def _ask(self, external_ids: Sequence[str], asked: dict[str, Any]) -> None:
        """Note what the system says of customers, one by one: None of those whom it does not know."""
        read = self.plan.read
        askable = [each for each in external_ids if writable(each) and each not in {"", ".", ".."}]
        if read is None or not askable:
            return
        size = self.plan.batch if "{ids}" in read.path else 1
        if len(askable) > size:
            for start in range(0, len(askable), size):
                self._ask(askable[start : start + size], asked)
            return
        answer = self.caller.call("GET", self._path(read.path, askable))
        if answer.refused and len(askable) > 1 and answer.status != 404:
            half = len(askable) // 2
            self._ask(askable[:half], asked)
            self._ask(askable[half:], asked)
            return
        asked.update(dict.fromkeys(askable))
        for document in [] if answer.refused else listed(answer.document, read.at):
            said = found(document, self.plan.id_at) if self.plan.id_at else None
            # A record that was asked for by its id alone need not repeat it.
            who = askable[0] if said is None and "{id}" in read.path else str(said)
            if who in askable:
                asked[who] = document

    def _path(self, path: str, external_ids: Sequence[str]) -> str:
        listing = ",".join(quote(json.dumps(each, ensure_ascii=False), safe="") for each in external_ids)
        return path.replace("{ids}", listing).replace("{id}", quote(external_ids[0], safe=""))

    def _fields(self) -> None:
        """Raises: DestinationError where the system lists its fields, and ours are not all among them."""
        if self.plan.fields is None or self.plan.fields == "given":
            return
        answer = self.caller.call("GET", self.plan.fields.path)
        if answer.refused:
            raise self._mistaken(f"it does not take fields.path ({self.caller.reason(answer)}); look at the settings")
        there = {found(each, self.plan.fields.name_at) for each in listed(answer.document, self.plan.fields.at)}
        missing = [remote for remote in self.plan.remote.all() if remote not in there]
        if missing:
            raise self._mistaken(f"it lacks fields; make these there by hand: {self._described(missing)}")

    def _described(self, names: Sequence[str]) -> str:
        fields = self.plan.remote.all()
        labels = {name: fields[name].fr if self.language == "fr" else fields[name].en for name in names}
        return ", ".join(f'{name} ({fields[name].kind}: "{labels[name]}")' for name in names)

    def _mistaken(self, said: str) -> DestinationError:
        return DestinationError(f'destination "{self.plan.name}": {said}')
