"""Values known long before: whether they tell who leaves much later more surely than what was known then can.

An honest sign that was known early may make leaving likelier, by a bounded factor, on every day on which somebody
leaves. A value that was written when customers left, or after, tells more: who has it is gone by the end of the data.
So each departure is compared with everybody who could have left that day. Where no honest factor is beyond `HONEST`,
the chance that this one had the value is bounded, given who had it among them; the bounds of all departures together
bound the chance of a false alarm, however few they are. A value that newcomers have as often as anybody is honest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.column_groups import PAST, SMALL, SMALLEST, distinct, of_values, parted
from models.leaks import Check, Suspicion

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

HONEST = 3.0  # times likelier to leave on a day, for what was known FAR_DAYS before; more is not believed
HONEST_BESIDE = 2.0  # the same where newcomers say that the value is written on leaving
NEW_DAYS = 180  # before the end of the data: whose coming is that recent counts as new
FAR_DAYS = 60  # what a failed payment, a notice or a silence foretells has come by then
DUE_DAYS = 7  # who leaves when a term ends or a card expires is no surprise: before that day it is one
FALSE_ALARMS = 0.05  # of workspaces whose values have no factor beyond HONEST, over all their columns
NEWCOMERS = 5  # fewer say nothing
SAID = 1.0  # logarithm: that many times likelier one than the other, newcomers have said something
NEWEST = (1.0, 0.4)  # parts of the departures that are looked at


@dataclass(frozen=True)
class Followed:
    """(n,) customers, in days of one clock. since: followed from then on. until: the departure, or the data's end.

    left: whether they had left when the data ended. quiet: whether they had, or may have. new: who came so late that
    few can have left.
    """

    since: Floats
    until: Floats
    left: Flags
    quiet: Flags
    new: Flags

    def only(self, rows: Flags) -> Followed:
        return Followed(self.since[rows], self.until[rows], self.left[rows], self.quiet[rows], self.new[rows])

    def before(self, days: Floats) -> Followed:
        """The same, each followed until `DUE_DAYS` before a day of its own at most; not at all where it has none."""
        end = np.nan_to_num(days, nan=-np.inf) - DUE_DAYS
        return replace(self, until=np.minimum(self.until, end), left=self.left & (self.until <= end))

    def known_from(self, days: Floats) -> Followed:
        """The same, each followed no earlier than `FAR_DAYS` after a day of its own."""
        return replace(self, since=np.maximum(self.since, days + FAR_DAYS))

    @property
    def still_here(self) -> Flags:
        """Who had not left when following began."""
        return self.since < self.until


@dataclass(frozen=True)
class Examined:
    """A column's most telling group of customers. log_chance: bound of its chance, logarithm, over `groups` of them."""

    column: str
    said: str
    check: Check
    log_chance: float
    groups: int
    inside: tuple[int, int]
    outside: tuple[int, int]

    @property
    def suspicion(self) -> Suspicion:
        (left, rows), (others_left, others) = self.inside, self.outside
        return Suspicion(
            self.check,
            self.column,
            f"of {rows:,} customers where it is {self.said} {left:,} had left when the data end, of {others:,} others "
            f"{others_left:,}, though it was known {FAR_DAYS} days before at least: more than a sign of that age "
            "can tell",
        )


def examine(frame: pd.DataFrame, followed: Followed) -> list[Examined]:
    """The most telling group of each column that has any.

    frame: rows as `followed`, values as they were known before following began.
    """
    told = ((str(name), of_values(frame[name])) for name in frame.columns)
    return [found for name, parts in told if (found := _most_telling(name, parts, followed)) is not None]


def examine_days(column: pd.Series, followed: Followed, *, end: float, planned: bool) -> list[Examined]:
    """The same of one column of days (ordinals). end: of the data.

    planned: whether such a day may lie ahead when it is known, as that of a renewal may, on which many leave: each
    customer is followed until shortly before it.
    """
    if planned:
        followed = followed.before(column.to_numpy(np.float64))
    parts = [(PAST, column.to_numpy(np.float64) < end), *parted(column)]
    found = _most_telling(str(column.name), parts, followed)
    return [] if found is None else [found]


def _both(followed: Followed) -> bool:
    """Whether some left and some stayed."""
    return bool(followed.left.any() and not followed.left.all())


def doubted(examined: Sequence[Examined]) -> list[Examined]:
    """Those beyond chance, by Holm's rule over columns and Bonferroni's over the groups of each: first the surest."""
    order = sorted(examined, key=lambda each: each.log_chance + np.log(each.groups))
    left, found = sum(each.groups for each in order), []
    for each in order:
        if each.log_chance + np.log(left) > np.log(FALSE_ALARMS):
            break
        found.append(each)
        left -= each.groups
    return found


def could_be_seen(followed: Followed, groups: int) -> bool:
    """Whether a value that exactly those who left have would be doubted among so many groups."""
    followed = followed.only(followed.still_here)
    if min(int(followed.left.sum()), int((~followed.left).sum())) < SMALLEST:
        return False
    days = _Days.of(followed)
    best = days.log_chances(followed.left[:, None], factor=HONEST)[0]
    return bool(best[0] + np.log(max(groups, 1)) <= np.log(FALSE_ALARMS))


