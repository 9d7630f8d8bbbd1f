from __future__ import annotations

from datetime import date
from typing import Any, Literal

import pytest

from pipelines.foundation.storage.landings import Landing
from pipelines.foundation.storage.meeting import may_meet
from pipelines.foundation.storage.store import StoredFile

FEBRUARY, MARCH = ["2024-02-01", "2024-02-29"], ["2024-03-01", "2024-03-31"]


def landing(name: str, sequence: int, *, source: str | None = None, **detail: Any) -> Landing:
    given = {"landed": 3, "keyed": True, "span": FEBRUARY} | detail
    file = StoredFile(sequence, f"landed/orders/{name}.parquet", "landed", "0" * 64, 1, given)
    return Landing(file=file, path=source or f"{name}.csv", seen_on=date(2024, 3, 1), number=sequence)


@pytest.mark.parametrize(
    ("earlier", "later", "new_file", "met"),
    [
        # Whoever was recorded later looked at the other's keys, in whichever order the two came.
        (landing("a", 1, meets=[]), landing("b", 2, meets=["a"]), "rows", True),
        (landing("a", 1, meets=[]), landing("b", 2, meets=["c"]), "rows", False),
        (landing("b", 2, meets=["a"]), landing("a", 1, meets=[]), "rows", True),
        (landing("b", 2, meets=[]), landing("a", 1, meets=["b"]), "rows", False),
        # An earlier release did not look.
        (landing("a", 1), landing("b", 2), "rows", True),
        (landing("a", 1), landing("b", 2, meets=[]), "rows", False),
        (landing("a", 1, meets=[]), landing("b", 2), "rows", True),
        # Of rows without keys a path holds what it held last; a content that comes back is its own.
        (landing("a", 1, source="x.csv", meets=[]), landing("b", 2, source="x.csv", meets=[]), "rows", False),
        (
            landing("a", 1, source="x.csv", keyed=False),
            landing("b", 2, source="x.csv", keyed=False, span=MARCH),
            "rows",
            True,
        ),
        (landing("a", 1, meets=[]), landing("a", 1, source="again.csv", meets=[]), "rows", True),
        # Rows that are not there end with a state, and with their period.
        (landing("a", 1, meets=[]), landing("b", 2, meets=[], span=MARCH), "state", True),
        (landing("a", 1, meets=[]), landing("b", 2, meets=[], span=MARCH), "period", True),
        # Without keys of their own rows are others where their days are.
        (landing("a", 1, keyed=False), landing("b", 2, keyed=False, span=MARCH), "rows", False),
        (landing("a", 1, keyed=False), landing("b", 2, keyed=False, span=MARCH), "period", False),
        (landing("a", 1, keyed=False), landing("b", 2, keyed=False, span=MARCH), "state", True),
        (landing("a", 1, keyed=False), landing("b", 2, keyed=False, span=["2024-02-29", "2024-03-02"]), "rows", True),
        (landing("a", 1, keyed=False), landing("b", 2, keyed=False, span=None), "rows", True),
        (landing("a", 1, keyed=False), landing("b", 2, meets=[]), "rows", True),
        # Nothing meets what has no rows.
        (landing("a", 1, landed=0, span=None), landing("b", 2, meets=["a"]), "state", False),
        (landing("a", 1), landing("b", 2, landed=0, span=None), "state", False),
    ],
)
def test_what_may_hold_the_same_facts(
    earlier: Landing, later: Landing, new_file: Literal["rows", "period", "state"], met: bool
) -> None:
    assert may_meet(earlier, later, new_file=new_file) is met
