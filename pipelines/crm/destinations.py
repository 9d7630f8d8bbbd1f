"""The connectors by kind. Each is imported where it is used: its vendor's client may not be installed."""

from __future__ import annotations

from importlib import import_module
from typing import Literal

from pipelines.crm.connector import Connector, DestinationError
from pipelines.crm_settings import Destination

# The extra of the distribution that a kind needs; None where it needs nothing further.
EXTRAS = {"hubspot": "hubspot", "salesforce": "salesforce", "bottlecrm": None, "sql": "postgresql", "rest": None}


def connect(plan: Destination, *, language: Literal["en", "fr"]) -> Connector:
    """The connector of a destination; nothing is sent yet. language: of the labels that people see there.

    Raises: DestinationError where its client is not installed, or a secret is missing.
    """
    try:
        module = import_module(f"pipelines.crm.{plan.kind}")
    except ModuleNotFoundError as error:
        if EXTRAS[plan.kind] is None:
            raise
        raise DestinationError(
            f'destination "{plan.name}" needs {error.name}, which is not installed; run `pip install '
            f'"attrition[{EXTRAS[plan.kind]}]"`'
        ) from None
    connector: Connector = module.connect(plan, language=language)
    return connector
