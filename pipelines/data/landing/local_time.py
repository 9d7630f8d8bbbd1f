"""Local clock times to UTC and back, by the zone rules (Python's zoneinfo) that also cut time at a snapshot.

DuckDB brings zone rules of its own, of another release, and takes the second of two equal clock times in autumn. A
fact dated at a local midnight would then land on the wrong side of a snapshot; with one set of rules it cannot.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.foundation.settings.section import FIRST_YEAR, LAST_YEAR

Micros = npt.NDArray[np.int64]

_SECOND = timedelta(seconds=1)
_PROBE = timedelta(days=3)  # no zone has ever changed its offset twice within so few
_DAY_MICROS = 86_400_000_000
_USUAL_YEARS = 1990, 2040  # whose offsets stand in SQL; planning a query takes longer with each


@dataclass(frozen=True)
class ZoneClock:
    """A zone's offsets from UTC between FIRST_YEAR and LAST_YEAR, in microseconds.

    offsets: one more than there are changes; from_utc, from_local: the UTC and the local clock time at which each
    offset but the first begins to hold.
    """

    offsets: Micros
    from_utc: Micros
    from_local: Micros

    def to_utc(self, local: pa.Array) -> pa.Array:
        """UTC of local clock times.

        A clock time that happened twice is its first occurrence; one that was skipped is read with the offset that
        held before, so that 02:30 of a spring night is the moment called 03:30. Both as zoneinfo's `fold=0`.
        """
        clock = _micros(local)
        return _timestamps(clock - self.offsets[np.searchsorted(self.from_local, clock, side="right")])

    def days(self, utc: pa.Array) -> pa.Array:
        """The local calendar day of each UTC moment."""
        moments = _micros(utc)
        clock = moments + self.offsets[np.searchsorted(self.from_utc, moments, side="right")]
        return pa.array((clock // _DAY_MICROS).astype(np.int32), pa.int32()).cast(pa.date32())

    def to_utc_sql(self, local: str, *, rarely: str) -> str:
        """SQL of `to_utc` over the name of a column. rarely: SQL of the same for years that are seldom.

        Handing rows over to Python takes ten times as long as what is done with them there.
        """
        return self._usually(local, self.from_local, "-", rarely)

    def days_sql(self, utc: str, *, rarely: str) -> str:
        """SQL of `days` over the name of a column. rarely: SQL of the same for years that are seldom."""
        return f"{self._usually(utc, self.from_utc, '+', rarely)}::DATE"

    def _usually(self, column: str, begin: Micros, sign: str, rarely: str) -> str:
        first, end = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000 for year in _USUAL_YEARS)
        places = np.searchsorted(begin, (first, end), side="right").tolist()
        return (
            f"CASE WHEN {column} IS NULL THEN NULL WHEN {column} >= {_literal(first)} AND {column} < {_literal(end)} "
            f"THEN make_timestamp(epoch_us({column}) {sign} ({self._offset_sql(column, begin, *places)})) "
            f"ELSE {rarely} END"
        )

    def _offset_sql(self, column: str, begin: Micros, low: int, high: int) -> str:
        """SQL of the offset that holds at each moment, one of those from `low` to `high`: a tree of comparisons."""
        if low == high:
            return str(self.offsets[low])
        middle = (low + high) // 2
        before, after = self._offset_sql(column, begin, low, middle), self._offset_sql(column, begin, middle + 1, high)
        return f"CASE WHEN {column} < {_literal(begin[middle])} THEN {before} ELSE {after} END"


@lru_cache(maxsize=16)
def zone_clock(key: str) -> ZoneClock:
    """The clock of a zone named as in the IANA database, such as 'Europe/Paris'."""
    zone = ZoneInfo(key)
    at, end = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC) - _PROBE, datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC) + _PROBE
    offsets, changes = [_offset(zone, at)], list[datetime]()
    while at < end:
        if _offset(zone, at + _PROBE) != offsets[-1]:
            changes.append(_change(zone, at))
            offsets.append(_offset(zone, at + _PROBE))
        at += _PROBE
    steps = np.array([offset // timedelta(microseconds=1) for offset in offsets], dtype=np.int64)
    from_utc = np.array([change.replace(tzinfo=None) for change in changes], dtype="datetime64[us]").astype(np.int64)
    return ZoneClock(steps, from_utc, from_utc + np.maximum(steps[:-1], steps[1:]))


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).replace(tzinfo=UTC) - moment


def _change(zone: ZoneInfo, low: datetime) -> datetime:
    """The second within a probe after `low` from which the new offset holds."""
    before, high = _offset(zone, low), low + _PROBE
    while high - low > _SECOND:
        middle = low + (high - low) // _SECOND // 2 * _SECOND
        low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
    return high


def _literal(micros: int) -> str:
    return f"TIMESTAMP '{np.datetime64(int(micros), 'us')}'"


def _micros(moments: pa.Array) -> Micros:
    found: Micros = moments.cast(pa.timestamp("us")).cast(pa.int64()).to_numpy(zero_copy_only=False)
    return found


def _timestamps(micros: Micros) -> pa.Array:
    return pa.array(micros, pa.int64()).cast(pa.timestamp("us"))
