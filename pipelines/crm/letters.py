"""`attrition outbox` and `attrition crm`: what waits for a destination, and whether it can be written to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from features.errors import DataError, SettingsError, did_you_mean
from pipelines.crm.connector import Connector, DestinationError, UnavailableError, named
from pipelines.crm.delivery import own_ids
from pipelines.crm.destinations import connect
from pipelines.crm.outbox import Outbox
from pipelines.crm.outbox_tables import destinations
from pipelines.crm_settings import Destination
from pipelines.run import Job

SHOWN = 20
DELIVERIES = 5


def letters(
    job: Job, destination: str | None, *, customers: Sequence[str] | None, retry: bool, drop: bool
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
    chosen = known if destination is None else [_named(destination, known)]
    names = {workspace.name_of(customer) for customer in customers} if customers else None
    moved = {
        name: Outbox(workspace.store, name).put("pending" if retry else "dropped", names) if retry or drop else 0
        for name in chosen
    }
    if names and not any(moved.values()):
        raise DataError("no refused record of these customers is there; `attrition outbox` lists them")
    found = [_told(job, name) | {"moved": moved[name]} for name in chosen]
    for each in found:
        _tell(job, each, retry=retry, drop=drop)
    if not found:
        job.people.say("the settings name no destination ([[destinations]]), and nothing waits")
    return {"destinations": found}


def setup(job: Job, destination: str | None) -> dict[str, Any]:
    """Make missing fields, and try whether the destination is ready then. Raises: DestinationError."""
    found = []
    for plan in _plans(job, destination):
        with job.people.stage("setup"):
            try:
                connector = connect(plan, language=job.workspace.settings.language)
                made = connector.setup()
            except UnavailableError as error:
                raise DestinationError(f"{named(plan.name, error)}; try again later") from None
            problem = _problem(connector)
        job.people.say(f"  {plan.name}: {'made ' + ', '.join(made) if made else 'every field is there already'}")
        job.people.say(f"  {named(plan.name, problem or 'ready')}")
        found.append({"name": plan.name, "made": made, "problem": problem})
    return {"destinations": found}


def check(job: Job, destination: str | None) -> dict[str, Any]:
    """What stands against writing to each destination."""
    found = []
    for plan in _plans(job, destination):
        with job.people.stage("check"):
            try:
                problem = _problem(connect(plan, language=job.workspace.settings.language))
            except DestinationError as error:
                problem = str(error)
        job.people.say(f"  {named(plan.name, problem or 'ready')}")
        found.append({"name": plan.name, "problem": problem})
    return {"destinations": found}


def _problem(connector: Connector) -> str | None:
    try:
        connector.check()
    except (DestinationError, UnavailableError) as error:
        return str(error)
    return None


def _plans(job: Job, destination: str | None) -> list[Destination]:
    plans = {plan.name: plan for plan in job.workspace.settings.destinations}
    if not plans:
        raise SettingsError("the settings name no destination; add a [[destinations]] block to attrition.toml")
    return list(plans.values()) if destination is None else [plans[_named(destination, list(plans))]]


def _named(name: str, known: list[str]) -> str:
    if name not in known:
        there = ", ".join(known) or "none"
        raise SettingsError(f"there is no destination '{name}'.{did_you_mean(name, known)} There are: {there}")
    return name


def _told(job: Job, name: str) -> dict[str, Any]:
    outbox, own = Outbox(job.workspace.store, name), own_ids(job.workspace)
    found = [letter for state in ("dead", "dropped", "pending") for letter in outbox.letters(state)]
    ids = own([letter.customer for letter in found])
    return {
        "name": name,
        **outbox.counts(),
        "letters": [
            {
                "external_id": customer,
                "state": letter.state,
                "attempts": letter.attempts,
                "why": letter.why,
                "planned_at": letter.planned_at,
                "withdrawn": letter.withdrawn,
            }
            for customer, letter in zip(ids, found, strict=True)
        ],
        "deliveries": outbox.logged(limit=DELIVERIES),
    }


def _tell(job: Job, found: dict[str, Any], *, retry: bool, drop: bool) -> None:
    say = job.people.say
    say(
        f"{found['name']}: {found['pending']:,} wait, {found['dead']:,} refused, {found['dropped']:,} dropped; "
        f"{found['held']:,} customers are held there"
    )
    if retry or drop:
        say(f"  {found['moved']:,} {'wait for the next `attrition deliver`' if retry else 'dropped'}")
    for letter in found["letters"][:SHOWN]:
        why = f": {letter['why']}" if letter["why"] else ""
        say(f"  {letter['external_id']} {letter['state']}{why}")
    if len(found["letters"]) > SHOWN:
        say(f"  ... and {len(found['letters']) - SHOWN:,} more; --json lists all")
    for logged in found["deliveries"]:
        counts = logged["detail"]
        say(
            f"  {logged['started_at'][:16]}, scores of {logged['as_of']}: {counts['sent']:,} sent, "
            f"{counts['unchanged']:,} unchanged, {counts['failed']:,} failed"
        )
