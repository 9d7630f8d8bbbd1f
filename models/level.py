"""How many of a day's customers are expected to leave, told apart from who of them is likelier to.

A model may rank the customers of a day well, and the mean of its probabilities be far off: a season comes, data began
lately, the base rate jumped. So that mean is forecast of its own, in several ways, each of which counts for how little
it erred on earlier days. Then the log-odds of all customers of the day move by one number, which leaves their order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit, logit

from models.matrix import Matrix

Floats = npt.NDArray[np.float64]

OWN = "own"  # what the model's own probabilities say
BUYING = "buying_model"  # what the buying model says of everybody
RECENT = "recent"  # the buying model, or the model itself where there is none, and by how much it missed lately
SEASON = "year_ago"  # the base rate of the same days a year ago
WAYS = frozenset({OWN, BUYING, RECENT, SEASON})

PRIOR = 0.2  # what each way is taken to miss by, in log-odds, as if seen over one outcome window
RECENT_DAYS = 45  # days whose misses say what is missed lately: as many before the newest known one
YEAR = 364  # days: the same day of the week
SEASON_DAYS = 10  # so many before and after are the same season
_AGE = "customer_age_days"
_EDGE = 1e-9
_FARTHEST = 22.0  # log-odds beyond those of _EDGE


@dataclass(frozen=True)
class Level:
    """What past days tell of the mean probability of a day to come.

    weights: of each way that could be judged, in any unit; those that tell nothing of a day count for nothing then.
    missed: by how much the way behind RECENT fell short of the newest known days, in log-odds. rates: (day ordinal,
    log-odds of its base rate) of days that were like a day to come, of which SEASON tells.
    """

    weights: Mapping[str, float]
    missed: float
    rates: tuple[tuple[int, float], ...]

    @classmethod
    def none(cls) -> Level:
        """Whatever the model itself says."""
        return cls({OWN: 1.0}, 0.0, ())

    @property
    def moves(self) -> bool:
        """Whether it may move anything at all."""
        return self.weights.keys() != {OWN}

    def expected(self, day: int, *, own: float, buying: float | None) -> float:
        """Log-odds of the share of a day's customers to whom it happens. own, buying: those of the two models."""
        told = _told(day, own, buying, self.missed, self.rates)
        weights = {way: self.weights[way] for way in told if way in self.weights}
        total = sum(weights.values())
        return sum(weight / total * told[way] for way, weight in weights.items())

    def shifts(self, rows: Matrix, log_odds: Floats) -> Floats:
        """(n,) what moves the log-odds of each row's day. rows: everybody at risk on each of their days."""
        found = np.zeros(len(rows))
        if not self.moves:
            return found
        for day in _days_of(rows, log_odds):
            found[day.rows] = shift_to(log_odds[day.rows], self.expected(day.on, own=day.own, buying=day.buying))
        return found


@dataclass(frozen=True)
class _Day:
    """A snapshot day: its rows, for how many each counts, and the mean probability by either model, in log-odds."""

    on: int
    rows: npt.NDArray[np.bool_]
    own: float
    buying: float | None
    labels: Floats | None
    counts: Floats

    @cached_property
    def came(self) -> float:
        """Log-odds of the base rate; none or all would be endless, and count as half a customer."""
        if self.labels is None:
            raise ValueError("this day's outcomes are not known")
        everybody = self.counts.sum()
        return float(logit(np.clip(self.counts @ self.labels, 0.5, everybody - 0.5) / everybody))

    @property
    def base(self) -> float:
        """What RECENT starts from."""
        return self.own if self.buying is None else self.buying


