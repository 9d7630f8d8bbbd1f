"""BottleCRM itself, on a PostgreSQL and a port of its own on this machine."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

from tests.postgres_server import postgres_server

PYTHON = Path(__file__).parents[2] / ".tools" / "bottlecrm" / "bin" / "python"
_PREPARE = Path(__file__).parent / "inside" / "prepare.py"
_START_SECONDS = 60


@dataclass(frozen=True)
class RealBottleCrm:
    """What runs. tokens: of an administrator, of a member, and of one who reads. member: their id.

    contacts: the ids of those that are there from the start, by external id. requests_log: a line per call.
    database: the port of its PostgreSQL.
    """

    address: str
    tokens: Mapping[str, str]
    member: str
    contacts: Mapping[str, str]
    requests_log: Path
    database: int

    def call(self, method: str, path: str, body: Any = None, **parameters: Any) -> Any:
        """As an administrator who works in it does."""
        answer = requests.request(
            method,
            f"{self.address}/api/{path}",
            params=parameters,
            json=body,
            headers={"Authorization": f"Bearer {self.tokens['admin']}"},
            timeout=60,
        )
        assert answer.ok, answer.text
        return answer.json()

    def writes(self) -> list[str]:
        """Every call so far that is no GET, the outside's and the tests' own."""
        return [line for line in self.requests_log.read_text().splitlines() if not line.startswith("GET ")]

    def contact(self, external_id: str, **custom: Any) -> str:
        """The id of a new one, who has an owner."""
        body = {
            "first_name": "Somebody",
            "last_name": "Example",
            "assigned_to": [self.member],
            "custom_fields": {"attrition_external_id": external_id} | custom,
        }
        made: str = self.call("POST", "contacts/", body)["id"]
        return made

    def custom_fields(self, contact: str) -> dict[str, Any]:
        fields: dict[str, Any] = self.call("GET", f"contacts/{contact}/")["contact_obj"]["custom_fields"]
        return fields

    def tasks(self) -> list[dict[str, Any]]:
        """Of everybody, in whatever state; with the external id that ours hold."""
        found = self.call("GET", "tasks/", slim="true", limit=1000)["tasks"]
        return [self.call("GET", f"tasks/{task['id']}/")["task_obj"] for task in found]

    def tasks_of(self, external_id: str) -> list[dict[str, Any]]:
        found = self.call("GET", "tasks/", slim="true", limit=1000, cf_attrition_task=external_id)["tasks"]
        return [self.call("GET", f"tasks/{task['id']}/")["task_obj"] for task in found]


@contextmanager
def real_bottlecrm(folder: Path) -> Iterator[RealBottleCrm]:
    """Skips where it is not there."""
    if not PYTHON.exists():
        pytest.skip("needs BottleCRM: make bottlecrm")
    with postgres_server(folder) as port:
        with psycopg.connect(host="127.0.0.1", port=port, user="tests", dbname="postgres", autocommit=True) as admin:
            # Not a superuser: its row level security would not bind one.
            admin.execute("CREATE ROLE crm LOGIN")
            admin.execute("CREATE DATABASE crm OWNER crm")
        environment = {
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "crm.settings",
            "DBNAME": "crm",
            "DBUSER": "crm",
            "DBHOST": "127.0.0.1",
            "DBPORT": str(port),
            "SECRET_KEY": "of these tests alone, and long enough for it to be satisfied",
            # Its mails wait in memory, and nobody sends them.
            "CELERY_BROKER_URL": "memory://",
            "CELERY_RESULT_BACKEND": "cache+memory://",
        }
        prepared = subprocess.run(
            [PYTHON, "-W", "ignore", _PREPARE], env=environment, cwd=folder, stdout=subprocess.PIPE, check=True
        )
        with _serving(folder, environment) as address:
            known = json.loads(prepared.stdout.splitlines()[-1])
            yield RealBottleCrm(address=address, requests_log=folder / "requests", database=port, **known)


@contextmanager
def _serving(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    log = folder / "log"
    options = ["--bind", "127.0.0.1:0", "--threads", "4", "--no-control-socket"]
    options += ["--graceful-timeout", "1"]  # it waits for connections that are kept open
    options += ["--access-logfile", str(folder / "requests"), "--access-logformat", "%(m)s %(U)s"]
    command = [str(PYTHON), "-W", "ignore", "-m", "gunicorn", "crm.wsgi", *options]
    with (
        log.open("w") as out,
        subprocess.Popen(command, env=environment, cwd=folder, stdout=out, stderr=out) as process,
    ):
        try:
            until = time.monotonic() + _START_SECONDS
            while (found := re.search(r"Listening at: (http://127\.0\.0\.1:\d+)", log.read_text())) is None:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.1)
            yield found[1]
        finally:
            process.terminate()
