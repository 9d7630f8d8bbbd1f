"""How far each table's rows reach, judged by how they arrive: where they stop, where they pause, which stand alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from statistics import median

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

MISSING_ROWS = 7  # a silence tells something where so many rows would usually have come: chance does not explain it
RATE_DAYS = 28  # as many days before a silence as it lasts, and at least these, say how many usually come
PAUSE_DAYS = 14  # a shorter one within the rows is a holiday, and bends no outcome by much
ENOUGH_ROWS = 30  # of fewer nobody can say what is usual, and data end with the newest
HABIT = 2  # so many others of at least half its length make a silence usual
STRAY_ROWS = 10  # fewer, beyond a silence, are mistyped days rather than business taken up again
STRAY_SHARE = 0.1  # and so are rows on fewer than this part of the days that usually have some
THIN_SHARE = 0.1  # of what is usual on both sides: of lost exports no more comes to light, as by later refunds
GAP_DAYS, GAP_ROWS = 5, 30  # a shorter pause is told where nothing came in so many days in which so many rows are usual


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """What a table's rows cover; days are local.

    first, last: days of the oldest and the newest row that is believed. rows: how many those are. pauses: (first day,
    first day after it) of the telling silences between them; few rows may be of days within. stray: days of these, and
    of rows that stand alone beyond a silence: they are not believed. ahead: how many rows are dated on the day of the
    run or later; ahead_from: the first of their days.
    """

    first: date
    last: date
    rows: int
    pauses: tuple[tuple[date, date], ...]
    stray: tuple[date, ...]
    ahead: int
    ahead_from: date | None
    counts: Mapping[date, int]

    def stopped(self, by: date) -> bool:
        """Whether rows that should have come between the last one and a day did not."""
        days = [day for day in self.counts if day <= self.last and day not in self.stray]
        return _tells(sorted(days), self.counts, start=self.last, end=by)

    def began_late(self, since: date) -> bool:
        """Whether rows that should have come between a day and the first one are not there: `stopped`, in a mirror."""
        if (self.first - since).days < PAUSE_DAYS:
            return False
        counts = {_mirrored(day): count for day, count in self.counts.items() if self.first <= day <= self.last}
        return _tells(sorted(counts), counts, start=_mirrored(self.first), end=_mirrored(since))

    def usually_silent(self, by: date) -> bool:
        """Whether there are rows enough to say that a silence up to a day is as usual."""
        return self.rows >= ENOUGH_ROWS and not self.stopped(by)

    def until(self, reach: date) -> date:
        """The first day of which the table may not have everything. reach: that of all tables together."""
        return self.last if self.stopped(reach) else max(self.last, reach)

    def said_of(self, start: date, end: date) -> str:
        """How many rows there are in a pause, in words."""
        within = sum(count for day, count in self.counts.items() if start <= day < end)
        rows = "no rows" if not within else f"{within:,} row{'s' * (within > 1)} and no more"
        return f"{rows} from {start} to {end}, {(end - start).days:,} days"

    @property
    def beyond(self) -> tuple[date, ...]:
        """Those of the stray days that lie in no pause."""
        return tuple(day for day in self.stray if not any(start <= day < end for start, end in self.pauses))

    @property
    def gaps(self) -> tuple[tuple[date, date], ...]:
        """Silences too short for a pause, within business too lively for them: (first day, first day after it)."""
        days = sorted(day for day in self.counts if self.first <= day <= self.last)
        found = []
        for before, after in pairwise(days):
            start = before + timedelta(days=1)
            silent = (after - start).days
            if GAP_DAYS <= silent < PAUSE_DAYS and silent * self._usual(start, after) >= GAP_ROWS:
                alike = sum(2 * (later - day).days > silent for day, later in pairwise(days)) - 1
                found += [(start, after)] if alike < HABIT else []
        return tuple(found)

    def _usual(self, start: date, end: date) -> float:
        """How many rows usually come on a day around some days: the fewer of a month before and one after."""
        before = [self.counts.get(start - timedelta(days=step), 0) for step in range(1, RATE_DAYS + 1)]
        after = [self.counts.get(end + timedelta(days=step), 0) for step in range(RATE_DAYS)]
        return min(median(before), median(after))

    @property
    def rows_a_day(self) -> float:
        return self.rows / ((self.last - self.first).days + 1)


def coverage(counts: Mapping[date, int], *, today: date) -> Coverage | None:
    """What a table covers, by how many of its rows are of each day; None where none is before the day of the run."""
    days = sorted(day for day, count in counts.items() if day < today and count)
    if not days:
        return None
    ahead = {day: count for day, count in counts.items() if day >= today and count}
    early = _early(days, counts)
    thin = _thin(days[early:], counts)
    parts = _parts([day for day in days[early:] if day not in thin])
    believed = [part for part in parts if not _is_stray(part, parts, counts)] or parts[:1]
    kept = [day for part in believed for day in part]
    return Coverage(
        first=kept[0],
        last=kept[-1],
        rows=sum(counts[day] for day in kept),
        pauses=tuple((one[-1] + timedelta(days=1), other[0]) for one, other in pairwise(believed)),
        stray=(*days[:early], *sorted([*thin, *(day for part in parts if part not in believed for day in part)])),
        ahead=sum(ahead.values()),
        ahead_from=min(ahead, default=None),
        counts=counts,
    )


def reach(tables: Collection[Coverage], *, seen_on: date) -> date:
    """The first day that no table covers whole. seen_on: the day of the newest export.

    It is the day of the newest row, of which more may come. Only where all tables are silent as they usually are, the
    silence is known up to the export.
    """
    newest = max(each.last for each in tables)
    fresh = (seen_on - newest).days <= 1
    return seen_on if not fresh and all(each.usually_silent(seen_on) for each in tables) else newest


def planned_from(own: Coverage, ends: Mapping[date, int], *, others: date | None) -> date | None:
    """The first day of which nothing is told but ends of contracts, though some should have begun: these are planned.

    own: what contracts cover by their beginnings. ends: how many ended, or will, by day. others: the newest day that
    another table tells of. None where nothing says that they are plans: where no contract begins any more, those of old
    may go on to end.
    """
    if sum(count for day, count in ends.items() if day <= own.last) < MISSING_ROWS:
        return None
    end, last = max(day for day, count in ends.items() if count), max(own.last, others or own.last)
    return last + timedelta(days=1) if end > last and own.stopped(end) else None


def _parts(days: Sequence[date]) -> list[list[date]]:
    """Days with rows, parted where a silence within them tells something.

    By days and not by rows: a thousand contracts that were taken over on one day do not say that many come every day.
    """
    parts = [[days[0]]]
    for before, after in pairwise(days):
        silent = (after - before).days - 1
        if silent >= PAUSE_DAYS and _tells(days, dict.fromkeys(days, 1), start=before, end=after):
            parts.append([after])
        else:
            parts[-1].append(after)
    return parts


def _thin(days: Sequence[date], counts: Mapping[date, int]) -> set[date]:
    """Days with rows in a fortnight that has hardly any, while there are many within two months on both sides.

    By medians of days, so that a thousand contracts that were taken over on one day do not say that many come every
    day; and of days nearby, so that a shop's quiet months between two Decembers are no hole.
    """
    if len(days) < 2 * RATE_DAYS:
        return set()
    rows = np.zeros((days[-1] - days[0]).days + 1)
    for day in days:
        rows[(day - days[0]).days] = counts[day]
    usual = np.median(sliding_window_view(rows, RATE_DAYS), axis=1)  # of the days from each on
    if len(usual) < 2 * RATE_DAYS + PAUSE_DAYS:
        return set()
    around = sliding_window_view(
        np.concatenate([np.zeros(2 * RATE_DAYS), usual, np.zeros(2 * RATE_DAYS)]), 2 * RATE_DAYS + 1
    )
    best_until, best_from = around[: len(usual)].max(axis=1), around[2 * RATE_DAYS :].max(axis=1)
    inside = sliding_window_view(rows, PAUSE_DAYS).sum(axis=1)
    starts = np.arange(RATE_DAYS, len(usual) - PAUSE_DAYS)  # of fortnights with whole months on both sides
    beside = np.minimum(best_until[starts - RATE_DAYS], best_from[starts + PAUSE_DAYS])
    found: set[date] = set()
    for start, many in zip(starts.tolist(), beside.tolist(), strict=True):
        if many and inside[start] <= THIN_SHARE * PAUSE_DAYS * many:
            fortnight = (start + step for step in range(PAUSE_DAYS))  # without a usual day that it begins or ends with
            found.update(days[0] + timedelta(days=day) for day in fortnight if 2 * rows[day] < many)
    return found & set(days)


def _early(days: Sequence[date], counts: Mapping[date, int]) -> int:
    """How many days at the beginning stand alone before a silence that tells something, by the rows that follow it."""
    early, rows = 0, 0
    for number, (before, after) in enumerate(pairwise(days), start=1):
        rows += counts[before]
        if rows >= STRAY_ROWS:
            break
        silent = (after - before).days - 1
        span = max(RATE_DAYS, silent)
        following = sum(counts[day] for day in days if after <= day < after + timedelta(days=span))
        if silent >= PAUSE_DAYS and following * silent >= MISSING_ROWS * span and following >= ENOUGH_ROWS:
            early = number
    return early


def _tells(days: Sequence[date], counts: Mapping[date, int], *, start: date, end: date) -> bool:
    """Whether the silence between two days is no chance, and none of a kind that is usual in these days."""
    silent = (end - start).days - 1
    if silent < 1:
        return False
    span = max(RATE_DAYS, silent)
    before = sum(counts[day] for day in days if start - timedelta(days=span) < day <= start)
    alike = sum(2 * ((after - day).days - 1) >= silent for day, after in pairwise(days) if (day, after) != (start, end))
    return before * silent >= MISSING_ROWS * span and alike < HABIT


def _mirrored(day: date) -> date:
    """A day as it stands in a calendar that runs backwards."""
    return date.fromordinal(date.min.toordinal() + date.max.toordinal() - day.toordinal())


def _is_stray(part: Sequence[date], parts: Sequence[Sequence[date]], counts: Mapping[date, int]) -> bool:
    """Whether a part is too thin beside the largest one to be business."""
    largest = max(parts, key=len)
    if part is largest or sum(counts[day] for day in largest) < ENOUGH_ROWS:
        return False
    usual = len(largest) / ((largest[-1] - largest[0]).days + 1)
    thin = len(part) < STRAY_SHARE * usual * ((part[-1] - part[0]).days + 1)
    return thin or sum(counts[day] for day in part) < STRAY_ROWS
