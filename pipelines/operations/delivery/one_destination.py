"""One destination, from the comparison with what it holds to the answer to every record."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

import pandas as pd

from pipelines.foundation.identity.permissions import Permissions
from pipelines.foundation.ledger.score_store import ScoreRun
from pipelines.foundation.settings.delivered_fields import STAMPS
from pipelines.foundation.settings.destinations import Delivery, Destination
from pipelines.foundation.storage.store import Store
from pipelines.operations.delivery.connector import Connector, DestinationError, UnavailableError, Value
from pipelines.operations.delivery.difference import Difference, RemoteState, difference
from pipelines.operations.delivery.guards import Guard, of_a_destination
from pipelines.operations.delivery.outbox import Outbox
from pipelines.operations.delivery.policy import Values, content, records, withdrawal
from pipelines.operations.delivery.reading_back import Held, differing
from pipelines.operations.delivery.sending import Own, Patience, Sent, patiently, send

SAMPLE = 3


@dataclass(frozen=True)
class Wanted:
    """What every destination is to hold, by the workspace's names of customers.

    held_back: customers who were scored and whose risk is not shown. why_not: the reason for which nothing is to be
    held of somebody.
    """

    run: ScoreRun
    values: Mapping[str, Values]
    held_back: int
    why_not: Callable[[str], str]

    @property
    def stamps(self) -> dict[str, Value]:
        return {name: self.run.detail[name] for name in STAMPS}


@dataclass(frozen=True)
class Compared:
    """A destination, what it holds, and in what that differs from what is wanted. again: by what it holds then."""

    destination: Destination
    outbox: Outbox
    remote: Mapping[str, RemoteState]
    difference: Difference
    wants: Wanted
    again: Callable[[], Compared]

    def guards(self, *, max_changed_share: float, max_band_shift: float) -> dict[str, Guard]:
        return of_a_destination(
            self.difference.changes, self.remote, max_changed_share=max_changed_share, max_band_shift=max_band_shift
        )

    def sample(self, own: Own) -> list[dict[str, Any]]:
        """Some of what would be sent."""
        changes = self.difference.changes
        chosen = random.Random(0).sample(changes, min(SAMPLE, len(changes)))  # noqa: S311 - picks samples
        names = own([change.customer for change in chosen])
        return [{"external_id": name, **change.values} for name, change in zip(names, chosen, strict=True)]


def wanted(
    permissions: Permissions,
    run: ScoreRun,
    scores: pd.DataFrame,
    *,
    before: pd.DataFrame | None,
    plays: pd.DataFrame,
) -> Wanted:
    """The policy applied to the scores of a run: nothing of whom the lists keep inside, no risk of who is held out.

    before: the scores of the scored day before. plays: group and play of each customer.
    """
    refusals = permissions.refusals().known_as(permissions.name_of)
    inside = permissions.kept_inside().known_as(permissions.name_of)
    handed_over = scores[inside.allows(scores["customer_id"])].reset_index(drop=True)
    values = records(handed_over, before=before, plays=plays)

    def why_not(customer: str) -> str:
        if customer in refusals.objected:
            return "objection"
        if refusals.consented is not None and customer not in refusals.consented:
            return "no_consent"
        return "opt_out" if customer in inside.objected else "not_scored"

    holdout = sum(bool(each["suppressed"]) for each in values.values())
    return Wanted(run, values, len(scores) - len(handed_over) + holdout, why_not)


def compare(store: Store, destination: Destination, wants: Wanted, *, today: date, valid_days: int) -> Compared:
    """What a destination lacks, and what it holds too much."""
    outbox = Outbox(store, destination.name)
    remote = outbox.remote_states()
    withdrawn = {
        customer: withdrawal(wants.why_not(customer), wants.stamps)
        for customer in sorted(remote.keys() - wants.values.keys())
    }
    found = difference(
        wants.values,
        withdrawn,
        remote=remote,
        refused=outbox.refused(),
        today=today,
        valid_days=valid_days,
    )
    again = partial(compare, store, destination, wants, today=today, valid_days=valid_days)
    return Compared(destination, outbox, remote, found, wants, again)


def deliver_to(
    plan: Delivery,
    compared: Compared,
    connector: Connector,
    run: ScoreRun,
    *,
    now: datetime,
    own: Own,
    sleep: Callable[[float], None],
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Plan, send, read back, send again what is not there, and log; the figures of the destination.

    Raises: DestinationError where it cannot be written to; what is planned waits.
    """
    delivery = _Delivery(plan, connector, now=now, own=own, sleep=sleep, progress=progress)
    found = figures(compared)
    if compared.difference.changes:
        found["failed"] = found["planned"]
    try:
        sent = delivery.send(compared)
        found |= {"sent": sent.taken, "failed": sent.failed, "dead": compared.outbox.counts()["dead"], "why": sent.why}
    except UnavailableError as error:
        found["why"] = str(error)
    else:
        if plan.read_back:
            found |= delivery.read_back(compared)
    if compared.difference.changes or found["mended"] or found["differing"]:
        detail = found | {"differing": len(found["differing"])}
        compared.outbox.log(as_of=run.as_of, run_id=run.run_id, at=now, detail=detail)
    return found


