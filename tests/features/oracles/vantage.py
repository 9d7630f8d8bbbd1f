"""From where the oracles look: a day, its time zone, and how far back and ahead; as the literal worlds unless told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from tests.features.world_case import LOOKBACKS, PARIS, SNAPSHOT, SPANS


@dataclass(frozen=True)
class Vantage:
    """lookbacks: in days, rising. horizon_days: from the day to the end of the outcome window, lead included."""

    day: date
    zone: ZoneInfo
    lookbacks: tuple[int, ...]
    horizon_days: int

    @property
    def cut(self) -> datetime:
        """The midnight that begins the day, in UTC: what became known from then on is not known."""
        return datetime.combine(self.day, time(), self.zone).astimezone(UTC).replace(tzinfo=None)


_OF_LITERAL_WORLDS = Vantage(SNAPSHOT, PARIS, LOOKBACKS, SPANS.horizon_days)
_STANDING: ContextVar[Vantage | None] = ContextVar("_STANDING", default=None)


def here() -> Vantage:
    return _STANDING.get() or _OF_LITERAL_WORLDS


def lookbacks() -> tuple[int, ...]:
    return here().lookbacks


@contextmanager
def standing_at(vantage: Vantage) -> Iterator[None]:
    """Within it, the oracles look from there."""
    token = _STANDING.set(vantage)
    try:
        yield
    finally:
        _STANDING.reset(token)
