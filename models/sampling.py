"""Fewer rows than there are to learn from, where all of them would not fit into memory.

Rows of the rarer outcome say most, so they stay as long as they take no more than half of the room; the others are
drawn, the same ones in every run, and count for those that were left out. So probabilities are of the size that they
would be with everybody (docs/decisions/0034).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

LEAST = 100  # rows of one outcome and snapshot that are never drawn from: so few say nothing of those left out
FEWEST = 20_000  # rows that any machine has room for
MOST = 2_000_000  # more rows take hours, and say hardly anything more
_ASIDE = 1 << 30  # bytes of Python, its libraries and the engine of the indicators
# A fit holds the values, a copy with categories as numbers, their logarithms and LightGBM's bins; at the height of a
# fit and of the logistic regression beside it, so many times the values.
_COPIES = 3.5
_COPIES_OF_A_DAY = 3.0  # the snapshot that a fold is tested on is whole, and is read and judged beside all that


@dataclass(frozen=True)
class Shares:
    """How many of the rows are learned from, 0 to 1: of those to whom the outcome happened, and of the others."""

    happened: float
    others: float


def most_rows(memory: int, *, columns: int, largest: int) -> int:
    """How many rows a fit has room for, of those that it has time for.

    memory: bytes that the process may take. columns: of the matrix. largest: rows of the largest snapshot.

    >>> most_rows(8 << 30, columns=374, largest=200_000)
    544399
    """
    row = 8 * (columns + 1)
    room = int((memory - _ASIDE - _COPIES_OF_A_DAY * row * largest) / (_COPIES * row))
    return min(MOST, max(FEWEST, room))


def shares(happened: int, others: int, *, most: int) -> Shares | None:
    """What is kept of so many rows where there is room for `most`; None where there is room for all.

    >>> shares(1_000, 99_000, most=50_000)
    Shares(happened=1.0, others=0.494949494949495)
    >>> shares(60_000, 40_000, most=50_000)
    Shares(happened=0.4166666666666667, others=0.625)
    """
    if happened + others <= most:
        return None
    rarer = min(happened, others, most // 2)
    commoner = most - rarer
    if happened <= others:
        return Shares(rarer / max(1, happened), commoner / others)
    return Shares(commoner / happened, rarer / max(1, others))


def drawn(customers: Iterable[str], day: int, labels: Floats, kept: Shares) -> tuple[Flags, Floats]:
    """(n,) which rows of a snapshot are learned from, and (n,) for how many each of them counts.

    customers: (n,) ids. day: ordinal of the snapshot. labels: (n,) of 0.0 and 1.0. The weights of what is kept of an
    outcome add up to all rows that had it.
    """
    lots = np.array([_lot(customer, day) for customer in customers], dtype=np.uint64)
    chosen, weights = np.zeros(len(lots), dtype=np.bool_), np.zeros(len(lots))
    for label, share in ((1.0, kept.happened), (0.0, kept.others)):
        rows = np.flatnonzero(labels == label)
        count = min(len(rows), max(LEAST, math.ceil(share * len(rows))))
        if count:
            first = rows[np.argsort(lots[rows], kind="stable")[:count]]
            chosen[first], weights[first] = True, len(rows) / count
    return chosen, weights


def _lot(customer: str, day: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{day} {customer}".encode()).digest()[:8])
