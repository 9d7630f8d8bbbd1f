"""From the outbox to a destination: batch by batch, again where it failed, until each record is taken or refused."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from pipelines.foundation.settings.delivered_fields import FIELDS
from pipelines.operations.delivery.connector import Connector, Outcome, Record, UnavailableError, Value
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
    """taken, dead and failed: how many records; failed ones wait for the next run, which `why` explains.

    sample: some of those taken, for reading back.
    """

    taken: int
    dead: int
    failed: int
    why: str
    sample: list[OutboxRecord]


def send(
    outbox: Outbox,
    connector: Connector,
    *,
    own: Own,
    at: datetime,
    patience: Patience,
    sample: int,
    sleep: Callable[[float], None],
    progress: Callable[[str], None],
) -> Sent:
    """Send whatever waits. Each answer is in the ledger before the next call.

    own: the company's ids of customers. at: when the run began. sample: how many of those taken are kept.
    """
    chance = random.Random()  # noqa: S311 - it spreads pauses and picks samples
    waiting, later = deque(outbox.waiting()), list[str]()
    planned, taken, dead, failures, why = len(waiting), 0, 0, 0, ""
    kept: list[OutboxRecord] = []
    while waiting or later:
        if not waiting:
            sleep(patience.pause(1, asked=None, chance=chance))
            waiting.extend(later)
            later.clear()
        batch = [waiting.popleft() for _ in range(min(connector.batch, len(waiting)))]
        queued = outbox.mark_in_flight(batch)
        records = [Record(name, record.values) for name, record in zip(own(batch), queued, strict=True)]
        try:
            outcomes = connector.send(records)
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
        for record in good:
            taken += 1
            _keep(kept, record, seen=taken, most=sample, chance=chance)
        progress(f"{taken:,} of {planned:,} sent")
    return Sent(taken, dead, planned - taken - dead, why, kept)


def read_back(
    connector: Connector,
    sample: Sequence[OutboxRecord],
    *,
    own: Own,
    sleep: Callable[[float], None],
    patience: Patience,
) -> dict[str, list[str]]:
    """The fields in which the destination holds something else than it took, by customer; nothing where all is well.

    A record that is not there at all differs in "external_id", unless it was withdrawn.
    Raises: UnavailableError where it cannot be read, however often it is tried.
    """
    names = own([record.customer for record in sample])
    there = patiently(lambda: connector.read(names), patience=patience, sleep=sleep) if sample else {}
    differing = {
        record.customer: _differing(record, there.get(name)) for name, record in zip(names, sample, strict=True)
    }
    return {customer: fields for customer, fields in differing.items() if fields}


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


def _keep(kept: list[OutboxRecord], record: OutboxRecord, *, seen: int, most: int, chance: random.Random) -> None:
    """A sample of everything seen, of one size, in which each is as likely as any other (Vitter 1985)."""
    if len(kept) < most:
        kept.append(record)
    elif (place := chance.randrange(seen)) < most:
        kept[place] = record


def _differing(record: OutboxRecord, there: Mapping[str, Value] | None) -> list[str]:
    if there is None:
        return [] if record.withdrawn else ["external_id"]
    return [name for name, value in record.values.items() if not _same(name, value, there.get(name))]


def _same(name: str, sent: Any, found: Any) -> bool:
    if sent in (None, "") or found in (None, ""):
        return sent in (None, "", False) and found in (None, "", False)
    try:
        if FIELDS[name].kind in ("number", "integer"):
            return math.isclose(float(sent), float(found), rel_tol=1e-6, abs_tol=1e-9)
        if FIELDS[name].kind == "datetime":
            return datetime.fromisoformat(str(sent)) == datetime.fromisoformat(str(found))
    except (ValueError, TypeError):  # what is there is no number, or no time that can be compared
        return False
    return bool(sent == found)
