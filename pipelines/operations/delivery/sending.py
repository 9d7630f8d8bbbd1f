"""From the outbox to a destination: batch by batch, again where it failed, until each record is taken or refused."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pipelines.operations.delivery.connector import Connector, Outcome, Record, UnavailableError
from pipelines.operations.delivery.outbox import Outbox, OutboxRecord

LONGEST_PAUSE = 60.0
LONGEST_WAIT = 600.0  # a destination that asks for more is left alone until the next run

Own = Callable[[Sequence[str]], list[str]]
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Patience:
    """attempts: how often a call, or a record that is to be tried later, fails before it is left.

    pause_seconds: after the first failure; each further one in a row doubles it.
    """

    attempts: int
    pause_seconds: float

    def pause(self, failures: int, *, asked: float | None, chance: random.Random) -> float:
        """Seconds to wait after so many failures in a row; spread by chance, so that not all come back at once."""
        longest = min(LONGEST_PAUSE, self.pause_seconds * 2.0 ** (failures - 1))
        return max(asked or 0.0, longest * chance.uniform(0.5, 1.0))


@dataclass(frozen=True)
class Sent:
    """How many records. failed ones wait for the next run, which `why` explains."""

    taken: int
    dead: int
    failed: int
    why: str


def send(
    outbox: Outbox,
    connector: Connector,
    *,
    own: Own,
    at: datetime,
    patience: Patience,
    sleep: Callable[[float], None],
    progress: Callable[[str], None],
) -> Sent:
    """Send whatever waits. Each answer is in the ledger before the next call.

    own: the company's ids of customers. at: when the run began.
    """
    chance = random.Random()  # noqa: S311 - it spreads pauses
    waiting, later = deque(outbox.waiting()), list[str]()
    planned, taken, dead, failures, why = len(waiting), 0, 0, 0, ""
    while waiting or later:
        if not waiting:
            sleep(patience.pause(1, asked=None, chance=chance))
            waiting.extend(later)
            later.clear()
        batch = [waiting.popleft() for _ in range(min(connector.batch, len(waiting)))]
        queued = outbox.mark_in_flight(batch)
        records = [Record(name, record.values) for name, record in zip(own(batch), queued, strict=True)]
        try:
            outcomes = _one_each(connector.send(records), records)
        except UnavailableError as error:
            failures, why = failures + 1, str(error)
            waiting.extendleft(reversed(batch))
            wait = patience.pause(failures, asked=error.retry_after, chance=chance)
            if failures >= patience.attempts or wait > LONGEST_WAIT:
                break
            progress(f"{taken:,} of {planned:,} sent; trying again in {wait:.0f} s: {error}")
            sleep(wait)
            continue
        failures, why = 0, ""
        good = [record for record, outcome in zip(queued, outcomes, strict=True) if outcome.state == "taken"]
        outbox.taken(good, at=at)
        dead += _settled(outbox, queued, outcomes, patience, later)
        taken += len(good)
        progress(f"{taken:,} of {planned:,} sent")
    return Sent(taken, dead, planned - taken - dead, why)


def _one_each(outcomes: Sequence[Outcome], records: Sequence[Record]) -> Sequence[Outcome]:
    """Raises: UnavailableError where there are more or fewer answers, and which is whose cannot be told."""
    if len(outcomes) != len(records):
        raise UnavailableError(f"it answered for {len(outcomes)} of {len(records)} records")
    return outcomes


def patiently(call: Callable[[], T], *, patience: Patience, sleep: Callable[[float], None]) -> T:
    """A call that sends nothing, again where it failed.

    Raises: UnavailableError where it fails however often it is tried, or is not to be tried soon.
    """
    chance = random.Random()  # noqa: S311 - it spreads pauses
    for failures in range(1, patience.attempts):
        try:
            return call()
        except UnavailableError as error:
            wait = patience.pause(failures, asked=error.retry_after, chance=chance)
            if wait > LONGEST_WAIT:
                raise
            sleep(wait)
    return call()


def _settled(
    outbox: Outbox, queued: Sequence[OutboxRecord], outcomes: Sequence[Outcome], patience: Patience, later: list[str]
) -> int:
    """Note what was not taken; how many became dead letters. The others join `later`."""
    answers = [(record, outcome) for record, outcome in zip(queued, outcomes, strict=True) if outcome.state != "taken"]
    refused = {record.customer: outcome.why for record, outcome in answers if outcome.state == "refused"}
    again = {record.customer: outcome.why for record, outcome in answers if outcome.state == "later"}
    spent = {
        record.customer: f"tried {patience.attempts} times: {again[record.customer]}"
        for record, _ in answers
        if record.customer in again and record.attempts + 1 >= patience.attempts
    }
    outbox.dead_letter(refused, certain=True)
    outbox.tried(again)
    outbox.dead_letter(spent, certain=False)
    later += [customer for customer in again if customer not in spent]
    return len(refused) + len(spent)
