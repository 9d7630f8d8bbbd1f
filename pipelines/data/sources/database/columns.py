"""Values of a driver as columns of one type each: exactly, or with words for why not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.types as pt

from features.errors import DataError

TEXT, WHOLE, FLOAT, BOOLEAN = pa.string(), pa.int64(), pa.float64(), pa.bool_()
DAY, CLOCK, MOMENT = pa.date32(), pa.timestamp("us"), pa.timestamp("us", tz="UTC")
_DIGITS = 38  # of a decimal

_TYPES: dict[type, pa.DataType] = {
    bool: BOOLEAN, int: WHOLE, float: FLOAT, str: TEXT, UUID: TEXT, dict: TEXT, list: TEXT, date: DAY,
}  # fmt: skip


def typed(values: Sequence[Any], before: pa.DataType, *, name: str, where: str) -> pa.Array:
    """A column of the narrowest type that holds these values and what a column of type `before` held.

    Raises: DataError where a value is of a kind that no column has, as bytes.
    """
    kinds = set(map(type, values)) - {type(None)}
    values = [_plain(value) for value in values] if kinds & {UUID, dict, list} else values
    own = _own(values, name=name, where=where)
    type_ = _wider(before, own, name=name, where=where)
    as_they_are = own == type_ or (kinds == {Decimal} and pt.is_decimal(type_))
    if not kinds or (len(kinds) == 1 and as_they_are and not (kinds == {int} and pt.is_decimal(type_))):
        return pa.array(values, type_)
    return pa.array([None if value is None else _as(value, type_) for value in values], type_)


def _plain(value: Any) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value) if isinstance(value, UUID) else value


def _own(values: Sequence[Any], *, name: str, where: str) -> pa.DataType:
    found: pa.DataType = pa.null()
    for kind in sorted(set(map(type, values)) - {type(None)}, key=lambda each: each.__name__):
        if kind is Decimal:
            own = _decimal(values, name=name, where=where)
        elif kind is int and not _fits([value for value in values if type(value) is int]):
            own = _decimal([value for value in values if type(value) is int], name=name, where=where)
        elif kind is datetime:  # of one column all have a zone, or none
            own = MOMENT if next(value for value in values if type(value) is datetime).tzinfo else CLOCK
        elif kind in _TYPES:
            own = _TYPES[kind]
        else:
            raise _unread(kind, name, where)
        found = _wider(found, own, name=name, where=where)
    return found


def _fits(values: Sequence[int]) -> bool:
    return min(values) >= -(2**63) and max(values) < 2**63


def _unread(kind: type, name: str, where: str) -> DataError:
    what = "bytes" if kind in (bytes, bytearray, memoryview) else "neither text, number nor date"
    remedy = "decode it to text" if what == "bytes" else "cast it to text"
    return DataError(
        f"{where}: column '{name}' holds {what}, which no table has; {remedy} in the query, or leave it out"
    )


def _decimal(values: Sequence[Any], *, name: str, where: str) -> pa.DataType:
    found = [Decimal(value) for value in values if isinstance(value, Decimal | int)]
    if not all(value.is_finite() for value in found):
        raise DataError(
            f"{where}: column '{name}' holds a number that is none (NaN, Infinity); say in the query what it is to "
            "be, as nullif(x, 'NaN')"
        )
    type_ = pa.array(found).type
    return _decimal_type(type_.precision - type_.scale, type_.scale, name=name, where=where)


def _decimal_type(whole: int, scale: int, *, name: str, where: str) -> pa.DataType:
    if whole + scale > _DIGITS:
        raise DataError(
            f"{where}: column '{name}' needs {whole + scale} digits, and a number has {_DIGITS} at most; round it in "
            "the query"
        )
    return pa.decimal128(whole + scale, scale)


def _wider(one: pa.DataType, other: pa.DataType, *, name: str, where: str) -> pa.DataType:
    """The narrowest type that holds both; text where nothing else does."""
    if one == other or pt.is_null(other):
        return one
    if pt.is_null(one):
        return other
    if all(pt.is_decimal(each) or each == WHOLE for each in (one, other)):
        sizes = [(19, 0) if each == WHOLE else (each.precision - each.scale, each.scale) for each in (one, other)]
        return _decimal_type(max(size[0] for size in sizes), max(size[1] for size in sizes), name=name, where=where)
    if {one, other} == {WHOLE, FLOAT}:
        return FLOAT
    if {one, other} == {DAY, CLOCK}:
        return CLOCK
    return TEXT


def _as(value: Any, type_: pa.DataType) -> Any:
    if type_ == FLOAT:
        return float(value)
    if pt.is_decimal(type_):
        return Decimal(value)
    if type_ == CLOCK:
        return value if isinstance(value, datetime) else datetime.combine(value, time())
    if isinstance(value, datetime | date):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    return str(value)
