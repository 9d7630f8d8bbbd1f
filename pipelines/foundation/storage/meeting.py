"""Which landings may hold the same facts: of the others nothing is read, so that many files take no longer than one."""

from __future__ import annotations

from typing import Literal

from pipelines.foundation.storage.landings import Landing
from pipelines.foundation.storage.store import StoredFile


def may_meet(earlier: Landing, later: Landing, *, new_file: Literal["rows", "period", "state"]) -> bool:
    """Whether a row of the earlier landing may be one of the later, or end with it. new_file: as their source says.

    Rows without a key of their own are others where their days are. Keys are compared when a file lands (`meets`);
    where that was not noted, they may meet.
    """
    one, other = earlier.file, later.file
    if not (one.detail["landed"] and other.detail["landed"]):
        return False
    if one.path == other.path or one.detail["keyed"] != other.detail["keyed"] or new_file == "state":
        return True
    if not one.detail["keyed"]:
        return earlier.path == later.path or _days_touch(one, other)  # a path holds what it held last
    return new_file == "period" or _keys_met(one, other)


def name_in_meets(file: StoredFile) -> str:
    """What a file is called among those whose keys another one met."""
    return file.path.rpartition("/")[2].removesuffix(".parquet")


def _days_touch(one: StoredFile, other: StoredFile) -> bool:
    span, others = one.detail.get("span"), other.detail.get("span")
    return span is None or others is None or bool(span[0] <= others[1] and others[0] <= span[1])


def _keys_met(one: StoredFile, other: StoredFile) -> bool:
    """Whoever was recorded later has looked at the other."""
    before, after = sorted((one, other), key=lambda file: file.sequence)
    return "meets" not in after.detail or name_in_meets(before) in after.detail["meets"]
