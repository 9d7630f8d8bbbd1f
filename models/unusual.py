"""Whether something is further off than such things always were, judged by its own past and by nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

Floats = npt.NDArray[np.float64]

LEAST = 3.0  # independent values of the past; with fewer, what is usual cannot be told from chance
_TINY = 1e-3  # what smaller values count as, so that 0 has a logarithm
_SAME = 0.05  # values within a twentieth of each other are never told apart


@dataclass(frozen=True)
class Unusual:
    """A statistic of today beside `values` of the past, of which `independent` tell of times of their own.

    threshold and p_value: None where the past is too short for both.
    """

    statistic: float
    threshold: float | None
    p_value: float | None
    values: int
    independent: float

    @property
    def found(self) -> bool:
        return self.threshold is not None and self.statistic > self.threshold


def independent(values: int, overlap: float) -> float:
    """How many of so many values, one per step, tell of times of their own where each spans `overlap` steps.

    >>> independent(17, 4)
    5.0
    """
    return 1 + (values - 1) / max(overlap, 1.0) if values else 0.0


def unusual(today: float, earlier: Floats, *, overlap: float, level: float) -> Unusual:
    """Whether `today` is larger than (n,) earlier values of one kind make plausible; all at least 0.

    earlier: in the order of time, from step to step; each tells of a span of `overlap` steps, so that neighbours tell
    of nearly the same, and all of them count as no more than the spans that do not overlap. The logarithms are taken to
    be normal with unknown mean and spread: today's is held against their prediction for one more value (Student's t).
    Ranks alone need no such assumption, but give two to four times the false alarms where neighbours overlap, and none
    at all before there are 19 values (docs/decisions/0012).
    """
    count = independent(len(earlier), overlap)
    if count < LEAST:
        return Unusual(today, None, None, len(earlier), count)
    logs = np.log(np.maximum(earlier, _TINY))
    spread = max(float(np.sqrt(logs.var() * count / (count - 1))), _SAME) * np.sqrt(1 + 1 / count)
    middle = float(logs.mean())
    return Unusual(
        today,
        threshold=float(np.exp(middle + spread * student.isf(level, count - 1))),
        p_value=float(student.sf((np.log(max(today, _TINY)) - middle) / spread, count - 1)),
        values=len(earlier),
        independent=count,
    )


def swing(today: float, earlier: Floats, *, least: float, overlap: float, level: float) -> Unusual:
    """The same for a value that may be above or below: whether it is further from the mean of (n,) earlier ones.

    Here the values themselves are taken to be normal, with a spread of at least `least`. statistic, threshold: distance
    from the mean of the earlier ones.
    """
    count = independent(len(earlier), overlap)
    middle = float(earlier.mean()) if len(earlier) else 0.0
    if count < LEAST:
        return Unusual(abs(today - middle), None, None, len(earlier), count)
    spread = max(float(np.sqrt(earlier.var() * count / (count - 1))), least) * np.sqrt(1 + 1 / count)
    return Unusual(
        abs(today - middle),
        threshold=float(spread * student.isf(level / 2, count - 1)),
        p_value=float(2 * student.sf(abs(today - middle) / spread, count - 1)),
        values=len(earlier),
        independent=count,
    )


@dataclass(frozen=True)
class Together:
    """Many distances judged as one. usual: (c,) what each usually is; scaled: (c,) today's over that."""

    whole: Unusual
    usual: Floats
    scaled: Floats

    @property
    def found(self) -> npt.NDArray[np.bool_]:
        """(c,) which distances are further above what each usually is than the furthest of all usually is."""
        limit = self.whole.threshold
        return np.zeros(len(self.scaled), dtype=np.bool_) if limit is None else self.scaled > limit


def together(today: Floats, earlier: Floats, *, least: float, overlap: float, level: float) -> Together:
    """Judge (c,) distances of today by (n, c) earlier ones, so that the chance of any false alarm is `level`.

    Each is divided by what it usually is, the root mean square of the others, and no less than `least`: what always
    moves much may move much. Of today's and of each earlier row, the largest quotient is the statistic (the maximum of
    Westfall and Young 1993). An earlier row is divided by those that do not overlap with it, so that it does not tell
    what is usual for itself, just as today's does not.
    """
    squares, places = earlier**2, np.arange(len(earlier))
    usual = np.maximum(np.sqrt(squares.mean(axis=0)) if len(earlier) else np.zeros(len(today)), least)
    largest = []
    for place in places:
        others = np.abs(places - place) >= max(overlap, 1.0)
        others = others if others.any() else places != place
        apart = np.sqrt(squares[others].mean(axis=0)) if others.any() else np.zeros(len(today))
        largest.append(float((earlier[place] / np.maximum(apart, least)).max()))
    scaled = today / usual
    return Together(
        unusual(float(scaled.max()), np.array(largest, dtype=np.float64), overlap=overlap, level=level), usual, scaled
    )
