"""Our values as HubSpot's: there every property is a text."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

from pipelines.foundation.settings.delivered_fields import Field, Kind
from pipelines.operations.delivery.connector import UnsendableError, Value


def text_of(value: Value, field: Field) -> str:
    """The text that HubSpot takes; "" empties a property. Times are in UTC, to the millisecond, as HubSpot keeps them.

    Raises: UnsendableError where the value is not of the field's kind; the message does not hold the value.

    >>> from pipelines.foundation.settings.delivered_fields import FIELDS
    >>> text_of(1e-07, FIELDS["churn_probability"]), text_of(True, FIELDS["suppressed"])
    ('0.0000001', 'true')
    >>> text_of("2024-07-01T08:00:00+02:00", FIELDS["scored_at"])
    '2024-07-01T06:00:00.000Z'
    """
    if value is None or value == "":
        return ""
    if not _is_of(value, field.kind):
        raise UnsendableError(f"{field.name} is not a {field.kind}")
    try:
        match field.kind:
            case "number" | "integer":
                return format(Decimal(repr(value)), "f")  # HubSpot is not known to read 1e-07
            case "flag":
                return "true" if value else "false"
            case "date":
                return date.fromisoformat(str(value)).isoformat()
            case "datetime":
                moment = _aware(datetime.fromisoformat(str(value)))
                return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
            case _:
                return str(value)
    except ValueError:
        raise UnsendableError(f"{field.name} is not a {field.kind}") from None


def value_of(text: str | None, field: Field) -> Value:
    """What a text of HubSpot says, in the form that is sent; None where it is empty. Times: UTC, as "...+00:00".

    A text that says nothing of the field's kind is given back as it is, to be seen as a difference.

    >>> from pipelines.foundation.settings.delivered_fields import FIELDS
    >>> value_of("60", FIELDS["horizon_days"]), value_of("2024-07-01T06:00:00Z", FIELDS["scored_at"])
    (60, '2024-07-01T06:00:00+00:00')
    """
    if text is None or text == "":
        return None
    try:
        return _READ[field.kind](text)
    except (ValueError, ArithmeticError):
        return text


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("no number")
    return number


def _integer(text: str) -> Value:
    number = _number(text)
    return int(Decimal(text)) if number.is_integer() else number


def _flag(text: str) -> Value:
    return {"true": True, "false": False}.get(text.lower(), text)


def _date(text: str) -> Value:
    return _moment(text).date().isoformat()


def _datetime(text: str) -> Value:
    moment = _moment(text)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")


_READ: Mapping[Kind, Callable[[str], Value]] = {
    "text": str,
    "choice": str,
    "number": _number,
    "integer": _integer,
    "flag": _flag,
    "date": _date,
    "datetime": _datetime,
}


def _is_of(value: Value, kind: Kind) -> bool:
    if kind == "flag":
        return isinstance(value, bool)
    if kind == "number":
        return isinstance(value, float | int) and not isinstance(value, bool) and math.isfinite(value)
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, str)


def _moment(text: str) -> datetime:
    """HubSpot writes times in ISO, and at older properties as milliseconds since 1970."""
    if text.lstrip("-").isdigit() and len(text) > len("20240701"):
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    return _aware(datetime.fromisoformat(text))


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
