"""Whether a destination holds what it took: of some records at each delivery, of all once one is found that differs.

How many are read at a time: where a destination lost one record in a hundred, 50 at each of seven deliveries, 350,
hold a lost one with a probability of at least 1 - 0.99^350 = 97 % (43 would do for 95 %). Those never read come
first, so that of 350 customers or fewer each is read within seven deliveries.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipelines.foundation.settings.delivered_fields import FIELDS
from pipelines.operations.delivery.connector import Connector, Value
from pipelines.operations.delivery.sending import Own, Patience, patiently

AT_A_TIME = 1000  # records of a call of `Connector.read`, which may make many calls of it


@dataclass(frozen=True)
class Held:
    """What a destination should hold of a customer, of the fields that are named.

    withdrawn: or nothing at all.
    """

    customer: str
    values: Mapping[str, Value]
    withdrawn: bool


def differing(
    connector: Connector,
    records: Sequence[Held],
    *,
    own: Own,
    sleep: Callable[[float], None],
    patience: Patience,
    progress: Callable[[str], None],
) -> dict[str, list[str]]:
    """The fields in which the destination holds something else than it should, by customer; empty where all is well.

    A record that is not there at all differs in "external_id", unless it was withdrawn.
    Raises: UnavailableError where it cannot be read, however often it is tried; DestinationError.
    """
    found: dict[str, list[str]] = {}
    for start in range(0, len(records), AT_A_TIME):
        some = records[start : start + AT_A_TIME]
        names = own([record.customer for record in some])
        there = patiently(lambda asked=names: connector.read(asked), patience=patience, sleep=sleep)  # type: ignore[misc]
        for name, record in zip(names, some, strict=True):
            if fields := _differing(record, there.get(name)):
                found[record.customer] = fields
        if len(records) > AT_A_TIME:
            progress(f"{start + len(some):,} of {len(records):,} read back")
    return found


def _differing(record: Held, there: Mapping[str, Value] | None) -> list[str]:
    if there is None:
        return [] if record.withdrawn else ["external_id"]
    return [name for name, value in record.values.items() if not _same(name, value, there.get(name))]


def _same(name: str, sent: Any, found: Any) -> bool:
    if sent in (None, "") or found in (None, ""):
        return sent in (None, "", False) and found in (None, "", False)
    try:
        if FIELDS[name].kind in ("number", "integer"):
            return math.isclose(float(sent), float(found), rel_tol=1e-6, abs_tol=1e-9)
        if FIELDS[name].kind == "datetime":
            return datetime.fromisoformat(str(sent)) == datetime.fromisoformat(str(found))
    except (ValueError, TypeError):  # what is there is no number, or no time that can be compared
        return False
    return bool(sent == found)
