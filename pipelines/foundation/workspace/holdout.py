"""Who is held out: nothing is recommended for them, so that what plays achieve can be told from what comes anyway."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Flags = npt.NDArray[np.bool_]

TREATMENT: Literal["treatment"] = "treatment"
HOLDOUT: Literal["holdout"] = "holdout"


@dataclass(frozen=True)
class Holdout:
    """Who is held out: a share (0 to 1) of all customers, the same ones every time. seed: chooses who they are.

    share: None where there are no plays, and so no groups.
    """

    share: float | None
    seed: int

    def holds(self, customers: Iterable[str]) -> Flags:
        """(n,) who is held out, by the names that customers have in the workspace; nobody where there are no plays."""
        return held_out(customers, share=self.share or 0.0, seed=self.seed)

    def groups(self, customers: Iterable[str]) -> npt.NDArray[np.object_]:
        """(n,) "treatment" or "holdout"; "" where there are no plays."""
        others = "" if self.share is None else TREATMENT
        return np.where(self.holds(customers), HOLDOUT, others).astype(object)


def held_out(customers: Iterable[str], *, share: float, seed: int) -> Flags:
    """(n,) whether each customer is held out; about `share` (0 to 1) of many.

    Whether one is depends on seed and name alone: not on the others, their order or the day. A larger share holds out
    the same customers and further ones.
    """
    return np.array([_place(customer, seed) < share for customer in customers], dtype=np.bool_)


def _place(customer: str, seed: int) -> float:
    """Where a customer lies between 0 and 1, as if drawn evenly.

    Of the hash, 53 bits: as many as a float holds exactly, so that 1 is never reached.
    """
    digest = hashlib.sha256(f"{seed}:{customer}".encode()).digest()
    return float(int.from_bytes(digest[:8], "big") >> 11) / float(1 << 53)
