from __future__ import annotations

from typing import Any

import pytest

from pipelines.operations.delivery.json_api.place import found, listed, placed


@pytest.mark.parametrize(
    ("document", "place", "there"),
    [
        ({"a": {"b": [{"c": 1}]}}, "a.b.0.c", 1),
        ({"a": None}, "a.b", None),
        ({"a": [1]}, "a.1", None),
        ({"a": [1]}, "a.x", None),
        (None, "a", None),
        ("text", "0", None),
        ([1], "", [1]),
    ],
)
def test_what_stands_at_a_place_is_found_or_nothing(document: Any, place: str, there: Any) -> None:
    assert found(document, place) == there


def test_a_thing_alone_is_a_list_of_one_and_nothing_an_empty_one() -> None:
    assert listed({"a": [1, 2]}, "a") == [1, 2]
    assert listed({"a": {"b": 1}}, "a") == [{"b": 1}]
    assert listed({"a": None}, "a") == []


def test_room_is_made_for_a_value_and_the_document_given_is_not_changed() -> None:
    given: dict[str, Any] = {"type": "x", "data": {"kept": 1}}
    assert placed(given, "data.at.last", [1]) == {"type": "x", "data": {"kept": 1, "at": {"last": [1]}}}
    assert placed(given, "data", {"more": 2}) == {"type": "x", "data": {"kept": 1, "more": 2}}
    assert placed(given, "", {"more": 2}) == {"type": "x", "data": {"kept": 1}, "more": 2}
    assert placed(given, "", [1]) == [1]
    assert given == {"type": "x", "data": {"kept": 1}}
