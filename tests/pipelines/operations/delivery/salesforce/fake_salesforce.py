"""A Salesforce organisation on this machine, over TLS, written from Salesforce's public documentation.

It keeps what it is sent, enforces limits, types and rights, and fails by chance, as often as it is told to. Used from
another process, too: see `environment`.
"""

from __future__ import annotations

import base64
import json
import random
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.pipelines.operations.delivery.salesforce.fake_salesforce_jobs import FakeJob, created, may_be_locked
from tests.pipelines.operations.delivery.salesforce.fake_salesforce_org import FakeOrg, OrgError
from tests.pipelines.operations.delivery.salesforce.fake_salesforce_wire import Answer, Server, certificate

TOKEN = "00Dxx!fake.token.of.a.session"
APPLICATION = ("3MVG9fake.client.id", "fake-client-secret")
_ROOT = "/services/data/v59.0/"
_HEAD_BYTES = 16_384

# What is answered before anything is done.
_INSTEAD = {
    "too_many": Answer(429, '[{"errorCode": "TOO_MANY_REQUESTS", "message": "slower"}]', {"Retry-After": "1"}),
    "unavailable": Answer(503, '[{"errorCode": "SERVER_UNAVAILABLE", "message": "busy"}]', {"Retry-After": "2"}),
    "broken": Answer(500, "<html>An unexpected error occurred</html>", {"Content-Type": "text/html"}),
    "drop": Answer(0, "", {}, lost=True),
}


@dataclass(frozen=True)
class Faults:
    """Chances, each by itself, of what goes wrong; those from `lock` on are of a row or a job, not of a call.

    too_many: 429; unavailable: 503; broken: 500 with a page instead of JSON; drop: hangs up before anything is done;
    hang_up: hangs up when all is done; stall: answers after `stall_seconds`, when all is done.
    """

    seed: int = 1
    too_many: float = 0.0
    unavailable: float = 0.0
    broken: float = 0.0
    drop: float = 0.0
    hang_up: float = 0.0
    stall: float = 0.0
    stall_seconds: float = 2.0
    lock: float = 0.0
    job_fails: float = 0.0
    job_aborted: float = 0.0


