"""One destination, from the comparison with what it holds to the answer to every record."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
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
from pipelines.operations.delivery.outbox import Outbox, OutboxRecord
from pipelines.operations.delivery.policy import Values, records, withdrawal
from pipelines.operations.delivery.sending import Own, Patience, patiently, read_back, send

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
    """A destination, what it holds, and in what that differs from what is wanted."""

    destination: Destination
    outbox: Outbox
    remote: Mapping[str, RemoteState]
    difference: Difference

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
    return Compared(destination, outbox, remote, found)


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
    """Plan, send, read back and log; the figures of the destination.

    Raises: DestinationError where it cannot be written to; what is planned waits.
    """
    outbox = compared.outbox
    patience = Patience(attempts=plan.attempts, pause_seconds=plan.pause_seconds)
    outbox.plan(compared.difference.changes, keep=compared.difference.refused, at=now)
    found = figures(compared)
    if not compared.difference.changes:
        return found
    found["failed"] = found["planned"]
    try:
        patiently(connector.check, patience=patience, sleep=sleep)
        sent = send(
            outbox,
            connector,
            own=own,
            at=now,
            patience=patience,
            sample=plan.read_back,
            sleep=sleep,
            progress=progress,
        )
        found |= {"sent": sent.taken, "failed": sent.failed, "dead": outbox.counts()["dead"], "why": sent.why}
    except UnavailableError as error:
        found["why"] = str(error)
    else:
        found |= _read_back(outbox, connector, sent.sample, own=own, sleep=sleep, patience=patience)
    outbox.log(as_of=run.as_of, run_id=run.run_id, at=now, detail=found | {"differing": len(found["differing"])})
    return found


def _read_back(
    outbox: Outbox,
    connector: Connector,
    sample: Sequence[OutboxRecord],
    *,
    own: Own,
    sleep: Callable[[float], None],
    patience: Patience,
) -> dict[str, Any]:
    """How many records were read again, and of whom something else is held than was sent; or why none could be read."""
    try:
        differing = read_back(connector, sample, own=own, sleep=sleep, patience=patience)
    except (UnavailableError, DestinationError) as error:
        return {"not_read_back": str(error)}
    outbox.mark_uncertain(differing)
    told = dict(zip(own(list(differing)), differing.values(), strict=True))
    return {"read_back": len(sample), "differing": told}


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
        "differing": {},
    }