@dataclass(frozen=True)
class _Days:
    """The departures, oldest first, and who could have left on each: places in both orders of the customers."""

    left: npt.NDArray[np.int64]
    by_since: npt.NDArray[np.int64]
    by_until: npt.NDArray[np.int64]
    begun: npt.NDArray[np.int64]
    over: npt.NDArray[np.int64]

    @classmethod
    def of(cls, followed: Followed) -> _Days:
        left = np.flatnonzero(followed.left)
        left = left[np.argsort(followed.until[left], kind="stable")]
        days = followed.until[left]
        by_since, by_until = np.argsort(followed.since, kind="stable"), np.argsort(followed.until, kind="stable")
        begun = np.searchsorted(followed.since[by_since], days, side="left")
        over = np.searchsorted(followed.until[by_until], days, side="left")
        return cls(left, by_since, by_until, begun, over)

    def log_chances(self, inside: Flags, *, factor: float) -> tuple[Floats, Floats]:
        """(k,) bounds for each of k groups, (n, k) flags: that so many who left are inside, and that so many are not.

        The smallest over all departures and the newest parts of them: whoever has a value of today is gone by the end,
        so that it tells the more the nearer to the end.
        """
        here = self._at_risk(inside)
        others = self._at_risk(~inside)
        hits = inside[self.left]
        high = factor * here / np.maximum(factor * here + others, 1e-12)
        low = factor * others / np.maximum(factor * others + here, 1e-12)
        best = np.zeros((2, inside.shape[1]))
        for share in NEWEST:
            since = len(self.left) - int(np.ceil(len(self.left) * share))
            best[0] = np.minimum(best[0], _log_chance(hits[since:].sum(axis=0), high[since:]))
            best[1] = np.minimum(best[1], _log_chance((~hits[since:]).sum(axis=0), low[since:]))
        return best[0], best[1]

    def _at_risk(self, inside: Flags) -> Floats:
        """(d, k) how many of each group could have left on the day of each departure, those who did included."""
        nobody = np.zeros((1, inside.shape[1]))
        begun = np.vstack([nobody, np.cumsum(inside[self.by_since], axis=0)])[self.begun]
        over = np.vstack([nobody, np.cumsum(inside[self.by_until], axis=0)])[self.over]
        return np.asarray(begun - over, dtype=np.float64)


def _log_chance(hits: npt.NDArray[np.int64], chances: Floats) -> Floats:
    """(k,) Chernoff's bound, logarithm, of so many hits or more among d independent trials. chances: (d, k)."""
    found = np.zeros(len(hits))
    many = hits > chances.sum(axis=0)
    if not many.any():
        return found
    hits, chances = hits[many], chances[:, many]
    low, high = np.zeros(len(hits)), np.full(len(hits), 40.0)
    for _ in range(40):  # the tilt under which so many hits are what is expected
        middle = (low + high) / 2
        tilted = chances * np.exp(middle)
        few = (tilted / (1 - chances + tilted)).sum(axis=0) < hits
        low, high = np.where(few, middle, low), np.where(few, high, middle)
    found[many] = np.log1p(chances * np.expm1(high)).sum(axis=0) - high * hits
    return np.minimum(found, 0.0)


def _most_telling(name: str, parts: Iterable[tuple[str, Flags]], followed: Followed) -> Examined | None:
    """The group with the least chance, by departures and newcomers together; None where there is no group."""
    here = followed.still_here
    mine = followed.only(here)
    found = distinct(parts, here) if _both(mine) else []
    if not found:
        return None
    inside, days = np.column_stack([rows[here] for _, rows in found]), _Days.of(mine)
    alone, beside = (np.concatenate(days.log_chances(inside, factor=factor)) for factor in (HONEST, HONEST_BESIDE))
    chances = np.zeros(len(alone))
    for group in np.flatnonzero(beside < np.log(FALSE_ALARMS)):
        told = newcomers_say(found[group % len(found)][1], followed)
        if told > -SAID:
            chances[group] = 0.0 if told >= SAID else alone[group]
        else:
            chances[group] = min(alone[group], _together(beside[group], told))
    best = int(chances.argmin())
    (said, rows), leaves = found[best % len(found)], best < len(found)
    check: Check = "foretells" if said in (SMALL, PAST) else "only_the_departed" if leaves else "only_the_stayers"
    counted = [(int(mine.left[each].sum()), int(each.sum())) for each in (rows[here], ~rows[here])]
    groups = 2 * len(NEWEST) * len(found)
    return Examined(name, said, check, float(chances[best]), groups, counted[0], counted[1])


def _together(first: float, second: float) -> float:
    """The chance of two independent things, logarithm, by Fisher's rule for the product of their chances."""
    both = first + second
    return both + float(np.log1p(-both))


def newcomers_say(inside: Flags, followed: Followed) -> float:
    """Whether newcomers, of whom few can have left, speak for a group: a logarithm, above 0 where they do.

    Those who are here either have the value as often as all who came earlier had, and then it was there before anybody
    left: it is honest, however much likelier those in the group leave. Or they have it no more often than others who
    stay, as is so of a value that is written when customers leave. 0 where they are too few, or like neither.
    """
    new, old, gone = followed.new, ~followed.new, followed.quiet
    staying = inside[new & ~gone]
    if len(staying) < NEWCOMERS or not (old & gone).any() or not (old & ~gone).any():
        return 0.0
    of_gone, written = _smoothed(inside[old & gone]), _smoothed(inside[old & ~gone])
    share = gone[new].mean()
    kept = float(np.clip((_smoothed(inside[old]) - share * of_gone) / (1 - share), 0.001, 0.999))
    seen, count = staying.mean(), len(staying)
    ratio = float(count * (seen * np.log(kept / written) + (1 - seen) * np.log((1 - kept) / (1 - written))))
    like = kept if ratio > 0 else written
    return ratio if abs(seen - like) <= 2.5 * np.sqrt(like * (1 - like) / count) + 0.5 / count else 0.0


def _smoothed(flags: Flags) -> float:
    return float((flags.sum() + 0.5) / (len(flags) + 1))
