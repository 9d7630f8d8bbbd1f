"""`attrition crm`: whether destinations can be written to, and making what they lack for it."""

from __future__ import annotations

from typing import Any

from features.errors import SettingsError, did_you_mean
from pipelines.foundation.settings.destinations import Destination
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.operations.delivery.connect import connect
from pipelines.operations.delivery.connector import Connector, DestinationError, UnavailableError, named


def setup(job: RunContext, destination: str | None) -> dict[str, Any]:
    """Make missing fields, and try whether the destination is ready then. Raises: DestinationError."""
    found = []
    for plan in _plans(job, destination):
        with job.console.stage("setup"):
            try:
                connector = connect(plan, language=job.workspace.settings.language)
                made = connector.setup()
            except UnavailableError as error:
                raise DestinationError(f"{named(plan.name, error)}; try again later") from None
            problem = _problem(connector)
        job.console.say(f"  {plan.name}: {'made ' + ', '.join(made) if made else 'every field is there already'}")
        job.console.say(f"  {named(plan.name, problem or 'ready')}")
        found.append({"name": plan.name, "made": made, "problem": problem})
    return {"destinations": found}


def check(job: RunContext, destination: str | None) -> dict[str, Any]:
    """What stands against writing to each destination."""
    found = []
    for plan in _plans(job, destination):
        with job.console.stage("check"):
            try:
                problem = _problem(connect(plan, language=job.workspace.settings.language))
            except DestinationError as error:
                problem = str(error)
        job.console.say(f"  {named(plan.name, problem or 'ready')}")
        found.append({"name": plan.name, "problem": problem})
    return {"destinations": found}


def known_one(name: str, known: list[str]) -> str:
    """The name of a destination. Raises: SettingsError where there is none such."""
    if name not in known:
        there = ", ".join(known) or "none"
        raise SettingsError(f"there is no destination '{name}'.{did_you_mean(name, known)} There are: {there}")
    return name


def _problem(connector: Connector) -> str | None:
    try:
        connector.check()
    except (DestinationError, UnavailableError) as error:
        return str(error)
    return None


def _plans(job: RunContext, destination: str | None) -> list[Destination]:
    plans = {plan.name: plan for plan in job.workspace.settings.destinations}
    if not plans:
        raise SettingsError("the settings name no destination; add a [[destinations]] block to attrition.toml")
    return list(plans.values()) if destination is None else [plans[known_one(destination, list(plans))]]
