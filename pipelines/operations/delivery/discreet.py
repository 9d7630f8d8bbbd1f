"""What destinations say, fit to be shown: none of our secrets, and nothing that a terminal or a page would act on.

Servers answer with whatever they were sent, tokens included, and nobody knows what else. So every message of a
connector passes here, whoever wrote it, and none reaches messages, logs, JSON or the outbox by another way (`connect`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar
from urllib.parse import quote

from pipelines.operations.delivery.connector import (
    Connector,
    DestinationError,
    Outcome,
    Record,
    UnavailableError,
    Value,
)

SECRET = "[secret]"  # noqa: S105 - what stands in the place of one
_SHORTEST = 4  # a shorter one is in too many words to be told
_LONGEST_SAID = 5000  # a server may say as much as it likes; our own words, with every field named and a remedy, fit
T = TypeVar("T")


def fit_to_show(said: str, secrets: Sequence[str]) -> str:
    r"""A text without secrets, in one line, of printable characters, and not too long.

    >>> fit_to_show("no: Bearer abcd-1234\x1b[2J\n", ["abcd-1234"])
    'no: Bearer [secret] [2J'
    """
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            for written in (secret, json.dumps(secret)[1:-1], quote(secret, safe=""), quote(secret)):
                said = said.replace(written, SECRET)
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in said).split())
    return line if len(line) <= _LONGEST_SAID else f"{line[:_LONGEST_SAID]} ..."


class Discreet:
    """A connector, and what it says made fit to be shown. secrets: what it has sent and must not say."""

    def __init__(self, behind: Connector, secrets: Sequence[str]) -> None:
        self._behind, self._secrets = behind, secrets
        self.batch = behind.batch

    def setup(self) -> list[str]:
        return self._quietly(self._behind.setup)

    def check(self) -> None:
        self._quietly(self._behind.check)

    def send(self, records: Sequence[Record]) -> list[Outcome]:
        outcomes = self._quietly(lambda: self._behind.send(records))
        return [replace(each, why=fit_to_show(each.why, self._secrets)) if each.why else each for each in outcomes]

    def read(self, external_ids: Sequence[str]) -> dict[str, dict[str, Value]]:
        return self._quietly(lambda: self._behind.read(external_ids))

    def _quietly(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except UnavailableError as error:
            raise UnavailableError(fit_to_show(str(error), self._secrets), retry_after=error.retry_after) from None
        except DestinationError as error:
            raise DestinationError(fit_to_show(str(error), self._secrets)) from None
