"""`attrition outbox`: what waits for destinations, what they refused, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from features.errors import DataError, SettingsError
from pipelines.foundation.ledger.outbox import destinations
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.operations.delivery.outbox import Outbox
from pipelines.operations.delivery.readiness import known_one

SHOWN = 20
DELIVERIES = 5


def manage_outbox(
    job: RunContext, destination: str | None, *, customers: Sequence[str] | None, retry: bool, drop: bool
) -> dict[str, Any]:
    """The outbox of each destination; first, where wanted, its refused records are to be tried again, or dropped.

    customers: by the company's own ids; None: all.
    Raises: SettingsError where nothing of that name is known, DataError where none of the customers has a record.
    """
    if retry and drop:
        raise SettingsError("--retry and --drop exclude each other; give one of them")
    if customers and not (retry or drop):
        raise SettingsError("customers are named together with --retry or --drop only; give one of them")
    workspace = job.workspace
    known = list(dict.fromkeys([each.name for each in workspace.settings.destinations] + destinations(workspace.store)))
    chosen = known if destination is None else [known_one(destination, known)]
    names = {workspace.permissions.name_of(customer) for customer in customers} if customers else None
    moved = {
        name: Outbox(workspace.store, name).put("pending" if retry else "dropped", names) if retry or drop else 0
        for name in chosen
    }
    if names and not any(moved.values()):
        raise DataError("no refused record of these customers is there; `attrition outbox` lists them")
    found = [_summary(job, name) | {"moved": moved[name]} for name in chosen]
    for each in found:
        _summary_lines(job, each, retry=retry, drop=drop)
    if not found:
        job.console.say("the settings name no destination ([[destinations]]), and nothing waits")
    return {"destinations": found}


def _summary(job: RunContext, name: str) -> dict[str, Any]:
    outbox, own = Outbox(job.workspace.store, name), job.workspace.permissions.own_ids
    found = [record for state in ("dead", "dropped", "pending") for record in outbox.records(state)]
    ids = own([record.customer for record in found])
    return {
        "name": name,
        **outbox.counts(),
        "letters": [
            {
                "external_id": customer,
                "state": record.state,
                "attempts": record.attempts,
                "why": record.why,
                "planned_at": record.planned_at,
                "withdrawn": record.withdrawn,
            }
            for customer, record in zip(ids, found, strict=True)
        ],
        "deliveries": outbox.logged(limit=DELIVERIES),
    }


def _summary_lines(job: RunContext, found: dict[str, Any], *, retry: bool, drop: bool) -> None:
    say = job.console.say
    say(
        f"{found['name']}: {found['pending']:,} wait, {found['dead']:,} refused, {found['dropped']:,} dropped; "
        f"{found['held']:,} customers are held there"
    )
    if retry or drop:
        say(f"  {found['moved']:,} {'wait for the next `attrition deliver`' if retry else 'dropped'}")
    for record in found["letters"][:SHOWN]:
        why = f": {record['why']}" if record["why"] else ""
        say(f"  {record['external_id']} {record['state']}{why}")
    if len(found["letters"]) > SHOWN:
        say(f"  ... and {len(found['letters']) - SHOWN:,} more; --json lists all")
    for logged in found["deliveries"]:
        counts = logged["detail"]
        say(
            f"  {logged['started_at'][:16]}, scores of {logged['as_of']}: {counts['sent']:,} sent, "
            f"{counts['unchanged']:,} unchanged, {counts['failed']:,} failed"
        )
