"""A system that takes records as JSON, on this machine: three shapes of API over one store of customers.

Modelled on public documentation: jobs as Klaviyo's bulk import of profiles (POST, then a state, then errors), contacts
one by one as Brevo's (PUT by ext_id), and a list with its rejects in the answer as ShopiMind's customers.
"""

from __future__ import annotations

import json
import random
import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from pipelines.operations.delivery.connector import Value

TOKEN = "T0K3N"
LIMIT = 50

# Each is what becomes of one request. "after": it was done, and the caller does not hear of it.
FAULTS = (
    "429",
    "429 by date",
    "500",
    "503",
    "hang up before",
    "hang up after",
    "cut after",
    "html",
    "500 after",
    "slow job",
)

_ANSWERS = {"429": 429, "429 by date": 429, "500": 500, "503": 503, "500 after": 500}


_WITHOUT_IDS = re.compile("(?<=/contacts)/[^/]+|(?<=/customers)/[^/]+|(?<=/profile-bulk-import-jobs)/[^/]+")


def random_faults(seed: int, share: float, kinds: tuple[str, ...] = FAULTS) -> Iterator[str | None]:
    """Without end: each request has one of the faults with this probability."""
    chance = random.Random(seed)
    while True:
        yield chance.choice(kinds) if chance.random() < share else None


class FakeRest:
    """records: customers whom it knows, with or without their fields. faults: one per request, None for none.

    refuses: customers whose records it never takes, and why. fields: all that it has; None for any.
    retry_after: seconds that a 429 asks for. late_seconds: how late a "late" answer is.
    """

    def __init__(
        self,
        *,
        records: Iterable[str] | Mapping[str, Mapping[str, Value]] = (),
        faults: Iterable[str | None] = (),
        refuses: Mapping[str, str] | None = None,
        fields: Iterable[str] | None = None,
        retry_after: float = 0,
        late_seconds: float = 5,
    ) -> None:
        known = records if isinstance(records, Mapping) else {who: {} for who in records}
        self.records: dict[str, dict[str, Any]] = {who: dict(values) for who, values in known.items()}
        self.requests: Counter[str] = Counter()
        self.created: list[str] = []
        self.refuses = dict(refuses or {})
        self.fields = None if fields is None else set(fields)
        self.retry_after, self.late_seconds = retry_after, late_seconds
        self.jobs: dict[str, dict[str, Any]] = {}
        self._faults = iter(faults)
        self._numbers = count(1)
        self._lock = threading.Lock()
        self._over = threading.Event()

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"system": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, method: str, target: str, token: str, body: Any) -> tuple[int, Any, str | None]:
        """Status, document, and the fault that the caller meets."""
        parts = urlsplit(target)
        with self._lock:
            fault = next(self._faults, None)
            self.requests[f"{method} {_WITHOUT_IDS.sub('/…', parts.path)}"] += 1
            if token != TOKEN:
                return 401, {"message": f"the key {token} is wrong"}, None
            if fault in {"429", "429 by date", "500", "503", "hang up before", "html"}:
                return _ANSWERS.get(fault, 200), {"message": "not now"}, fault
            status, document = self._done(method, parts.path, parse_qs(parts.query), body, fault)
            return status, document, fault

    def wait(self) -> None:
        self._over.wait(self.late_seconds)

    def _done(
        self, method: str, path: str, query: Mapping[str, list[str]], body: Any, fault: str | None
    ) -> tuple[int, Any]:
        match method, [unquote(part) for part in path.strip("/").split("/")]:
            case "POST", ["api", "profile-bulk-import-jobs"]:
                answer = self._start(body, fault)
            case "GET", ["api", "profile-bulk-import-jobs", job, *further] if job in self.jobs:
                answer = self._job(job, further, query)
            case "GET", ["api", "profiles"]:
                answer = self._profiles(query)
            case "GET", ["v3", "contacts", "attributes"]:
                answer = 200, {"attributes": [{"name": name} for name in sorted(self.fields or ())]}
            case _, ["v3", "contacts", who] if query.get("identifierType") == ["ext_id"]:
                answer = self._contact(method, who, body)
            case "POST", ["v1", "customers"]:
                answer = self._list(body)
            case "GET", ["v1", "customers", who] if who in self.records:
                answer = 200, {"statusCode": 200, "data": {"customer_id": who, **self.records[who]}}
            case _:
                answer = 404, {"message": "there is nothing here"}
        return answer

    def _job(self, job: str, further: list[str], query: Mapping[str, list[str]]) -> tuple[int, Any]:
        state = self.jobs[job]
        if further == ["import-errors"]:
            return 200, {"data": state["errors"][: int(query.get("page[size]", ["20"])[0])]}
        state["asked"] += 1
        status = "processing" if state["asked"] <= state["takes"] else state["ends"]
        return 200, {"data": {"id": job, "attributes": {"status": status, "failed_count": len(state["errors"])}}}

    def _start(self, body: Any, fault: str | None) -> tuple[int, Any]:
        profiles = body["data"]["attributes"]["profiles"]["data"]
        if body["data"]["type"] != "profile-bulk-import-job" or len(profiles) > LIMIT:
            return 400, {"errors": [{"detail": f"at most {LIMIT} profiles"}]}
        errors = []
        for profile in profiles:
            assert profile["type"] == "profile"
            attributes = profile["attributes"]
            why = self._take(attributes["external_id"], attributes["properties"])
            if why:
                errors.append({"attributes": {"detail": why, "original_payload": attributes}})
        name = f"job-{next(self._numbers)}"
        ends = "cancelled" if fault == "cancelled job" else "complete"
        self.jobs[name] = {"errors": errors, "asked": 0, "takes": 2 if fault == "slow job" else 0, "ends": ends}
        return 202, {"data": {"type": "profile-bulk-import-job", "id": name, "attributes": {"status": "queued"}}}

    def _profiles(self, query: Mapping[str, list[str]]) -> tuple[int, Any]:
        asked = re.fullmatch(r"any\(external_id,(\[.*\])\)", query["filter"][0], re.DOTALL)
        if asked is None:
            return 400, {"errors": [{"detail": "Invalid filter provided."}]}
        found = [who for who in json.loads(asked[1]) if who in self.records]
        page = found[: int(query.get("page[size]", ["20"])[0])]
        return 200, {"data": [{"attributes": {"external_id": who, "properties": self.records[who]}} for who in page]}

    def _contact(self, method: str, who: str, body: Any) -> tuple[int, Any]:
        if who not in self.records:
            return 404, {"code": "document_not_found", "message": "Contact does not exist"}
        if method == "GET":
            return 200, {"id": 7, "attributes": self.records[who]}
        if who in self.refuses:
            return 400, {"code": "invalid_parameter", "message": self.refuses[who]}
        known = {
            name: value for name, value in body["attributes"].items() if self.fields is None or name in self.fields
        }
        self._take(who, known)
        return 204, None

    def _list(self, body: Any) -> tuple[int, Any]:
        if not isinstance(body, list) or len(body) > LIMIT:
            return 422, {"message": f"at most {LIMIT} customers"}
        broken = [each["customer_id"] for each in body if self.refuses.get(each["customer_id"]) == "all or nothing"]
        if broken:
            return 400, {"message": "the batch is not valid"}
        rejected = []
        for each in body:
            who = each.pop("customer_id")
            why = self._take(who, each)
            if why:
                rejected.append({"customer_id": who, "message": why} if why != "nobody named" else {"message": why})
        return 200, {"sent_count": len(body) - len(rejected), "rejected_items": rejected}

    def _take(self, who: str, values: Mapping[str, Any]) -> str | None:
        unknown = sorted(set(values) - self.fields) if self.fields is not None else []
        if who in self.refuses or unknown:
            return self.refuses.get(who) or f"there is no field {unknown[0]}"
        if who not in self.records:
            self.created.append(who)
            self.records[who] = {}
        self.records[who].update(values)
        return None