@dataclass(frozen=True)
class _Delivery:
    """One delivery to a destination: how to reach it, and how patiently."""

    plan: Delivery
    connector: Connector
    _: KW_ONLY
    now: datetime
    own: Own
    sleep: Callable[[float], None]
    progress: Callable[[str], None]

    @property
    def patience(self) -> Patience:
        return Patience(attempts=self.plan.attempts, pause_seconds=self.plan.pause_seconds)

    def send(self, compared: Compared) -> Sent:
        """Raises: UnavailableError, DestinationError; what is planned waits."""
        changes = compared.difference.changes
        compared.outbox.plan(changes, keep=compared.difference.refused, at=self.now)
        if not changes:
            return Sent(0, 0, 0, "")
        patiently(self.connector.check, patience=self.patience, sleep=self.sleep)
        return send(
            compared.outbox,
            self.connector,
            own=self.own,
            at=self.now,
            patience=self.patience,
            sleep=self.sleep,
            progress=self.progress,
        )

    def read_back(self, compared: Compared) -> dict[str, Any]:
        """What was read, of whom something else was held than was taken, and of how many of them no longer.

        One record that is not there puts all others in doubt: they are read, too. What is not there is sent again as
        long as that mends at least half of it.
        """
        told: dict[str, Any] = {"read_back": 0, "mended": 0, "differing": {}}
        wrong: dict[str, list[str]] = {}
        try:
            should = _should_hold(compared)
            first = [customer for customer, held in should.items() if held.withdrawn]
            certain = [customer for customer in compared.outbox.longest_unread() if customer in should]
            some, others = [*first, *certain[: self.plan.read_back]], certain[self.plan.read_back :]
            wrong = self._wrong(compared, [should[each] for each in some])
            told["read_back"] = len(some)
            if wrong:
                self.progress(f"{len(wrong):,} of {len(some):,} differ from what was taken; reading all others, too")
                wrong |= self._wrong(compared, [should[each] for each in others])
                told["read_back"] += len(others)
            while wrong:
                again = compared.again()
                self.send(again)
                should = _should_hold(again)
                there = [should[customer] for customer in wrong if customer in should]
                still = self._wrong(again, there)
                still |= {customer: fields for customer, fields in wrong.items() if customer not in should}
                told["mended"] += len(wrong) - len(still)
                gave_up, wrong = 2 * len(still) > len(wrong), still
                if gave_up:
                    break
        except (UnavailableError, DestinationError) as error:
            told["not_read_back"] = str(error)
        return told | {"differing": dict(zip(self.own(list(wrong)), wrong.values(), strict=True))}

    def _wrong(self, compared: Compared, records: Sequence[Held]) -> dict[str, list[str]]:
        """Noted in the outbox: who differs is sent again, now or by the next delivery."""
        found = differing(
            self.connector,
            records,
            own=self.own,
            sleep=self.sleep,
            patience=self.patience,
            progress=self.progress,
        )
        compared.outbox.mark_uncertain(found)
        compared.outbox.mark_read((each.customer for each in records if each.customer not in found), at=self.now)
        return found


def _should_hold(compared: Compared) -> dict[str, Held]:
    """What the destination has taken and is still wanted, and what it has withdrawn just now, by customer.

    Of the stamps only until when it holds: the others tell of the scoring with which something was sent.
    """
    found = {}
    there, waiting = compared.outbox.remote_states(), set(compared.outbox.waiting())
    for customer, state in there.items():
        values = compared.wants.values.get(customer)
        if values is not None and not state.uncertain and content(values) == state.content_sha256:
            said = {name: value for name, value in values.items() if name not in STAMPS}
            found[customer] = Held(customer, said | {"valid_until": state.valid_until}, withdrawn=False)
    for change in compared.difference.changes:
        if change.withdrawn and change.customer not in there and change.customer not in waiting:
            found[change.customer] = Held(change.customer, change.values, withdrawn=True)
    return found


def figures(compared: Compared) -> dict[str, Any]:
    """What would be sent to a destination, before anything is."""
    return {
        "name": compared.destination.name,
        "planned": len(compared.difference.changes),
        "sent": 0,
        "unchanged": compared.difference.unchanged,
        "failed": 0,
        "dead": compared.outbox.counts()["dead"],
        "why": "",
        "read_back": 0,
        "not_read_back": "",
        "mended": 0,
        "differing": {},
    }
