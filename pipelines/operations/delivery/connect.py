"""The connectors by kind. Each is imported where it is used: its vendor's client may not be installed."""

from __future__ import annotations

from typing import Any, Literal

from pipelines.foundation.settings.destinations import Destination
from pipelines.operations.delivery.connector import Connector, DestinationError

# The extra of the distribution by the package that it brings.
EXTRAS = {"hubspot": "hubspot", "simple_salesforce": "salesforce", "psycopg": "postgresql"}


def connect(plan: Destination, *, language: Literal["en", "fr"]) -> Connector:
    """The connector of a destination; nothing is sent yet. language: of the labels that people see there.

    Raises: DestinationError where its client is not installed, or a secret is missing.
    """
    try:
        make = _connect(plan.kind)
    except ModuleNotFoundError as error:
        if error.name not in EXTRAS:
            raise
        raise DestinationError(
            f'destination "{plan.name}" needs {error.name}, which is not installed; run `pip install '
            f'"attrition[{EXTRAS[error.name]}]"`'
        ) from None
    connector: Connector = make(plan, language=language)
    return connector


def _connect(kind: str) -> Any:
    if kind == "hubspot":
        from pipelines.operations.delivery.hubspot import connector as hubspot

        return hubspot.connect
    if kind == "salesforce":
        from pipelines.operations.delivery.salesforce import connector as salesforce

        return salesforce.connect
    if kind == "bottlecrm":
        from pipelines.operations.delivery.bottlecrm import connector as bottlecrm

        return bottlecrm.connect
    if kind == "sql":
        from pipelines.operations.delivery.postgresql import connector as sql

        return sql.connect
    from pipelines.operations.delivery.json_api import connector as rest

    return rest.connect
