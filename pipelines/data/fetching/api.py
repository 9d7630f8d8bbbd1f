"""What a connector of a system's API offers: lists of objects, page by page, and a place to go on from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from features.errors import DataError


@dataclass(frozen=True)
class Page:
    """Objects as they are written, reduced to what queries read. after: names the place behind them."""

    objects: Sequence[dict[str, Any]]
    after: str


class Api(Protocol):
    """One system's API.

    system: its name in messages. resources: its lists, in the order in which they are fetched, each a file. identity:
    what must be the same for a fetch that broke off to be gone on with; it is only compared, by its hash.
    """

    system: str
    resources: Sequence[str]
    identity: Sequence[str]

    def pages(self, resource: str, after: str | None, folder: Path) -> Iterator[Page]:
        """The pages of a list from a place on. folder: where the lists before it lie, finished.

        Raises: RefusedError where the place is not known there (any more); SettingsError, DataError in words of ours.
        """

    def close(self) -> None:
        """Leave the connection."""


class RefusedError(DataError):
    """The system answered, and did not give what was asked. status: of HTTP."""

    def __init__(self, said: str, status: int) -> None:
        super().__init__(said)
        self.status = status


def tree_of(names: str) -> dict[str, Any]:
    """Names of fields, with dots, as a tree.

    >>> tree_of("id card.exp_year card.exp_month")
    {'id': {}, 'card': {'exp_year': {}, 'exp_month': {}}}
    """
    tree: dict[str, Any] = {}
    for name in names.split():
        place = tree
        for part in name.split("."):
            place = place.setdefault(part, {})
    return tree


def reduced(value: Any, tree: dict[str, Any]) -> Any:
    """A value of JSON without the fields that are not in the tree; where that ends, whatever is there.

    >>> reduced({"id": 1, "name": "N", "cards": [{"last4": 1, "exp": 2}]}, tree_of("id cards.exp"))
    {'id': 1, 'cards': [{'exp': 2}]}
    """
    if not tree:
        return value
    if isinstance(value, list):
        return [reduced(each, tree) for each in value]
    if isinstance(value, dict):
        return {name: reduced(value[name], below) for name, below in tree.items() if name in value}
    return value