def fit(rows: Matrix, log_odds: Floats) -> Level:
    """Judge each way of telling on every training day, by what was known then.

    log_odds: (n,) calibrated, of each row by a model that did not see its customer. What ways missed by is squared and
    averaged over the days, which tell less than their number where their outcome windows overlap; PRIOR counts as one
    window. The weight of a way is one over that, squared: the inverse of the mean square would leave much to ways that
    were seen to be wrong.
    """
    days = _days_of(rows, log_odds)
    whole = _whole(rows, days)
    ways = [OWN, RECENT, *([] if days[0].buying is None else [BUYING]), *([SEASON] if whole else [])]
    errors: dict[str, list[float]] = {way: [] for way in ways}
    maturity = max(1, rows.question.maturity_days)
    for day in days:
        known = [each for each in days if each.on + maturity <= day.on]
        if not known:
            continue
        rates = _rates([each for each in known if each.on in whole])
        for way, told in _told(day.on, day.own, day.buying, _missed(known), rates).items():
            errors[way].append((told - day.came) ** 2)
    span = float(np.median(np.diff([day.on for day in days]))) / maturity if len(days) > 1 else 1.0
    return Level(
        {way: _weight(found, windows=min(1.0, span) * len(found)) for way, found in errors.items()},
        _missed(days),
        _rates([day for day in days if day.on in whole]),
    )


def shift_to(log_odds: Floats, expected: float) -> float:
    """By how much log-odds move for their mean probability to be as expected, which is in log-odds, too."""
    share = float(np.clip(expit(expected), _EDGE, 1 - _EDGE))
    farthest = float(np.abs(log_odds).max()) + _FARTHEST  # there everybody, or nobody, is expected to leave
    return float(brentq(lambda by: expit(log_odds + by).mean() - share, -farthest, farthest))


def _told(
    day: int, own: float, buying: float | None, missed: float, rates: Sequence[tuple[int, float]]
) -> dict[str, float]:
    """What each way tells of a day, in log-odds; ways that tell nothing of it are left out."""
    told = {OWN: own, RECENT: (own if buying is None else buying) + missed}
    if buying is not None:
        told[BUYING] = buying
    season = [rate for on, rate in rates if abs(day - YEAR - on) <= SEASON_DAYS]
    return told | ({SEASON: float(np.mean(season))} if season else {})


def _missed(known: Sequence[_Day]) -> float:
    lately = [day for day in known if day.on > known[-1].on - RECENT_DAYS]
    return float(np.mean([day.came - day.base for day in lately]))


def _rates(days: Sequence[_Day]) -> tuple[tuple[int, float], ...]:
    return tuple((day.on, day.came) for day in days)


def _weight(errors: Sequence[float], *, windows: float) -> float:
    seen = float(np.mean(errors)) * windows if errors else 0.0
    return ((PRIOR**2 + seen) / (1 + windows)) ** -2


def _days_of(rows: Matrix, log_odds: Floats) -> list[_Day]:
    started, counts = bool(rows.start.any()), rows.counts
    found = []
    for on in np.unique(rows.snapshots).tolist():
        mine = rows.snapshots == on
        found.append(
            _Day(
                on,
                mine,
                _mean(log_odds[mine], counts[mine]),
                _mean(rows.start[mine], counts[mine]) if started else None,
                None if rows.labels is None else rows.labels[mine],
                counts[mine],
            )
        )
    return found


def _mean(log_odds: Floats, counts: Floats) -> float:
    """Log-odds of the mean probability."""
    return float(logit(np.clip(np.average(expit(log_odds), weights=counts), _EDGE, 1 - _EDGE)))


def _whole(rows: Matrix, days: Sequence[_Day]) -> set[int]:
    """Days whose cohort was like those of a year later, so that their base rate may say something of it.

    Of who ordered within so many days: where the data reached so far back. Everybody who ever ordered is another crowd
    each year, of whom more have left.
    """
    cohort = rows.question.cohort
    if cohort.kind == "subscribed":
        return {day.on for day in days}
    if cohort.kind != "ordered_within" or cohort.active_days is None or _AGE not in rows.columns:
        return set()
    age = rows.values[:, rows.columns.index(_AGE)]
    return {day.on for day in days if np.nanmax(age[day.rows], initial=0.0) >= cohort.active_days}
