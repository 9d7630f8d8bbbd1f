"""Destinations to deliver to: fakes of vendors' systems in this process, a real PostgreSQL and a real BottleCRM."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from pipelines.operations.delivery.bottlecrm import connector as bottlecrm_connector
from tests.bottlecrm.server import real_bottlecrm
from tests.deliveries.wire import wire_to
from tests.pipelines.operations.delivery.bottlecrm import bottlecrm_case
from tests.pipelines.operations.delivery.hubspot import fake_hubspot
from tests.pipelines.operations.delivery.json_api import fake_json_api, json_api_case
from tests.pipelines.operations.delivery.salesforce import fake_salesforce
from tests.postgres_server import postgres_server


@dataclass(frozen=True)
class Target:
    """A system that knows some customers, and how to deliver to it.

    block: its destination in the settings. environment: what a process needs that delivers. requests: calls answered
    so far; faulty: those of them that something befell. disturb: from now on a share of the calls fails, of every kind.
    probabilities: what it holds, past the connector, by customer. strangers: customers who were never there.
    """

    block: Mapping[str, Any]
    environment: Mapping[str, str]
    requests: Callable[[], int]
    faulty: Callable[[], int]
    disturb: Callable[[float, int], None]
    probabilities: Callable[[], dict[str, float]]
    strangers: Callable[[], int]


@contextmanager
def hubspot(customers: Sequence[str]) -> Iterator[Target]:
    with fake_hubspot.FakeHubSpot(contacts=customers) as system:
        yield Target(
            block={"kind": "hubspot", "name": "hubspot", "address": system.address},
            environment={"ATTRITION_HUBSPOT_TOKEN": fake_hubspot.TOKEN},
            requests=lambda: sum(system.requests.values()),
            faulty=lambda: sum(system.met.values()),
            disturb=lambda share, seed: system.fail(fake_hubspot.Faults(share=share, seed=seed) if share else None),
            probabilities=lambda: {
                who: float(fields["attrition_churn_probability"])
                for who, fields in system.contacts.items()
                if "attrition_churn_probability" in fields
            },
            strangers=lambda: len(system.created) + len(system.contacts) - len(customers),
        )


@contextmanager
def salesforce(customers: Sequence[str]) -> Iterator[Target]:
    with fake_salesforce.FakeSalesforce(customers) as system:
        key, value = system.org.key, "attrition_churn_probability__c"

        def disturb(share: float, seed: int) -> None:
            each = share / 6
            system.chance = random.Random(seed)
            system.faults = fake_salesforce.Faults(
                seed=seed, too_many=each, unavailable=each, broken=each, drop=each, hang_up=each, stall=each,
                stall_seconds=0.1, lock=share, job_fails=share, job_aborted=share,
            )  # fmt: skip

        yield Target(
            block={"kind": "salesforce", "name": "salesforce", "address": system.address},
            environment=system.environment,
            requests=lambda: sum(system.requests.values()),
            faulty=lambda: sum(system.faulty.values()),
            disturb=disturb,
            probabilities=lambda: {
                row[key]: float(row[value]) for row in list(system.records.values()) if row.get(value) is not None
            },
            strangers=lambda: len(system.created) + len(system.records) - len(customers),
        )


@dataclass
class _Chances:
    """One fault or none per call, endlessly, at a share that may change."""

    share: float = 0.0
    chance: random.Random = field(default_factory=random.Random)
    met: int = 0

    def __iter__(self) -> Iterator[str | None]:
        while True:
            fault = self.chance.choice(fake_json_api.FAULTS) if self.chance.random() < self.share else None
            self.met += fault is not None
            yield fault


@contextmanager
def rest(customers: Sequence[str]) -> Iterator[Target]:
    chances = _Chances()

    def disturb(share: float, seed: int) -> None:
        chances.share, chances.chance = share, random.Random(seed)

    with fake_json_api.FakeRest(records=customers, faults=iter(chances), late_seconds=0.1) as system:
        yield Target(
            block=json_api_case.rest("jobs", address=system.address, name="rest").model_dump(mode="json"),
            environment={"ATTRITION_REST_TOKEN": fake_json_api.TOKEN},
            requests=lambda: sum(system.requests.values()),
            faulty=lambda: chances.met,
            disturb=disturb,
            probabilities=lambda: {
                who: float(fields["attrition_churn_probability"])
                for who, fields in system.records.items()
                if fields.get("attrition_churn_probability") is not None
            },
            strangers=lambda: len(system.created) + len(system.records) - len(customers),
        )


@contextmanager
def postgresql(customers: Sequence[str]) -> Iterator[Target]:
    """It makes rows for whom it does not know: all customers of it are ours."""
    with (
        tempfile.TemporaryDirectory() as folder,
        postgres_server(Path(folder)) as port,
        wire_to(port) as wire,
        psycopg.connect(host="127.0.0.1", port=port, user="tests", dbname="postgres", autocommit=True) as beside,
    ):

        def held() -> list[tuple[str, float | None]]:
            there = beside.execute("SELECT to_regclass('scores')").fetchall()
            if there == [(None,)]:
                return []
            return beside.execute("SELECT external_id, attrition_churn_probability FROM scores").fetchall()

        yield Target(
            block={
                "kind": "sql",
                "name": "warehouse",
                "address": f"postgresql://tests@127.0.0.1:{wire.port}/postgres",
                "table": "scores",
            },
            environment={},
            requests=lambda: wire.said,
            faulty=lambda: wire.broken,
            disturb=wire.disturb,
            probabilities=lambda: {who: float(value) for who, value in held() if value is not None},
            strangers=lambda: len({who for who, _ in held()} - set(customers)),
        )


@contextmanager
def bottlecrm(customers: Sequence[str]) -> Iterator[Target]:
    """A second task for one contact counts as a stranger."""
    with tempfile.TemporaryDirectory() as folder, real_bottlecrm(Path(folder)) as system:
        before = len(system.contacts)
        with pytest.MonkeyPatch.context() as patch:  # what it has no field for, it does not keep
            patch.setenv("ATTRITION_BOTTLECRM_TOKEN", system.tokens["admin"])
            bottlecrm_connector.connect(bottlecrm_case.plan(system.address), language="en").setup()
        for customer in customers:
            system.contact(customer)
        address = urlsplit(system.address)
        with (
            wire_to(address.port or 80) as wire,
            psycopg.connect(host="127.0.0.1", port=system.database, user="tests", dbname="crm", autocommit=True) as crm,
        ):

            def strangers() -> int:
                rows = crm.execute("SELECT count(*) FROM contacts").fetchall()
                tasks = crm.execute(
                    "SELECT count(*) - count(DISTINCT custom_fields ->> 'attrition_task') FROM task"
                ).fetchall()
                return int(rows[0][0]) - before - len(customers) + int(tasks[0][0])

            yield Target(
                block={"kind": "bottlecrm", "name": "crm", "address": f"http://127.0.0.1:{wire.port}"},
                environment={"ATTRITION_BOTTLECRM_TOKEN": system.tokens["admin"]},
                requests=lambda: wire.said,
                faulty=lambda: wire.broken,
                disturb=wire.disturb,
                probabilities=lambda: {
                    who: float(value)
                    for who, value in crm.execute(
                        "SELECT custom_fields ->> 'attrition_external_id', "
                        "custom_fields ->> 'attrition_churn_probability' FROM contacts"
                    ).fetchall()
                    if value is not None
                },
                strangers=strangers,
            )


TARGETS: Mapping[str, Callable[[Sequence[str]], AbstractContextManager[Target]]] = {
    "hubspot": hubspot,
    "salesforce": salesforce,
    "rest": rest,
    "postgresql": postgresql,
    "bottlecrm": bottlecrm,
}
AT_MOST = {"bottlecrm": 20}
"""Records, where each takes calls of its own to a real system."""
