"""HubSpot's contacts and properties on this machine, as its public documentation describes them, with faults.

Written from the reference of api.hubapi.com (objects v3: batch read, update and upsert; properties v3; error handling;
usage guidelines) and reached through HubSpot's own client. What the documentation leaves open is taken the hard way:
one bad record refuses its whole batch, and what an answer of 207 leaves out is neither done nor explained.

    with FakeHubSpot(contacts=["A-17"], faults=Faults(share=0.3, seed=7)) as hubspot:
        ...  # hubspot.address, .contacts, .requests, .created

Or beside another process: python -m tests.pipelines.operations.delivery.hubspot.fake_hubspot --contacts 1000
--share 0.3 --seed 7 prints its address, serves until its input ends, and prints what it holds then as JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from typing import Any, Self

from tests.pipelines.operations.delivery.hubspot.fake_hubspot_http import (
    KINDS,
    Answer,
    Faults,
    Handler,
    batch,
    definition,
    error,
    invalid,
    item,
    kept,
    wrong_batch,
)

__all__ = ["KINDS", "TOKEN", "FakeHubSpot", "Faults"]

TOKEN = "pat-eu1-0badc0de-not-a-real-token"


@dataclass
class FakeHubSpot:
    """contacts: by external id, the properties that are not empty; at the start, those who are there with none.

    requests: how often each call was made, failed ones too. created: external ids of contacts made by calls.
    broken: external ids whose writing fails alone, in a 207, for the reason given. daily: the day's limit is used up.
    scopes: what the token may do.
    """

    contacts: Any = ()
    faults: Faults | None = None
    unique: str | None = "attrition_external_id"
    token: str = TOKEN
    requests: Counter[str] = field(default_factory=Counter)
    met: Counter[str] = field(default_factory=Counter)
    created: list[str] = field(default_factory=list)
    properties: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    scopes: frozenset[str] = frozenset({"read", "write", "schemas"})
    daily: bool = False

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self._numbers = 0
        self.by_record: dict[str, str] = {}
        self.records: dict[str, str] = {}
        self._script: list[str | None] = []
        self.fail(self.faults)
        for name in ("email", "firstname"):
            self.properties[name] = definition(name=name, type="string", fieldType="text", hubspotDefined=True)
        if self.unique is not None:
            self.properties[self.unique] = definition(
                name=self.unique, type="string", fieldType="text", hasUniqueValue=True
            )
        start: Iterable[str] = self.contacts
        self.contacts = {}
        for external_id in start:
            self._add(external_id)

    def __enter__(self) -> Self:
        self.server = _Server(self)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()
        self.server.hang_up()

    def fail(self, faults: Faults | None = None, *, script: Iterable[str | None] = ()) -> None:
        """From now on. script: what happens to the next calls one by one; chance has a say only after them."""
        with self.lock:
            self.faults = faults
            self._script = list(script)
            self._random = random.Random(faults.seed if faults else 0)

    def delete(self, external_id: str) -> None:
        """Somebody deletes the contact at HubSpot."""
        with self.lock:
            del self.contacts[external_id]
            del self.by_record[self.records.pop(external_id)]

    def fault(self) -> str | None:
        """What happens to the next call."""
        with self.lock:
            kind = None
            if self._script:
                kind = self._script.pop(0)
            elif self.faults is not None and self._random.random() < self.faults.share:
                kind = self._random.choice(self.faults.kinds)
            if kind is not None:
                self.met[kind] += 1
            return kind

    def answer(self, method: str, path: str, body: dict[str, Any], *, partly: bool) -> Answer:
        calls = {
            ("POST", "/crm/v3/objects/contacts/batch/read"): ("read", self._read),
            ("POST", "/crm/v3/objects/contacts/batch/update"): ("write", self._update),
            ("POST", "/crm/v3/objects/contacts/batch/upsert"): ("write", self._upsert),
            ("GET", "/crm/v3/properties/contacts"): ("read", self._listed),
            ("POST", "/crm/v3/properties/contacts/batch/create"): ("schemas", self._make),
            ("GET", "/crm/v3/properties/contacts/groups"): ("read", self._grouped),
            ("POST", "/crm/v3/properties/contacts/groups"): ("schemas", self._group),
        }
        if (method, path) not in calls:
            return error(404, "OBJECT_NOT_FOUND", "resource not found")
        scope, call = calls[method, path]
        if scope not in self.scopes:
            return error(403, "MISSING_SCOPES", "This app hasn't been granted all required scopes to make this call.")
        with self.lock:
            skipped = frozenset(self._drawn(body)) if partly else frozenset()
            return call(body, skipped)

    def _drawn(self, body: dict[str, Any]) -> list[int]:
        places = range(len(body.get("inputs") or ()))
        return [place for place in places if self._random.random() < 0.5]  # about half of them

    def _add(self, external_id: str) -> str:
        self._numbers += 1
        record = str(self._numbers)
        self.records[external_id] = record
        self.by_record[record] = external_id
        self.contacts[external_id] = {}
        return record

    def _read(self, body: dict[str, Any], skipped: frozenset[int]) -> Answer:
        wrong = wrong_batch(body) or self._wrong_key(body.get("idProperty"))
        if wrong:
            return wrong
        results, absent, failed = [], [], []
        for place, each in enumerate(body["inputs"]):
            external_id = each["id"]
            if place in skipped:
                failed += [external_id] if place % 2 else []
            elif external_id in self.contacts:
                results.append(self._shown(external_id, body["properties"]))
            else:
                absent.append(external_id)
        errors = [item("OBJECT_NOT_FOUND", "Could not get some CONTACT objects", ids=absent)] if absent else []
        errors += [item("INTERNAL_ERROR", "internal error", ids=failed)] if failed else []
        return batch(results, errors, partly=bool(skipped))

    def _update(self, body: dict[str, Any], skipped: frozenset[int]) -> Answer:
        wrong = wrong_batch(body)
        return wrong or self._write(body["inputs"], skipped, by_record=True)

    def _upsert(self, body: dict[str, Any], skipped: frozenset[int]) -> Answer:
        wrong = wrong_batch(body)
        for each in body["inputs"]:
            wrong = wrong or self._wrong_key(each.get("idProperty"))
        return wrong or self._write(body["inputs"], skipped, by_record=False)

    def _write(self, inputs: list[dict[str, Any]], skipped: frozenset[int], *, by_record: bool) -> Answer:
        wanted = []
        for each in inputs:
            values, wrong = self._kept(each["properties"])
            if wrong:
                return error(400, "VALIDATION_ERROR", f"Property values were not valid: {json.dumps(wrong)}")
            wanted.append(values)
        results, errors = [], []
        for place, (each, values) in enumerate(zip(inputs, wanted, strict=True)):
            trace = {"objectWriteTraceId": [each["objectWriteTraceId"]]}
            external_id = self.by_record.get(each["id"]) if by_record else each["id"]
            if external_id is None:
                errors.append(item("OBJECT_NOT_FOUND", "Could not get some CONTACT objects", ids=[each["id"]], **trace))
                continue
            if external_id in self.broken:
                errors.append(item(self.broken[external_id], f"{external_id} is broken", ids=[each["id"]], **trace))
                continue
            if place in skipped:
                errors += [item("INTERNAL_ERROR", "internal error", **trace)] if place % 2 else []
                continue
            new = self._keep(external_id, values)
            shown = self._shown(external_id, list(values))
            results.append({**shown, "objectWriteTraceId": each["objectWriteTraceId"], "new": new})
        return batch(results, errors, partly=bool(skipped))

    def _keep(self, external_id: str, values: dict[str, str | None]) -> bool:
        """Whether the contact is new."""
        new = external_id not in self.contacts
        if new:
            self._add(external_id)
            self.created.append(external_id)
        contact = self.contacts[external_id]
        for name, value in values.items():
            if value is None:
                contact.pop(name, None)
            elif name != self.unique:
                contact[name] = value
        return new

    def _shown(self, external_id: str, names: list[str]) -> dict[str, Any]:
        contact = self.contacts[external_id]
        record = self.records[external_id]
        values = {name: external_id if name == self.unique else contact.get(name) for name in names}
        moment = "2026-01-01T00:00:00.000Z"
        values |= {"hs_object_id": record, "createdate": moment, "lastmodifieddate": moment}
        return {"id": record, "properties": values, "createdAt": moment, "updatedAt": moment, "archived": False}

    def _kept(self, properties: dict[str, Any]) -> tuple[dict[str, str | None], list[dict[str, Any]]]:
        """The values as HubSpot keeps them, and what is wrong with them."""
        values: dict[str, str | None] = {}
        wrong = []
        for name, text in properties.items():
            if name not in self.properties:
                wrong.append(invalid(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist'))
            elif text == "":
                values[name] = None
            else:
                try:
                    values[name] = kept(text, self.properties[name])
                except (TypeError, ValueError, AttributeError):
                    kind = self.properties[name]["type"]
                    code = {"enumeration": "INVALID_OPTION", "number": "INVALID_DOUBLE"}.get(kind, f"INVALID_{kind}")
                    wrong.append(invalid(name, code.upper(), f"{text} was not valid"))
        return values, wrong

    def _wrong_key(self, name: str | None) -> Answer | None:
        if name is None or not self.properties.get(name, {}).get("hasUniqueValue"):
            return error(400, "VALIDATION_ERROR", f"Unable to perform update/upsert by non-unique 0-1 property {name}")
        return None

    def _listed(self, _body: dict[str, Any], _skipped: frozenset[int]) -> Answer:
        return 200, {"results": list(self.properties.values())}

    def _grouped(self, _body: dict[str, Any], _skipped: frozenset[int]) -> Answer:
        return 200, {"results": [{"name": name, "label": label} for name, label in self.groups.items()]}

    def _group(self, body: dict[str, Any], _skipped: frozenset[int]) -> Answer:
        if body["name"] in self.groups:
            return error(409, "CONFLICT", "A group of that name exists")
        self.groups[body["name"]] = body["label"]
        return 201, {**body, "displayOrder": 1, "archived": False}

    def _make(self, body: dict[str, Any], skipped: frozenset[int]) -> Answer:
        results = []
        for place, each in enumerate(body["inputs"]):
            if each["groupName"] not in self.groups:
                return error(400, "VALIDATION_ERROR", "The group does not exist")
            if each["name"] in self.properties:
                return error(409, "CONFLICT", f"{each['name']} exists")
            if place not in skipped:
                self.properties[each["name"]] = definition(**each)
                results.append(self.properties[each["name"]])
        return batch(results, [item("INTERNAL_ERROR", "internal error")] if skipped else [], made=201)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, hubspot: FakeHubSpot) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.hubspot = hubspot
        self.open: set[Any] = set()

    def hang_up(self) -> None:
        """End what clients keep open, so that no thread waits for them."""
        for connection in list(self.open):
            self.shutdown_request(connection)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--contacts", type=int, default=0, help="how many are there: customer-0, customer-1, ...")
    parser.add_argument("--share", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--retry-after", type=float, default=0.01)
    parser.add_argument("--kinds", nargs="*", default=KINDS[:-1], choices=KINDS)
    asked = parser.parse_args()
    faults = Faults(asked.share, asked.seed, tuple(asked.kinds), asked.retry_after)
    with FakeHubSpot([f"customer-{number}" for number in range(asked.contacts)], faults) as hubspot:
        sys.stdout.write(f"{hubspot.address}\n")
        sys.stdout.flush()
        sys.stdin.read()
    state = {"contacts": hubspot.contacts, "created": hubspot.created, "requests": hubspot.requests, "met": hubspot.met}
    sys.stdout.write(f"{json.dumps(state)}\n")


if __name__ == "__main__":
    main()
