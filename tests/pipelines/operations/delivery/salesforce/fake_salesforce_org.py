"""What stands in a Salesforce organisation, and the rules by which it changes, written from its public documentation.

Object fields as `describe` tells them, records, SOQL of the one form that is asked, and what the Tooling API makes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from pipelines.foundation.settings.delivered_fields import FIELDS

_QUERY = re.compile(r"SELECT ([\w, ]+) FROM (\w+) WHERE (\w+) IN \((.*)\)", re.DOTALL)
_TEXT = re.compile(r"'((?:[^'\\]|\\.)*)'(?:,|$)")
_NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*__c")

# Type in the Metadata API: type that describe tells.
TOLD = {
    "Text": "string", "LongTextArea": "textarea", "Number": "double", "Checkbox": "boolean", "Date": "date",
    "DateTime": "datetime", "Picklist": "picklist",
}  # fmt: skip
_SENTENCES = {"reason_1", "reason_2", "reason_3", "recommended_play", "suppressed_why"}


class OrgError(Exception):
    """What is answered instead. spoils: one such record makes the whole call fail."""

    def __init__(self, code: str, said: str, *fields: str, status: int = 400, spoils: bool = False) -> None:
        super().__init__(said)
        self.code, self.said, self.fields, self.status, self.spoils = code, said, fields, status, spoils


@dataclass
class OrgField:
    name: str
    type: str
    label: str = ""
    length: int = 0
    precision: int = 18
    scale: int = 0
    unique: bool = False
    external_id: bool = False
    case_sensitive: bool = False
    restricted: bool = False
    values: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    visible: bool = True
    updateable: bool = True

    def described(self) -> dict[str, Any]:
        shown = self.shown or self.values
        picks = [
            {"value": value, "label": label, "active": True, "defaultValue": False}
            for value, label in zip(self.values, shown, strict=True)
        ]
        return {
            "name": self.name, "type": self.type, "label": self.label, "length": self.length, "scale": self.scale,
            "precision": self.precision, "unique": self.unique, "externalId": self.external_id,
            "caseSensitive": self.case_sensitive, "restrictedPicklist": self.restricted, "picklistValues": picks,
            "updateable": self.updateable, "createable": self.updateable, "nillable": self.type != "boolean",
        }  # fmt: skip


@dataclass
class FakeOrg:
    """One object. records: by record id. created: external ids of records that a call made, in order.

    choice: how the Tooling API calls a picklist's value.
    """

    name: str
    key: str
    required: tuple[str, ...]
    fields: dict[str, OrgField] = field(default_factory=dict)
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    created: list[str] = field(default_factory=list)
    by_key: dict[str, list[str]] = field(default_factory=dict)
    choice: str = "valueName"

    def add(self, made: OrgField) -> None:
        self.fields[made.name.casefold()] = made

    def make_ready(self) -> None:
        """All of our fields under their usual names, as an administrator would have made and permitted them."""
        kinds = {"number": "double", "integer": "double", "flag": "boolean", "choice": "picklist", "text": "string"}
        self.add(OrgField(self.key, "string", length=255, unique=True, external_id=True, case_sensitive=True))
        for ours in FIELDS.values():
            long = ours.name in _SENTENCES
            self.add(
                OrgField(
                    f"attrition_{ours.name}__c",
                    "textarea" if long else kinds.get(ours.kind, ours.kind),
                    length=1000 if long else 255,
                    scale={"churn_probability": 16, "value_at_risk": 6}.get(ours.name, 0),
                    restricted=True,
                    values=ours.choices,
                )
            )

    def insert(self, external_id: str, row: Mapping[str, Any]) -> str:
        """Straight into the table, past every rule."""
        record = f"003{len(self.records):012d}AAA"
        self.records[record] = {self.key: external_id} | dict(row)
        self.by_key.setdefault(external_id.casefold(), []).append(record)
        return record

    def having(self, external_id: str) -> list[str]:
        """Record ids; capitals count only where the field was made so."""
        found = self.by_key.get(external_id.casefold(), [])
        if not self.fields[self.key.casefold()].case_sensitive:
            return found
        return [each for each in found if self.records[each][self.key] == external_id]

    def known(self, name: str) -> OrgField:
        found = self.fields.get(name.casefold())
        if found is None or not found.visible:
            raise OrgError("INVALID_FIELD", f"No such column '{name}' on sobject of type {self.name}", spoils=True)
        return found

    def select(self, query: str) -> list[dict[str, Any]]:
        found = _QUERY.fullmatch(query)
        if found is None:
            raise OrgError("MALFORMED_QUERY", "unexpected token")
        columns, name, key, texts = found.groups()
        if name != self.name:
            raise OrgError("INVALID_TYPE", f"sObject type '{name}' is not supported")
        names = [each.strip() for each in columns.split(",")]
        kinds = [self.known(each) for each in [*names, key] if each != "Id"]
        if any(each.type == "textarea" for each in kinds[-1:]):
            raise OrgError("INVALID_FIELD", f"field '{key}' can not be filtered in a query call")
        values = [re.sub(r"\\(.)", r"\1", text) for text in _TEXT.findall(texts)]
        if ",".join("'" + text + "'" for text in _TEXT.findall(texts)) != texts or any(len(v) > 4000 for v in values):
            raise OrgError("MALFORMED_QUERY", "a text is not closed, or too long")
        ids = dict.fromkeys(each for value in values for each in self.having(value))
        return [self._told(each, names) for each in ids]

    def _told(self, record: str, names: list[str]) -> dict[str, Any]:
        row = self.records[record]
        empty = {name: False if name != "Id" and self.known(name).type == "boolean" else None for name in names}
        told = {name: record if name == "Id" else row.get(self.known(name).name, empty[name]) for name in names}
        return {"attributes": {"type": self.name, "url": f"/services/data/v59.0/sobjects/{self.name}/{record}"}} | told

    def update(self, record: str, row: Mapping[str, Any]) -> None:
        if not re.fullmatch(r"\w{15}|\w{18}", record):
            raise OrgError("MALFORMED_ID", "malformed id", "Id")
        if record not in self.records:
            raise OrgError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        self.records[record] |= self.stored(row)

    def upsert(self, external_id: str, row: Mapping[str, Any]) -> tuple[str, bool]:
        """Record and whether it was made."""
        if not self.known(self.key).external_id:
            raise OrgError("INVALID_FIELD", "not an external id", spoils=True)
        external_id = external_id.strip()
        ids = self.having(external_id)
        if len(ids) > 1:
            raise OrgError("DUPLICATE_EXTERNAL_ID", f"{self.key}: more than one record found: {ids}", self.key)
        stored = self.stored(row)
        if ids:
            self.records[ids[0]] |= stored
            return ids[0], False
        if self.required:
            said = f"Required fields are missing: {list(self.required)}"
            raise OrgError("REQUIRED_FIELD_MISSING", said, *self.required)
        record = self.insert(external_id, stored)
        self.created.append(external_id)
        return record, True

    def stored(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {self.known(name).name: self._stored(self.known(name), value) for name, value in row.items()}

    def _stored(self, known: OrgField, value: Any) -> Any:
        if not known.updateable:
            raise OrgError("INVALID_FIELD_FOR_INSERT_UPDATE", f"Unable to edit: {known.name}", known.name)
        if value is None and known.type == "boolean":
            raise OrgError("INVALID_TYPE_ON_FIELD_IN_RECORD", "value not of required type: null", known.name)
        if value is None:
            return None
        try:
            return self._converted(known, value)
        except (ValueError, TypeError, InvalidOperation):
            said = f"Cannot deserialize instance of {known.type} from {value}"
            raise OrgError("JSON_PARSER_ERROR", said, known.name, spoils=True) from None

    def _converted(self, known: OrgField, value: Any) -> Any:
        if known.type == "boolean" or isinstance(value, bool):
            if known.type != "boolean" or not isinstance(value, bool):
                raise TypeError
            return value
        if known.type == "double":
            return _number(known, value)
        if known.type == "date":
            return date.fromisoformat(value).isoformat()
        if known.type == "datetime":
            return _moment(value)
        if not isinstance(value, str):
            raise TypeError
        return _text(known, value.strip())

    def make(self, wish: Mapping[str, Any], *, permits: bool) -> None:
        """A field as the Tooling API makes it; `permits` is what nobody does unasked: show it to the user."""
        kind, _, name = wish["FullName"].partition(".")
        shape = wish["Metadata"]
        if kind != self.name or not _NAME.fullmatch(name) or len(name) > 43 or not shape.get("label"):
            raise OrgError("FIELD_INTEGRITY_EXCEPTION", "bad name or label", "FullName")
        if name.casefold() in self.fields:
            raise OrgError("DUPLICATE_DEVELOPER_NAME", f"There is already a field named {name} on {kind}.", "FullName")
        picks: Iterable[Mapping[str, Any]] = ()
        if shape["type"] == "Picklist":
            picks = shape["valueSet"]["valueSetDefinition"]["value"]
            if any(set(each) != {self.choice, "label", "default"} for each in picks):
                raise OrgError("JSON_PARSER_ERROR", "No such column on sobject of type CustomValue")
        needs = {"Text": {"length"}, "LongTextArea": {"length", "visibleLines"}, "Number": {"precision", "scale"}}
        too_long = shape["type"] == "Text" and shape.get("length", 0) > 255
        if too_long or not needs.get(shape["type"], set()) <= set(shape):
            raise OrgError("FIELD_INTEGRITY_EXCEPTION", "a length or precision is missing or too large")
        self.add(
            OrgField(
                name,
                TOLD[shape["type"]],
                label=shape["label"],
                length=shape.get("length", 0),
                precision=shape.get("precision", 18),
                scale=shape.get("scale", 0),
                unique=shape.get("unique", False),
                external_id=shape.get("externalId", False),
                case_sensitive=shape.get("caseSensitive", False),
                restricted=shape.get("valueSet", {}).get("restricted", False),
                values=tuple(each[self.choice] for each in picks),
                shown=tuple(each["label"] for each in picks),
                visible=permits,
            )
        )


def _number(known: OrgField, value: Any) -> float:
    kept = Decimal(str(value)).quantize(Decimal(1).scaleb(-known.scale), ROUND_HALF_UP)
    if abs(kept) >= Decimal(10) ** (known.precision - known.scale):
        raise OrgError("NUMBER_OUTSIDE_VALID_RANGE", f"value outside of valid range: {value}", known.name)
    return float(kept)


def _moment(value: str) -> str:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(value)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def _text(known: OrgField, value: str) -> str | None:
    if known.type == "picklist" and known.restricted and value not in known.values:
        raise OrgError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", f"bad value: {value}", known.name)
    if known.type != "picklist" and len(value) > known.length:
        said = f"{known.label}: data value too large: {value} (max length={known.length})"
        raise OrgError("STRING_TOO_LONG", said, known.name)
    return value or None
