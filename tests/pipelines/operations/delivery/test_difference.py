"""What is sent, by what a destination holds: each situation as a literal row."""

from __future__ import annotations

from datetime import date

import pytest

from pipelines.operations.delivery.difference import RemoteState, difference
from pipelines.operations.delivery.policy import Values, content
from tests.pipelines.operations.delivery.destination_case import values

TODAY = date(2024, 7, 10)
SAME = content(values())


def remote(digest: str | None = SAME, *, until: str | None = "2024-07-31", uncertain: bool = False) -> RemoteState:
    return RemoteState(digest, until, "high", "call", uncertain)


def compared(found: RemoteState | None, *, refused: str | None = None, withdrawn: bool = False) -> tuple[int, int, int]:
    """How many are sent, unchanged, and left as refused, of one customer."""
    records: dict[str, Values] = {"C-1": values()}
    result = difference(
        {} if withdrawn else records,
        records if withdrawn else {},
        remote={} if found is None else {"C-1": found},
        refused={} if refused is None else {"C-1": refused},
        today=TODAY,
        valid_days=30,
    )
    return len(result.changes), result.unchanged, len(result.refused)


@pytest.mark.parametrize(
    ("found", "refused", "expected"),
    [
        (None, None, (1, 0, 0)),
        (remote(), None, (0, 1, 0)),
        (remote("another"), None, (1, 0, 0)),
        (remote(uncertain=True), None, (1, 0, 0)),
        (remote(None, until=None, uncertain=True), None, (1, 0, 0)),
        (remote(until="2024-07-25"), None, (0, 1, 0)),
        (remote(until="2024-07-24"), None, (1, 0, 0)),
        (None, SAME, (0, 0, 1)),
        (None, "another", (1, 0, 0)),
        (remote("another"), SAME, (0, 0, 1)),
        (remote("another", uncertain=True), SAME, (1, 0, 0)),
    ],
    ids=[
        "new", "the same", "another", "perhaps another", "perhaps there", "half of its days left", "fewer days left",
        "refused before", "another was refused", "refused while an older one is there", "refused, and perhaps another",
    ],
)  # fmt: skip
def test_a_record_is_sent_unless_it_is_held_or_was_refused(
    found: RemoteState | None, refused: str | None, expected: tuple[int, int, int]
) -> None:
    assert compared(found, refused=refused) == expected


def test_a_withdrawal_is_sent_once_and_says_that_it_is_one() -> None:
    assert compared(remote("another"), withdrawn=True) == (1, 0, 0)
    assert compared(remote("another"), refused=SAME, withdrawn=True) == (0, 0, 1)
    found = difference({}, {"C-1": values()}, remote={"C-1": remote("another")}, refused={}, today=TODAY, valid_days=30)
    assert [change.withdrawn for change in found.changes] == [True]
