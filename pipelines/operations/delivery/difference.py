"""What has to be sent to a destination so that it holds what it should: only what differs from what it has taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.operations.delivery.policy import Values, content


@dataclass(frozen=True)
class RemoteState:
    """What a destination has taken of one customer: a hash of it, until when it is valid, and what people act on.

    content_sha256: None where nothing was taken yet. uncertain: something else may be there, because a call ended
    without an answer.
    """

    content_sha256: str | None
    valid_until: str | None
    band: str | None
    play: str | None
    uncertain: bool


@dataclass(frozen=True)
class Change:
    """A record to be sent. withdrawn: it empties what is there."""

    customer: str
    values: Values
    content_sha256: str
    withdrawn: bool


@dataclass(frozen=True)
class Difference:
    """changes: what to send. unchanged: of how many customers the destination holds what it should.

    refused: of whom it has refused, or somebody has dropped, exactly what would be sent.
    """

    changes: list[Change]
    unchanged: int
    refused: list[str]


def difference(
    wanted: Mapping[str, Values],
    withdrawn: Mapping[str, Values],
    *,
    remote: Mapping[str, RemoteState],
    refused: Mapping[str, str],
    today: date,
    valid_days: int,
) -> Difference:
    """Compare what should be there with what was taken.

    withdrawn: of everybody in `remote` who is not wanted, the values that empty the record. refused: content that was
    refused before, by customer. What has not changed is sent again only once half of the days are over for which it
    holds.
    """
    changes, unchanged, standing = list[Change](), 0, list[str]()
    for gone, records in ((False, wanted), (True, withdrawn)):
        for customer, values in records.items():
            digest, found = content(values), remote.get(customer)
            if found is not None and found.content_sha256 == digest and not _fading(found, today, valid_days):
                unchanged += 1
            elif refused.get(customer) == digest and (found is None or not found.uncertain):
                standing.append(customer)
            else:
                changes.append(Change(customer, values, digest, gone))
    return Difference(changes, unchanged, standing)


def _fading(found: RemoteState, today: date, valid_days: int) -> bool:
    if found.uncertain or found.valid_until is None:
        return True
    return date.fromisoformat(found.valid_until) < today + timedelta(days=valid_days / 2)
