"""Two ways of writing rows to Salesforce: some hundreds in one call, or many thousands as a job that runs there."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

from simple_salesforce.api import Salesforce as Client
from simple_salesforce.bulk2 import Operation

from pipelines.operations.delivery.connector import TAKEN, DestinationError, Outcome, UnavailableError
from pipelines.operations.delivery.salesforce.errors import bulk_outcome, known_code, outcome
from pipelines.operations.delivery.salesforce.fields import EMPTY, Row, cell
from pipelines.operations.delivery.salesforce.session import CallRefusedError, Org

# Salesforce's own limits: records of a call, and (100 MB) of a job's file, with room for the way it is counted.
RECORDS_OF_A_CALL = 200
BYTES_OF_A_JOB = 60_000_000

# A job waits for others of the organisation. One given up is taken back, so that it does not write old scores later.
_LONGEST_JOB_SECONDS = 3600.0
_LONGEST_POLL_SECONDS = 10.0

# A whole call is refused for one record that cannot be parsed.
_ONE_SPOILS_ALL = frozenset({"JSON_PARSER_ERROR", "MALFORMED_ID"})
# A whole job fails for what the file looks like: sending it again changes nothing.
_FILE_IS_WRONG = frozenset({"ClientInputError", "FeatureNotEnabled", "InvalidBatch", "InvalidUser"})


@dataclass(frozen=True)
class Rows:
    """Rows of one object by the value that finds them. by: "Id", and nothing is created; or an external id field."""

    salesforce_object: str
    by: str
    rows: Mapping[str, Row]

    def cut(self, size: int) -> Iterator[Rows]:
        keys = list(self.rows)
        for start in range(0, len(keys), size):
            yield replace(self, rows={key: self.rows[key] for key in keys[start : start + size]})


class Piece(Protocol):
    """What is written in one go. write: an outcome for every key of its rows, or an error for all of them."""

    @property
    def rows(self) -> Rows: ...

    def write(self, org: Org) -> dict[str, Outcome]: ...


@dataclass(frozen=True)
class Call:
    """At most 200 rows in one call, of which some may be taken."""

    rows: Rows

    def write(self, org: Org) -> dict[str, Outcome]:
        keys = list(self.rows.rows)
        try:
            answers = org.tell(self._patch)
        except CallRefusedError as error:
            if error.code not in _ONE_SPOILS_ALL:
                raise
            if len(keys) == 1:
                return {keys[0]: outcome(error.code, ())}
            halves = self.rows.cut((len(keys) + 1) // 2)
            return {key: each for half in halves for key, each in Call(half).write(org).items()}
        if not isinstance(answers, list) or len(answers) != len(keys):
            raise UnavailableError(f"{org.name}: Salesforce gave another number of answers than it was sent records")
        return {key: _outcome(answer) for key, answer in zip(keys, answers, strict=True)}

    def _patch(self, client: Client) -> Any:
        rows = self.rows
        found = "id" if rows.by == "Id" else rows.by
        kind: dict[str, Any] = {"attributes": {"type": rows.salesforce_object}}
        records = [kind | {found: key} | dict(row) for key, row in rows.rows.items()]
        path = "composite/sobjects" + ("" if rows.by == "Id" else f"/{rows.salesforce_object}/{rows.by}")
        return client.restful(path, method="PATCH", json={"allOrNone": False, "records": records})


def _outcome(answer: Mapping[str, Any]) -> Outcome:
    if answer.get("success") is True:
        return TAKEN
    errors = answer.get("errors") or [{}]
    return outcome(errors[0].get("statusCode"), errors[0].get("fields") or ())


@dataclass(frozen=True)
class RunContext:
    """Rows as a job of Bulk API 2.0. Its results come in no order and are told apart by the key of each row."""

    rows: Rows

    @staticmethod
    def can_say(row: Row) -> bool:
        """Whether a file can hold the row: it has no way to write the text "#N/A", nor other line ends than its own."""
        return not any(isinstance(value, str) and (value == EMPTY or "\r" in value) for value in row.values())

    @classmethod
    def cut(cls, rows: Rows) -> Iterator[RunContext]:
        """Jobs whose files are small enough."""
        longest = max((len(_file(one).encode()) for one in rows.cut(1)), default=0)
        return (cls(some) for some in rows.cut(max(1, BYTES_OF_A_JOB // max(1, longest))))

    def write(self, org: Org) -> dict[str, Outcome]:
        job = org.tell(self._create)["id"]
        try:
            org.tell(lambda client: self._jobs(client).upload_job_data(job, _file(self.rows)))
            with suppress(CallRefusedError):  # closed before, by a call whose answer was lost; the state tells
                org.ask(lambda client: self._jobs(client).close_job(job))
            job_info = self._wait(org, job)
            taken = self._results(org, job, "successfulResults")
            failed = self._results(org, job, "failedResults")
            left = self._results(org, job, "unprocessedrecords")
        except BaseException:
            with suppress(UnavailableError, DestinationError):
                org.ask(lambda client: self._jobs(client).abort_job(job, is_query=False))
            raise
        reason = known_code(str(job_info.get("errorMessage") or "").partition(":")[0].strip())
        if job_info["state"] == "Failed" and not taken and reason in _FILE_IS_WRONG:
            raise DestinationError(
                f"{org.name}: Salesforce refused a file of records as a whole ({reason}); make the fields again, and "
                "see that the user may edit all of them"
            )
        outcomes = dict.fromkeys(self.rows.rows, Outcome("later", "Salesforce did not say what became of it"))
        outcomes |= {key: Outcome("later", "Salesforce did not come to it") for key in left if key in outcomes}
        outcomes |= {key: bulk_outcome(row["sf__Error"]) for key, row in failed.items() if key in outcomes}
        return outcomes | {key: TAKEN for key in taken if key in outcomes}

    def _jobs(self, client: Client) -> Any:
        # The client's own loop counts on nothing failing while a job runs, and forgets the number of one that fails.
        return getattr(client.bulk2, self.rows.salesforce_object)._client  # noqa: SLF001

    def _create(self, client: Client) -> Any:
        jobs = self._jobs(client)
        if self.rows.by == "Id":
            return jobs.create_job(Operation.update)
        return jobs.create_job(Operation.upsert, external_id_field=self.rows.by)

    def _wait(self, org: Org, job: str) -> Mapping[str, Any]:
        """Salesforce's JobInfo when the job has ended. Raises: UnavailableError where it does not."""
        waited, pause = 0.0, 0.5
        while waited < _LONGEST_JOB_SECONDS:
            job_info: Mapping[str, Any] = org.ask(lambda client: self._jobs(client).get_job(job, is_query=False))
            if job_info["state"] in {"JobComplete", "Failed", "Aborted"}:
                return job_info
            if job_info["state"] == "Open":
                break
            org.sleep(pause)
            waited, pause = waited + pause, min(pause * 2, _LONGEST_POLL_SECONDS)
        raise UnavailableError(f"{org.name}: a job of {len(self.rows.rows)} records did not end; it is taken back")

    def _results(self, org: Org, job: str, kind: str) -> dict[str, dict[str, str]]:
        """Rows by key. Line ends within quotes stay as they are."""
        text = org.ask(lambda client: self._jobs(client).get_ingest_results(job, kind))
        return {
            row[self.rows.by]: row for row in csv.DictReader(io.StringIO(text, newline="")) if row.get(self.rows.by)
        }


def _file(rows: Rows) -> str:
    """CSV as Salesforce reads it: no spreadsheet opens it, so values that look like formulas stay as they are."""
    columns = sorted({column for row in rows.rows.values() for column in row})
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow([rows.by, *columns])
    for key, row in rows.rows.items():
        writer.writerow([key, *(cell(row[column]) if column in row else "" for column in columns)])
    return lines.getvalue()
