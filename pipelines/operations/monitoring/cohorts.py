"""The cohort of today beside the newest that the champion learned from, and earlier pairs as far apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import ceil

import numpy as np
import numpy.typing as npt

from models import drift, unusual
from models.drift import Profile
from models.unusual import Together
from pipelines.operations.monitoring.profiles import Profiles

Floats = npt.NDArray[np.float64]

SCORES = "churn_probability"


@dataclass(frozen=True)
class Pairs:
    """Today and `reference` are as far apart as each of the earlier pairs, which the champion learned from.

    learned: whether it learned from the reference, too. overlap: how many pairs in a row tell of nearly the same time.
    """

    reference: date
    learned: bool
    earlier: tuple[tuple[date, date], ...]
    overlap: float

    @property
    def days(self) -> list[date]:
        return sorted({day for pair in self.earlier for day in pair} | {self.reference})


def pairs(snapshots: Sequence[int], today: date) -> Pairs:
    """Today and the newest of the snapshots (ordinals, rising), and all pairs of these as far apart.

    Where today is off the grid, the next longer distance on it is taken: cohorts further apart differ no less. Where
    the newest is so long ago that too few pairs are, a later day of the grid takes its place: then it is not seen how
    far all has moved since the champion learned, but what has changed of late still is.

    >>> found = pairs([700, 707, 714, 721, 728, 735], date.fromordinal(744))
    >>> found.reference.toordinal(), found.learned, [(a.toordinal(), b.toordinal()) for a, b in found.earlier]
    (742, False, [(700, 707), (707, 714), (714, 721), (721, 728), (728, 735)])
    """
    newest, there = snapshots[-1], set(snapshots)
    step = min((after - before for before, after in pairwise(snapshots)), default=1)
    whole = ceil((today.toordinal() - newest) / step)
    for lag in range(whole, 0, -1):
        found = tuple(
            (date.fromordinal(day - lag * step), date.fromordinal(day))
            for day in snapshots
            if day - lag * step in there
        )
        overlap = max(lag, 2)  # neighbours have a day in common even where their spans have not
        if unusual.independent(len(found), overlap) >= unusual.LEAST:
            return Pairs(date.fromordinal(newest + (whole - lag) * step), lag == whole, found, overlap)
    return Pairs(date.fromordinal(newest), learned=True, earlier=(), overlap=2)


@dataclass(frozen=True)
class Compared:
    """Every distance of today's pair and of the earlier ones.

    numbers, texts: names of the columns, scores last among the numbers. apart: (pairs + 1, distances), today's last: of
    numbers and texts, of the shares of nulls of both, and the shares of texts that were never seen before.
    """

    plan: Pairs
    numbers: tuple[str, ...]
    texts: tuple[str, ...]
    before: Profile
    today: Profile
    apart: Floats
    sizes: tuple[tuple[int, int], ...]
    unseen: Mapping[str, Mapping[str, float]]

    def judged(self, families: Sequence[str], level: float) -> dict[str, tuple[Together, npt.NDArray[np.int64]]]:
        """Each family's distances together, and their places; families: (distances,) which each belongs to.

        The level is shared among the families: one that common events move at times has a wide limit, and does not
        widen that of the others.
        """
        far, least = drift.stretched(self.apart), drift.noise(self.before.n, self.today.n)
        names = sorted(set(families))
        places = {name: np.flatnonzero(np.array(families) == name) for name in names}
        share = level / len(names)
        return {
            name: (
                unusual.together(far[-1, mine], far[:-1, mine], least=least, overlap=self.plan.overlap, level=share),
                mine,
            )
            for name, mine in places.items()
        }


def compared(stored: Profiles, as_of: date, *, progress: Callable[[str], None] = lambda _: None) -> Compared | None:
    """Each stored snapshot is read once; None where the champion learned from what is not before `as_of`."""
    fitted = stored.fitted
    if fitted.snapshots[-1] >= as_of.toordinal():
        return None
    plan = pairs(fitted.snapshots, as_of)
    profiles = dict[date, Profile]()
    for day in (*plan.days, as_of):
        profiles[day] = stored.of(day)
        progress(f"cohort of {day}")
    today = profiles[as_of]
    new = drift.unseen(today, fitted.encoder.shares)
    apart = [
        [*drift.distances(profiles[a], profiles[b]), *_new(drift.unseen(profiles[b], _known(profiles, a)))]
        for a, b in plan.earlier
    ]
    apart.append([*drift.distances(profiles[plan.reference], today), *_new(new)])
    texts = tuple(today.shares)
    return Compared(
        plan,
        (*(name for name in fitted.columns if name not in texts), SCORES),
        texts,
        profiles[plan.reference],
        today,
        np.array(apart),
        tuple((profiles[a].n, profiles[b].n) for a, b in (*plan.earlier, (plan.reference, as_of))),
        new,
    )


def _known(profiles: Mapping[date, Profile], until: date) -> dict[str, set[str]]:
    """Texts by column that some snapshot until then has."""
    seen = [found for day, found in profiles.items() if day <= until]
    return {name: {text for found in seen for text in found.shares[name]} for name in seen[0].shares}


def _new(unseen: Mapping[str, Mapping[str, float]]) -> list[float]:
    return [sum(shares.values()) for shares in unseen.values()]