class FakeSalesforce:
    """records: external ids, or rows (by API name) by external id. `records` afterwards: rows by record id.

    ready: all of our fields are there and permitted. permits: what the Tooling API makes is visible at once.
    limited: every call is answered as Salesforce does when the day's calls are used up.
    """

    def __init__(
        self,
        records: Iterable[str] | Mapping[str, Mapping[str, Any]] = (),
        *,
        faults: Faults | None = None,
        salesforce_object: str = "Contact",
        key: str = "Attrition_External_Id__c",
        ready: bool = True,
        permits: bool = False,
    ) -> None:
        self.faults = faults or Faults()
        self.chance = random.Random(self.faults.seed)
        self.org = FakeOrg(salesforce_object, key, ("LastName",) if salesforce_object == "Contact" else ())
        if ready:
            self.org.make_ready()
        rows = records if isinstance(records, Mapping) else {each: {} for each in records}
        for external_id, row in rows.items():
            self.org.insert(external_id, row)
        self.permits = permits
        self.requests: Counter[str] = Counter()
        self.faulty: Counter[str] = Counter()
        self.tokens = {TOKEN}
        self.limited = ""
        self.may_make = True
        self.jobs: dict[str, FakeJob] = {}
        self.cursors: dict[str, list[dict[str, Any]]] = {}
        self.one_at_a_time = threading.Lock()
        self._server = Server(self._answering)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self._server.server_port}"

    @property
    def ca_bundle(self) -> str:
        """The file that a client must name in REQUESTS_CA_BUNDLE."""
        return str(certificate())

    @property
    def environment(self) -> dict[str, str]:
        """What a process that delivers here needs in its environment."""
        return {"REQUESTS_CA_BUNDLE": self.ca_bundle, "ATTRITION_SALESFORCE_TOKEN": TOKEN}

    @property
    def records(self) -> dict[str, dict[str, Any]]:
        return self.org.records

    @property
    def created(self) -> list[str]:
        """External ids of records that calls made, in order."""
        return self.org.created

    def row(self, external_id: str) -> dict[str, Any]:
        """The only record with this external id."""
        (found,) = [row for row in self.records.values() if row[self.org.key] == external_id]
        return found

    def permit(self) -> None:
        """Do as an administrator does after fields were made."""
        for each in self.org.fields.values():
            each.visible = True

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def meets(self) -> str:
        """The fault of this call; "" is none."""
        dice = self.faults
        for fault in ("too_many", "unavailable", "broken", "drop", "hang_up", "stall"):
            if self.chance.random() < getattr(dice, fault):
                self.faulty[fault] += 1
                return fault
        return ""

    def fate(self) -> str:
        if self.chance.random() < self.faults.job_fails:
            return "Failed"
        return "Aborted" if self.chance.random() < self.faults.job_aborted else "JobComplete"

    def _answering(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        with self.one_at_a_time:
            fault = self.meets()
            if fault in _INSTEAD:
                return _INSTEAD[fault]
            if len(path) + sum(len(name) + len(value) + 4 for name, value in headers.items()) > _HEAD_BYTES:
                return Answer(414 if len(path) > _HEAD_BYTES else 431, "<html>too long</html>", {})
            try:
                status, told = self._guarded(method, path, headers, body)
            except OrgError as error:
                status = error.status
                told = [{"errorCode": error.code, "message": f"{error}", "fields": [*error.fields]}]
            page = told if isinstance(told, str) else json.dumps(told)
            kind = "text/csv" if isinstance(told, str) else "application/json;charset=UTF-8"
            late = self.faults.stall_seconds if fault == "stall" else 0.0
            return Answer(status, page, {"Content-Type": kind}, late=late, lost=fault == "hang_up")

    def _guarded(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Any]:
        given = headers.get("Authorization", "")
        if path == "/services/oauth2/token":
            return self._token(given, parse_qs(body.decode()))
        if given.removeprefix("Bearer ") not in self.tokens:
            raise OrgError("INVALID_SESSION_ID", f"Session expired or invalid: {given}", status=401)
        if self.limited:
            raise OrgError("REQUEST_LIMIT_EXCEEDED", self.limited, status=403)
        parts = urlsplit(path)
        if not parts.path.startswith(_ROOT):
            raise _missing()
        steps = parts.path.removeprefix(_ROOT).strip("/").split("/")
        for job in self.jobs.values():  # a job runs on, whoever asks for it
            if job.id not in steps:
                job.finish(self.org, self.chance, locks=self.faults.lock)
        if steps[0] == "jobs":
            return self._job(method, steps[2:], body)
        return self._rest(method, steps, parse_qs(parts.query), body)

    def _token(self, given: str, asked: Mapping[str, list[str]]) -> tuple[int, Any]:
        self._count("token")
        expected = base64.b64encode(":".join(APPLICATION).encode()).decode()
        if asked.get("grant_type") != ["client_credentials"] or given != f"Basic {expected}":
            return 400, {"error": "invalid_client_id", "error_description": f"invalid: {given}"}
        token = f"{TOKEN}.{self.requests['token']}"
        self.tokens.add(token)
        return 200, {"access_token": token, "instance_url": self.address, "token_type": "Bearer"}

    def _rest(self, method: str, steps: list[str], asked: Mapping[str, list[str]], body: bytes) -> tuple[int, Any]:
        match method, steps:
            case "GET", ["sobjects", name, "describe"]:
                return self._describe(name)
            case "GET", ["query"]:
                self._count("query")
                return 200, self._page(self.org.select(asked["q"][0]))
            case "GET", ["query", cursor]:
                self._count("query_more")
                return 200, self._page(self.cursors[cursor])
            case "PATCH", ["composite", "sobjects", *to]:
                self._count("upsert" if to else "update")
                return 200, self._collection(json.loads(body), to)
            case "POST", ["tooling", "sobjects", "CustomField"]:
                return self._make(json.loads(body))
        raise _missing()

    def _count(self, endpoint: str) -> None:
        self.requests[endpoint] += 1

    def _make(self, wish: Mapping[str, Any]) -> tuple[int, Any]:
        self._count("make_field")
        if not self.may_make:
            raise OrgError("INSUFFICIENT_ACCESS", "insufficient access rights", status=403)
        self.org.make(wish, permits=self.permits)
        return 201, {"id": "00N000000000001AAA", "success": True, "errors": [], "warnings": [], "infos": []}

    def _describe(self, name: str) -> tuple[int, Any]:
        self._count("describe")
        if name != self.org.name:
            raise _missing()
        return 200, {"name": name, "fields": [each.described() for each in self.org.fields.values() if each.visible]}

    def _page(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        size = 200 if rows and len(rows[0]) > 10 else 2000
        told: dict[str, Any] = {"totalSize": len(rows), "done": len(rows) <= size, "records": rows[:size]}
        if rows[size:]:
            cursor = f"01g{len(self.cursors):012d}AAA-{size}"
            self.cursors[cursor] = rows[size:]
            told["nextRecordsUrl"] = f"{_ROOT}query/{cursor}"
        return told

    def _collection(self, sent: Mapping[str, Any], to: list[str]) -> list[dict[str, Any]]:
        records = sent["records"]
        if len(records) > 200 or sent["allOrNone"] is not False:
            raise OrgError("LIMIT_EXCEEDED", "record limit reached: 200")
        if to and to != [self.org.name, self.org.key]:
            raise OrgError("NOT_FOUND", "Provided external ID field does not exist", status=404)
        for record in records:
            if record["attributes"]["type"] != self.org.name or ("id" in record) == bool(to):
                raise OrgError("INVALID_TYPE", "wrong type, or an id where none belongs")
            self._parsed(record)
        return [self._one(record, to) for record in records]

    def _parsed(self, record: Mapping[str, Any]) -> None:
        """Raises: OrgError for what makes a whole call fail, before anything is written."""
        try:
            self.org.stored({name: value for name, value in record.items() if name not in {"attributes", "id"}})
        except OrgError as error:
            if error.spoils:
                raise

    def _one(self, record: Mapping[str, Any], to: list[str]) -> dict[str, Any]:
        row = {name: value for name, value in record.items() if name not in {"attributes", "id", *to}}
        try:
            may_be_locked(self.chance, self.faults.lock)
            if to:
                made, new = self.org.upsert(record[to[1]], row)
                return {"id": made, "success": True, "errors": [], "created": new}
            self.org.update(record["id"], row)
        except OrgError as error:
            said = {"statusCode": error.code, "message": f"{error}", "fields": list(error.fields)}
            return {"success": False, "errors": [said]}
        return {"id": record["id"], "success": True, "errors": []}

    def _job(self, method: str, rest: list[str], body: bytes) -> tuple[int, Any]:
        if method == "POST" and not rest:
            self._count("job_create")
            job = created(json.loads(body), self.org, number=len(self.jobs), fate=self.fate())
            self.jobs[job.id] = job
            return 200, job.told()
        job = self.jobs[rest[0]]
        match method, rest[1:]:
            case "PUT", ["batches"]:
                self._count("job_upload")
                if job.text is not None or len(body) > 100_000_000:
                    raise OrgError("INVALIDJOBSTATE", "one file a job, of 100 MB at most")
                job.text = body.decode()
                return 201, ""
            case "PATCH", []:
                wish = json.loads(body)["state"]
                self._count("job_abort" if wish == "Aborted" else "job_close")
                job.close(wish)
                return 200, job.told()
            case "GET", []:
                self._count("job_state")
                job.step(self.org, self.chance, locks=self.faults.lock)
                return 200, job.told()
            case "GET", ["successfulResults" | "failedResults" | "unprocessedrecords" as kind]:
                self._count("job_results")
                return 200, job.results(kind)
        raise _missing()


def _missing() -> OrgError:
    return OrgError("NOT_FOUND", "The requested resource does not exist", status=404)
