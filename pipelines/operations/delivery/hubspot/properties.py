"""The properties that HubSpot's contacts need: what they must be, and making those that are missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from pipelines.foundation.settings.delivered_fields import CHOICES, FIELDS, Field, Kind
from pipelines.foundation.settings.destinations import HubSpot
from pipelines.operations.delivery.connector import DestinationError, UnavailableError
from pipelines.operations.delivery.hubspot.calls import InvalidError, ask

OBJECTS = "contacts"
GROUP = "attrition"

# How HubSpot stores a kind, and how its pages show it.
_TYPES: Mapping[Kind, tuple[str, str]] = {
    "text": ("string", "text"),
    "number": ("number", "number"),
    "integer": ("number", "number"),
    "flag": ("bool", "booleancheckbox"),
    "date": ("date", "date"),
    "datetime": ("datetime", "date"),
    "choice": ("enumeration", "select"),
}
# Lower case, digits and underscores after a letter; "hs_" is HubSpot's own.
_NAME = re.compile(r"(?!hs_)[a-z][a-z0-9_]{0,99}")

_LABELS: Mapping[str, Mapping[Literal["en", "fr"], str]] = {
    **CHOICES,
    "true": {"en": "Yes", "fr": "Oui"},
    "false": {"en": "No", "fr": "Non"},
}


def wanted(plan: HubSpot) -> dict[str, Field]:
    """Every property by its name at HubSpot, the unique one too.

    Raises: DestinationError where HubSpot cannot have such a name, or two would be one.
    """
    key = Field("external_id", "text", "Customer id of the company", "Identifiant client de l'entreprise")
    fields: dict[str, Field] = {}
    for name, field in [(plan.unique_property, key), *((plan.remote.remote(each), FIELDS[each]) for each in FIELDS)]:
        if not _NAME.fullmatch(name):
            raise DestinationError(
                f'destination "{plan.name}": HubSpot has no property called "{name}"; its names are lower-case '
                'letters, digits and "_", start with a letter and not with "hs_", and have 100 characters at most'
            )
        if name in fields:
            raise DestinationError(
                f'destination "{plan.name}": {fields[name].name} and {field.name} would both be "{name}" at HubSpot; '
                "give one of them another name"
            )
        fields[name] = field
    return fields


class Properties:
    """The properties of contacts at one account."""

    def __init__(self, plan: HubSpot, client: Any, *, language: Literal["en", "fr"]) -> None:
        self._plan = plan
        self._language = language
        self._wanted = wanted(plan)
        self._core = client.crm.properties.core_api
        self._batch = client.crm.properties.batch_api
        self._groups = client.crm.properties.groups_api

    def make(self) -> list[str]:
        """Make the group and the properties that are missing; their names. One that was made before is left alone."""
        missing = self._missing()
        if not missing:
            return []
        groups = self._ask(self._groups.get_all_with_http_info, OBJECTS)
        try:
            if GROUP not in {each.name for each in groups.results}:
                group = {"name": GROUP, "label": "Attrition"}
                self._ask(self._groups.create_with_http_info, OBJECTS, group, has="name")
            inputs = [self._definition(name, self._wanted[name]) for name in missing]
            self._ask(self._batch.create_with_http_info, OBJECTS, {"inputs": inputs})
        except InvalidError as error:
            raise DestinationError(f"HubSpot does not make the properties {', '.join(missing)}: {error}") from None
        left = self._missing()
        if left:
            raise UnavailableError(f"HubSpot has not made all properties ({', '.join(left)} are missing); try again")
        return missing

    def check(self) -> None:
        missing = self._missing()
        if missing:
            raise DestinationError(
                f"HubSpot's contacts lack {len(missing)} properties ({', '.join(missing)}); make them with the setup "
                f'of destination "{self._plan.name}"'
            )

    def _missing(self) -> list[str]:
        """Names of those that are not there. Raises: DestinationError where one is there and will not do."""
        there = {each.name: each for each in self._ask(self._core.get_all_with_http_info, OBJECTS).results}
        for name, field in self._wanted.items():
            if name in there:
                self._check_one(there[name], field, unique=name == self._plan.unique_property)
        return [name for name in self._wanted if name not in there]

    def _check_one(self, there: Any, field: Field, *, unique: bool) -> None:
        remedy = (
            "set `unique_property` to another name"
            if unique
            else f'give it another name with `names`, as in {field.name} = "{there.name}_2"'
        )
        what = f'the property "{there.name}" of HubSpot\'s contacts'
        kind, _ = _TYPES[field.kind]
        if there.hubspot_defined:
            raise DestinationError(f"{what} is HubSpot's own and would be overwritten; {remedy}")
        # A flag was once a choice between "true" and "false", and still is in properties of that time.
        if there.type != kind and not (field.kind == "flag" and there.field_type == "booleancheckbox"):
            raise DestinationError(
                f"{what} is of type {there.type}, and {kind} is needed; archive it there, or {remedy}"
            )
        if there.calculated or (there.modification_metadata and there.modification_metadata.read_only_value):
            raise DestinationError(f"{what} can only be read; {remedy}")
        if unique and not there.has_unique_value:
            raise DestinationError(
                f"{what} may hold a value twice, so that no contact is found by it; HubSpot makes a property unique "
                f"only when it is new: {remedy}, and the setup makes it"
            )
        lacking = [each for each in field.choices if each not in {option.value for option in there.options or ()}]
        if lacking:
            raise DestinationError(f"{what} lacks the options {', '.join(lacking)}; add them there, or {remedy}")

    def _definition(self, name: str, field: Field) -> dict[str, Any]:
        kind, shown = _TYPES[field.kind]
        definition: dict[str, Any] = {
            "name": name,
            "label": field.fr if self._language == "fr" else field.en,
            "groupName": GROUP,
            "type": kind,
            "fieldType": shown,
            "formField": False,
        }
        options: tuple[str, ...] = ("true", "false") if field.kind == "flag" else field.choices
        if options:
            definition["options"] = [
                {"value": each, "label": _LABELS[each][self._language], "displayOrder": order, "hidden": False}
                for order, each in enumerate(options)
            ]
        if name == self._plan.unique_property:
            definition["hasUniqueValue"] = True
        return definition

    def _ask(self, call: Any, *arguments: Any, has: str = "results") -> Any:
        return ask(call, *arguments, timeout_seconds=self._plan.timeout_seconds, has=has)[0]
