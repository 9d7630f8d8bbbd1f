"""One form for every value, so that what was sent and what is read back can be compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

from pipelines.foundation.settings.delivered_fields import Field
from pipelines.operations.delivery.connector import UnsendableError, Value


def instant(text: str) -> str:
    """The same instant in UTC, to the microsecond.

    Raises: ValueError where the text is no ISO time, has no offset, or lies outside the years 1 to 9999 in UTC.

    >>> instant("2026-04-01T02:00:00+02:00"), instant("2026-04-01T00:00:00.5Z")
    ('2026-04-01T00:00:00+00:00', '2026-04-01T00:00:00.500000+00:00')
    """
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("it has no offset")
    try:
        return at.astimezone(UTC).isoformat()
    except OverflowError:
        raise ValueError("it lies outside the years 1 to 9999") from None


def writable(text: str) -> bool:
    """Whether a text can be stored: no NUL, and no half of a pair, which no encoding has."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def normal(field: Field, value: Value) -> Value:
    """The value as it is sent: an empty text is None, a number a finite float, a time as `instant` writes it.

    Raises: UnsendableError where the value is not of the field's kind, in words that do not repeat it.
    """
    if value is None or value == "":
        return None
    whole = isinstance(value, int) and not isinstance(value, bool)
    if field.kind == "flag" and isinstance(value, bool):
        return value
    if field.kind == "integer" and whole:
        return value
    if field.kind == "number" and (whole or isinstance(value, float)):
        with suppress(OverflowError):
            if math.isfinite(number := float(value)):
                return number
    if isinstance(value, str):
        return _text(field, value)
    raise UnsendableError(f"{field.name} holds no {field.kind}")


def _text(field: Field, value: str) -> str:
    if not writable(value):
        raise UnsendableError(f"{field.name} holds a character that cannot be written (NUL, or half of a pair)")
    if field.kind in {"text", "choice"}:
        return value
    with suppress(ValueError):
        if field.kind == "date" and date.fromisoformat(value).isoformat() == value:
            return value
        if field.kind == "datetime":
            return instant(value)
    raise UnsendableError(f"{field.name} holds no {field.kind}")


def remote_value(field: Field, raw: Any) -> Value:
    """A value as a destination gives it back, in our type; as it stands, as text, where it is not of the field's kind.

    Systems give numbers, flags and dates as texts, and dates with a time.
    """
    if raw is None or raw == "":
        return None
    with suppress(ValueError, TypeError, OverflowError):
        return _READ[field.kind](raw)
    return str(raw)


def _number(raw: Any) -> float:
    if isinstance(raw, bool):
        raise TypeError
    return float(raw)


def _integer(raw: Any) -> int:
    number = raw if isinstance(raw, int) else _number(raw)
    if isinstance(number, bool) or number != int(number):
        raise ValueError
    return int(number)


def _flag(raw: Any) -> bool:
    if str(raw).lower() not in {"true", "false"}:
        raise ValueError
    return str(raw).lower() == "true"


def _date(raw: Any) -> str:
    return date.fromisoformat(str(raw)[:10]).isoformat()


def _instant(raw: Any) -> str:
    return instant(str(raw))


_READ: Mapping[str, Callable[[Any], Value]] = {
    "number": _number,
    "integer": _integer,
    "flag": _flag,
    "date": _date,
    "datetime": _instant,
    "text": str,
    "choice": str,
}
