"""A BottleCRM of contacts, tasks and custom fields on this machine, as far as the connector can tell. It can fail."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

Answer = tuple[int, dict[str, str], str]

TOKEN = "bcrm_pat_for_tests"


@dataclass
class FakeBottleCrm:
    """fail: asked with method and path before a call is done, and an answer of its own is given instead.

    lose: the same, after it is done: the caller does not learn of it. slow_seconds: before each answer.
    """

    definitions: list[dict[str, Any]] = field(default_factory=list)
    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    fail: Callable[[str, str], Answer | None] = lambda method, path: None
    lose: Callable[[str, str], Answer | None] = lambda method, path: None
    slow_seconds: float = 0.0
    address: str = ""

    @property
    def writes(self) -> list[str]:
        return [call for call in self.calls if not call.startswith("GET")]

    def contact(self, external_id: str, *owners: str, **custom: Any) -> dict[str, Any]:
        """A contact that was there before."""
        made: dict[str, Any] = {
            "id": f"contact-{len(self.contacts) + 1}",
            "assigned_to": [{"id": owner, "is_active": not owner.startswith("former")} for owner in owners],
            "custom_fields": {"attrition_external_id": external_id} | custom,
        }
        self.contacts[made["id"]] = made
        return made

    def task(self, **fields: Any) -> dict[str, Any]:
        made = {"status": "New", "custom_fields": {}, "created_at": f"2024-07-01T00:00:{len(self.tasks):02d}Z"} | fields
        made["id"] = f"task-{len(self.tasks) + 1}"
        self.tasks[made["id"]] = made
        return made

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: dict[str, Any]) -> Answer:
        self.calls.append(f"{method} {path}")
        time.sleep(self.slow_seconds)
        failed = self.fail(method, path)
        if failed is not None:
            return failed
        status, said = self._done(method, path.split("/"), query, body)
        return self.lose(method, path) or (status, {}, json.dumps(said))

    def _done(self, method: str, path: list[str], query: dict[str, list[str]], body: dict[str, Any]) -> tuple[int, Any]:
        match method, path:
            case "GET", ["custom-fields", ""]:
                return 200, {"definitions": self.definitions, "totals": None}
            case "GET", ["contacts", ""]:
                return 200, {"results": _matching(self.contacts, query)}
            case "GET", ["tasks", ""]:
                found = [task for task in _matching(self.tasks, query) if task["status"] in query.get("status", [])]
                return 200, {"tasks": [{"id": task["id"], "created_at": task["created_at"]} for task in found]}
            case "POST", ["custom-fields", ""]:
                self.definitions.append(body | {"is_active": True})
            case "DELETE", ["tasks", which, ""] if which in self.tasks:
                del self.tasks[which]
            case _:
                there = self._there(method, path)
                if there is None:
                    return 404, {"detail": "No record matches the given query."}
                return self._written(there, "Task" if path[0] == "tasks" else "Contact", body)
        return 200, {"error": False}

    def _there(self, method: str, path: list[str]) -> dict[str, Any] | None:
        match method, path:
            case "POST", ["contacts", ""]:
                made = self.contact("")
                made["custom_fields"] = {}
                return made
            case "POST", ["tasks", ""]:
                return self.task()
            case "PATCH", ["contacts", which, ""]:
                return self.contacts.get(which)
            case "PATCH", ["tasks", which, ""]:
                return self.tasks.get(which)
        return None

    def _written(self, there: dict[str, Any], target: str, body: dict[str, Any]) -> tuple[int, Any]:
        """As it does: fields of ours that are not defined are dropped, those that are not named are kept."""
        custom = there["custom_fields"]
        for key, value in body.pop("custom_fields", {}).items():
            known = [each for each in self.definitions if (each["target_model"], each["key"]) == (target, key)]
            if not known or not known[0]["is_active"]:
                continue
            options = [option["value"] for option in known[0]["options"] or []]
            if value is None:
                custom.pop(key, None)
            elif options and value not in options:
                return 400, {"error": True, "errors": {"custom_fields": {key: f"must be one of {options}"}}}
            else:
                is_number = known[0]["field_type"] == "number"
                custom[key] = float(value) if is_number else value
        there.update(body)
        return 200, {"error": False}


def _matching(rows: dict[str, dict[str, Any]], query: dict[str, list[str]]) -> list[dict[str, Any]]:
    asked = {key.removeprefix("cf_"): value[0] for key, value in query.items() if key.startswith("cf_")}
    return [row for row in rows.values() if asked.items() <= row["custom_fields"].items()]


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def running() -> Iterator[FakeBottleCrm]:
    fake = FakeBottleCrm()

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        said = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if environ.get("HTTP_AUTHORIZATION") != f"Bearer {TOKEN}":
            answer: Answer = (403, {}, '{"detail": "Organization context is required. Please login again."}')
        else:
            answer = fake.answer(
                environ["REQUEST_METHOD"],
                environ["PATH_INFO"].removeprefix("/api/"),
                parse_qs(environ["QUERY_STRING"]),
                json.loads(said or b"{}"),
            )
        status, headers, body = answer
        start(f"{status} Said", [("Content-Type", "application/json"), *headers.items()])
        return [body.encode()]

    server: WSGIServer = make_server("127.0.0.1", 0, app, handler_class=_Quiet)
    fake.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
