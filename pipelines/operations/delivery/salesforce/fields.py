"""Our fields in Salesforce: what they are called and made of there, and how their values are written and read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal

from pipelines.foundation.settings.delivered_fields import CHOICES, FIELDS, Field, Kind
from pipelines.foundation.settings.destinations import Salesforce
from pipelines.operations.delivery.connector import Record, UnsendableError, Value

Row = Mapping[str, Value]

# Sentences may be longer than a text field, and nobody filters by them: their codes are there for that.
_SENTENCES = frozenset({"reason_1", "reason_2", "reason_3", "recommended_play", "suppressed_why"})
_SENTENCE_CHARACTERS = 1000
_TEXT_CHARACTERS = 255
# Of 18 digits in all. A probability has one before the point, an amount up to twelve.
_DECIMALS = {"churn_probability": 16, "value_at_risk": 6}

# Types that Salesforce tells of a field which holds our kind as it is.
_HOLDS = {
    "text": {"string", "textarea"},
    "number": {"double"},
    "integer": {"double", "int"},
    "flag": {"boolean"},
    "date": {"date"},
    "datetime": {"datetime"},
    "choice": {"picklist", "string"},
}


def metadata(field: Field, *, language: Literal["en", "fr"], choice: str) -> dict[str, Any]:
    """What the Tooling API makes a field of. choice: what it calls the name of a picklist's value."""
    return {"label": field.en if language == "en" else field.fr, "required": False, **_kind(field, choice, language)}


def key_metadata(*, language: Literal["en", "fr"]) -> dict[str, Any]:
    """The same of the external id. Its case counts: "a-1" and "A-1" are two customers."""
    label = "Customer number (attrition)" if language == "en" else "Numéro de client (attrition)"
    shape = {"type": "Text", "length": _TEXT_CHARACTERS, "externalId": True, "unique": True, "caseSensitive": True}
    return {"label": label, "required": False, **shape}


def _kind(field: Field, choice: str, language: Literal["en", "fr"]) -> dict[str, Any]:
    values = [{choice: each, "label": CHOICES[each][language], "default": False} for each in field.choices]
    kinds: dict[Kind, dict[str, Any]] = {
        "number": {"type": "Number", "precision": 18, "scale": _DECIMALS.get(field.name, 0)},
        "integer": {"type": "Number", "precision": 18, "scale": 0},
        "flag": {"type": "Checkbox", "defaultValue": False},
        "date": {"type": "Date"},
        "datetime": {"type": "DateTime"},
        "choice": {
            "type": "Picklist",
            "valueSet": {"restricted": True, "valueSetDefinition": {"sorted": False, "value": values}},
        },
        "text": {"type": "Text", "length": _TEXT_CHARACTERS},
    }
    if field.name in _SENTENCES:
        return {"type": "LongTextArea", "length": _SENTENCE_CHARACTERS, "visibleLines": 3}
    return kinds[field.kind]


def unfit(name: str, field: Field, found: Mapping[str, Any]) -> Iterator[str]:
    """What keeps a field that is there from holding ours. found: what Salesforce tells of it."""
    kind = found["type"]
    if kind not in _HOLDS[field.kind]:
        yield f"{name} has the type {kind}, which does not hold a {field.kind}; rename ours under names"
    elif field.kind == "number" and found["scale"] < _DECIMALS[field.name]:
        yield f"{name} keeps {found['scale']} decimals of {_DECIMALS[field.name]}; rename ours under names"
    elif kind == "picklist" and found.get("restrictedPicklist"):
        allowed = {each["value"] for each in found["picklistValues"] if each["active"]}
        missing = [each for each in field.choices if each not in allowed]
        if missing:
            yield f"{name} lacks the value {', '.join(missing)}; add it to the picklist"


@dataclass(frozen=True)
class Values:
    """Rows as a plan wants them sent, and records as they were sent from what is read back."""

    plan: Salesforce

    def row(self, record: Record) -> dict[str, Value]:
        """By API name. Raises: UnsendableError, in words, where a value cannot be sent."""
        return {self.plan.remote.remote(name): _written(FIELDS[name], value) for name, value in record.values.items()}

    def values(self, row: Mapping[str, Any]) -> dict[str, Value]:
        return {name: _read(field, row.get(self.plan.remote.remote(name))) for name, field in FIELDS.items()}


def _written(field: Field, value: Value) -> Value:
    if field.kind == "flag":
        return bool(value)  # a checkbox is never empty
    if value is None or value == "":
        return None
    try:
        match field.kind:
            case "number" | "integer":
                return _number(field, float(value))
            case "date":
                return date.fromisoformat(str(value)).isoformat()
            case "datetime":
                return _moment(str(value)).strftime("%Y-%m-%dT%H:%M:%SZ")
            case _:
                str(value).encode()
                return str(value)
    except ValueError:
        raise UnsendableError(f"{field.name} does not hold a {field.kind} that can be written") from None


def _number(field: Field, value: float) -> Value:
    if not math.isfinite(value):
        raise ValueError("no number")
    return round(value, _DECIMALS[field.name]) if field.kind == "number" else int(value)


def _read(field: Field, value: Any) -> Value:
    if field.kind == "flag":
        return bool(value)
    if value is None or value == "":
        return None
    match field.kind:
        case "number":
            return float(value)
        case "integer":
            return int(value)
        case "datetime":
            return _moment(value).isoformat(timespec="seconds")
        case _:
            return str(value)


def _moment(value: str) -> datetime:
    """In UTC, to the second: Salesforce keeps no more. Raises: ValueError, also without an offset."""
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("no offset")
    return moment.astimezone(UTC).replace(microsecond=0)


def cell(value: Value) -> str:
    """A value in a file of Bulk API 2.0, where an empty cell means "leave as it is".

    >>> cell(None), cell(True), cell(1e-07), cell("=1+1")
    ('#N/A', 'true', '0.0000001', '=1+1')
    """
    match value:
        case None:
            return EMPTY
        case bool():
            return str(value).lower()
        case float():
            return format(Decimal(repr(value)), "f")
        case _:
            return str(value)


EMPTY = "#N/A"
