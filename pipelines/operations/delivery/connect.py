"""The connectors by kind. Each is imported where it is used: its vendor's client may not be installed."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Literal

from pipelines.foundation.settings.destinations import BottleCrm, Destination, HubSpot, Rest, Salesforce, Sql
from pipelines.operations.delivery.connector import Connector, DestinationError
from pipelines.operations.delivery.discreet import Discreet


@dataclass(frozen=True)
class Kind:
    """module: imports the file that has `connect`. client: the package that it needs besides, which `extra` brings.

    secrets: names of the environment's variables that hold one.
    """

    module: Callable[[], ModuleType]
    secrets: tuple[str, ...]
    client: str = ""
    extra: str = ""


# By the class of the settings. The names of the modules are written out, so that they can be searched for.
KINDS: dict[type[Destination], Kind] = {
    HubSpot: Kind(
        lambda: import_module("pipelines.operations.delivery.hubspot.connector"),
        ("ATTRITION_HUBSPOT_TOKEN",),
        client="hubspot",
        extra="hubspot",
    ),
    Salesforce: Kind(
        lambda: import_module("pipelines.operations.delivery.salesforce.connector"),
        ("ATTRITION_SALESFORCE_TOKEN", "ATTRITION_SALESFORCE_CLIENT_SECRET"),
        client="simple_salesforce",
        extra="salesforce",
    ),
    BottleCrm: Kind(
        lambda: import_module("pipelines.operations.delivery.bottlecrm.connector"), ("ATTRITION_BOTTLECRM_TOKEN",)
    ),
    Sql: Kind(
        lambda: import_module("pipelines.operations.delivery.postgresql.connector"),
        ("PGPASSWORD",),
        client="psycopg",
        extra="postgresql",
    ),
    Rest: Kind(lambda: import_module("pipelines.operations.delivery.json_api.connector"), ("ATTRITION_REST_TOKEN",)),
}


def connect(plan: Destination, *, language: Literal["en", "fr"]) -> Connector:
    """The connector of a destination, which says no secrets; nothing is sent yet. language: of labels that people see.

    Raises: DestinationError where its client is not installed, or a secret is missing.
    """
    kind = KINDS[type(plan)]
    try:
        module = kind.module()
    except ModuleNotFoundError as error:
        if error.name != kind.client:
            raise
        raise DestinationError(
            f'destination "{plan.name}" needs {kind.client}, which is not installed; run `pip install '
            f'"attrition[{kind.extra}]"`'
        ) from None
    return Discreet(
        module.connect(plan, language=language), [os.environ.get(name, "").strip() for name in kind.secrets]
    )