class _Handler(BaseHTTPRequestHandler):
    system: FakeRest
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _handle(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        token = (self.headers.get("Authorization") or self.headers.get("api-key") or "").rpartition(" ")[2]
        body = json.loads(content) if content else None
        status, document, fault = self.system.answer(self.command, self.path, token, body)
        if fault == "late":
            self.system.wait()
        self.close_connection = fault in {"hang up before", "hang up after", "cut after", "late"}
        if fault in {"hang up before", "hang up after"}:
            return
        self._reply(_ANSWERS.get(fault or "", status), document, fault)

    def _reply(self, status: int, document: Any, fault: str | None) -> None:
        content = b"" if document is None else json.dumps(document).encode()
        if fault == "html":
            content = b"<html>Please sign in</html>"
        headers = [
            ("Content-Length", len(content) + (10 if fault == "cut after" else 0)),
            ("Date", formatdate(usegmt=True)),
        ]
        if fault == "429":
            waits = "x-sib-ratelimit-reset" if self.path.startswith("/v3/") else "Retry-After"
            headers.append((waits, self.system.retry_after))
        if fault == "429 by date":
            at = formatdate(1_800_000_000 + self.system.retry_after, usegmt=True)
            headers[1:] = [("Date", formatdate(1_800_000_000, usegmt=True)), ("Retry-After", at)]
        head = "".join(f"{name}: {value}\r\n" for name, value in headers)
        # One write: in two, the second would wait for the first to be acknowledged.
        self.wfile.write(f"HTTP/1.1 {status} -\r\n{head}\r\n".encode() + content)

    do_GET = do_POST = do_PUT = _handle  # noqa: N815 - the standard library calls them so

    def log_message(self, *_: object) -> None:
        """Say nothing."""
