"""Jobs of Bulk API 2.0 as a fake organisation runs them: a step with each question, or to their end unasked."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.pipelines.operations.delivery.salesforce.fake_salesforce_org import FakeOrg, OrgError

_ENDED = {"JobComplete", "Failed", "Aborted"}


@dataclass
class FakeJob:
    """fate: how it ends, "JobComplete", "Failed" or "Aborted" (the latter two half way)."""

    id: str
    operation: str
    by: str
    fate: str
    state: str = "Open"
    said: str = ""
    text: str | None = None
    names: list[str] = field(default_factory=list)
    waiting: list[dict[str, str]] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        told = {"id": self.id, "operation": self.operation, "state": self.state, "apiVersion": 59.0}
        counts = {"numberRecordsProcessed": len(self.taken) + len(self.failed), "numberRecordsFailed": len(self.failed)}
        return told | counts | ({"errorMessage": self.said} if self.said else {})

    def close(self, state: str) -> None:
        if state == "Aborted" and self.state not in _ENDED:
            self.state = "Aborted"
        elif state == "UploadComplete" and self.state == "Open" and self.text is not None:
            self.state = "UploadComplete"
        else:
            raise OrgError("INVALIDJOBSTATE", f"the job is {self.state}")

    def step(self, org: FakeOrg, chance: random.Random, *, locks: float) -> None:
        """UploadComplete, then InProgress with half of the rows done, then how it ends."""
        if self.state == "UploadComplete":
            self.state = "InProgress"
            self._parse(org)
            self._do(len(self.waiting) // 2, org, chance, locks=locks)
        elif self.state == "InProgress":
            self.state = self.fate
            if self.fate == "JobComplete":
                self._do(len(self.waiting), org, chance, locks=locks)
            elif self.fate == "Failed":
                self.said = "InternalServerError : Error while processing the job"

    def finish(self, org: FakeOrg, chance: random.Random, *, locks: float) -> None:
        while self.state in {"UploadComplete", "InProgress"}:
            self.step(org, chance, locks=locks)

    def _parse(self, org: FakeOrg) -> None:
        text = self.text or ""
        if "\r" in text:
            self._fail("ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF")
            return
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        self.names = list(reader.fieldnames or ())
        try:
            for name in self.names:
                if name != "Id":
                    org.known(name)
        except OrgError:
            self._fail(f"InvalidBatch : Field name not found : {name}")
            return
        if self.by not in self.names:
            self._fail(f"InvalidBatch : Field name not found : {self.by}")
            return
        self.waiting = list(reader)

    def _fail(self, said: str) -> None:
        self.state, self.said = "Failed", said

    def _do(self, count: int, org: FakeOrg, chance: random.Random, *, locks: float) -> None:
        now, self.waiting = self.waiting[:count], self.waiting[count:]
        for row in now:
            try:
                may_be_locked(chance, locks)
                sent = {name: self._value(org, name, text) for name, text in row.items() if text and name != self.by}
                if self.operation == "update":
                    org.update(row["Id"], sent)
                    record, created = row["Id"], False
                else:
                    record, created = org.upsert(row[self.by], sent)
                self.taken.append({"sf__Id": record, "sf__Created": str(created).lower()} | row)
            except OrgError as error:
                code = "INVALID_TYPE_ON_FIELD_IN_RECORD" if error.code == "JSON_PARSER_ERROR" else error.code
                self.failed.append({"sf__Id": "", "sf__Error": f"{code}:{error}:{' '.join(error.fields)} --"} | row)
        chance.shuffle(self.taken)
        chance.shuffle(self.failed)

    @staticmethod
    def _value(org: FakeOrg, name: str, text: str) -> Any:
        kind = org.known(name).type
        if text == "#N/A":
            return None
        if kind == "boolean":
            return {"true": True, "false": False}.get(text, text)
        return float(text) if kind == "double" and "e" not in text.lower() else text

    def results(self, kind: str) -> str:
        rows: list[Any] = {"successfulResults": self.taken, "failedResults": self.failed}.get(kind, self.waiting)
        first = {"successfulResults": ["sf__Id", "sf__Created"], "failedResults": ["sf__Id", "sf__Error"]}.get(kind, [])
        lines = io.StringIO(newline="")
        writer = csv.DictWriter(lines, [*first, *self.names], quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return lines.getvalue()


def created(wish: Mapping[str, Any], org: FakeOrg, *, number: int, fate: str) -> FakeJob:
    """Raises: OrgError where a job of this kind is not made."""
    operation, by = wish["operation"], wish.get("externalIdFieldName", "Id")
    if wish["object"] != org.name or wish["contentType"] != "CSV" or wish["lineEnding"] != "LF":
        raise OrgError("INVALIDJOB", "unknown object or format")
    if operation not in {"update", "upsert"} or (operation == "upsert") == (by == "Id"):
        raise OrgError("INVALIDJOB", "an upsert needs externalIdFieldName, an update has none")
    if by != "Id":
        org.known(by)
    return FakeJob(f"750{number:012d}AAA", operation, by, fate)


def may_be_locked(chance: random.Random, locks: float) -> None:
    if chance.random() < locks:
        raise OrgError("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
