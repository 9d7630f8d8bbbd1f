"""Places in JSON documents, written as names with points between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def found(document: Any, place: str) -> Any:
    """What stands at a place; None where nothing does. The empty place is the document itself.

    >>> found({"errors": [{"why": "late"}]}, "errors.0.why"), found({"a": 1}, "a.b"), found([1], "")
    ('late', None, [1])
    """
    for name in place.split(".") if place else []:
        if isinstance(document, Mapping):
            document = document.get(name)
        elif isinstance(document, list) and name.isdecimal() and int(name) < len(document):
            document = document[int(name)]
        else:
            return None
    return document


def listed(document: Any, place: str) -> Sequence[Any]:
    """The list at a place; a thing that stands there alone is a list of one, and nothing an empty one."""
    at = found(document, place)
    return at if isinstance(at, list) else [] if at is None else [at]


def placed(document: Mapping[str, Any], place: str, value: Any) -> Any:
    """The document with a value at a place, for which room is made; itself is not changed.

    At a place that holds something, a mapping joins it and anything else takes its place.

    >>> placed({"type": "job", "data": {"a": 1}}, "data.list", [2])
    {'type': 'job', 'data': {'a': 1, 'list': [2]}}
    """
    name, _, rest = place.partition(".")
    if not name:
        return {**document, **value} if isinstance(value, Mapping) else value
    inner = document.get(name)
    inner = inner if isinstance(inner, Mapping) else {}
    return {**document, name: placed(inner, rest, value)}
