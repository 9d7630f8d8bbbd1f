"""Who is held out: nothing is recommended for them, so that what plays achieve can be told from what comes anyway."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Literal

import numpy as np
import numpy.typing as npt

from pipelines.foundation.workspace.workspace import Workspace

Flags = npt.NDArray[np.bool_]

TREATMENT: Literal["treatment"] = "treatment"
HOLDOUT: Literal["holdout"] = "holdout"


def held_out(customers: Iterable[str], *, share: float, seed: int) -> Flags:
    """(n,) whether each customer is held out; about `share` (0 to 1) of many.

    Whether one is depends on seed and name alone: not on the others, their order or the day. A larger share holds out
    the same customers and further ones.
    """
    return np.array([_place(customer, seed) < share for customer in customers], dtype=np.bool_)


def kept_out(workspace: Workspace, customers: Iterable[str]) -> Flags:
    """(n,) who is held out, by the names that customers have in the workspace; nobody where it has no plays."""
    plan = workspace.settings.retention
    return held_out(customers, share=plan.holdout_share if workspace.plays else 0.0, seed=plan.holdout_seed)


def groups(workspace: Workspace, customers: Iterable[str]) -> npt.NDArray[np.object_]:
    """(n,) "treatment" or "holdout"; "" where there are no plays, and so no groups."""
    names = np.where(kept_out(workspace, customers), HOLDOUT, TREATMENT if workspace.plays else "")
    return names.astype(object)


def chosen_by(workspace: Workspace) -> list[float] | None:
    """What decides who is held out, for whatever is named by what it was made of; None where there are no plays."""
    plan = workspace.settings.retention
    return [plan.holdout_share, plan.holdout_seed] if workspace.plays else None


def _place(customer: str, seed: int) -> float:
    """Where a customer lies between 0 and 1, as if drawn evenly.

    Of the hash, 53 bits: as many as a float holds exactly, so that 1 is never reached.
    """
    digest = hashlib.sha256(f"{seed}:{customer}".encode()).digest()
    return float(int.from_bytes(digest[:8], "big") >> 11) / float(1 << 53)
