"""Destinations to deliver to: fakes of vendors' systems in this process, and a real PostgreSQL."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.pipelines.operations.delivery.hubspot import fake_hubspot
from tests.pipelines.operations.delivery.json_api import fake_json_api, json_api_case
from tests.pipelines.operations.delivery.salesforce import fake_salesforce


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


TARGETS: Mapping[str, Callable[[Sequence[str]], AbstractContextManager[Target]]] = {
    "hubspot": hubspot,
    "salesforce": salesforce,
    "rest": rest,
}
