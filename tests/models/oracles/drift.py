"""How far two cohorts lie apart, and whether that is unusual, in plain Python. Written from docs/decisions/0012."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.models.oracles.chance import t_above, t_exceeded

Numbers = Sequence[float | None]
Texts = Sequence[str | None]

FEWEST_TIMES = 3  # of the past that do not overlap
LEAST_SPREAD, LEAST_VALUE = 0.05, 1e-3  # of logarithms, and of what a logarithm is taken of


def known(values: Numbers) -> list[float]:
    return sorted(value for value in values if value is not None)


def at_even_ranks(grid: Sequence[float], values: Numbers) -> bool:
    """Whether a grid's points are the values whose ranks are nearest to even ones, both ends among them."""
    ranked, last = known(values), len(grid) - 1
    near = []
    for step, point in enumerate(grid):
        rank = (len(ranked) - 1) * step / last
        near.append(point in (ranked[math.ceil(rank - 0.5 - 1e-9)], ranked[math.floor(rank + 0.5 + 1e-9)]))
    return all(near)


def distance(one: Numbers, other: Numbers, grid: Sequence[float] | None = None) -> float:
    """The largest difference between distribution functions, at the grid's points or wherever there is a value.

    0 where one side has no value, or the grid has no point.
    """
    mine, others = known(one), known(other)
    if not mine or not others:
        return 0.0

    def share(values: Sequence[float], at: Callable[[float], bool]) -> float:
        return sum(map(at, values)) / len(values)

    sides = [at for point in set(mine + others if grid is None else grid) for at in (point.__gt__, point.__ge__)]
    return max((abs(share(mine, at) - share(others, at)) for at in sides), default=0.0)


def variation(one: Texts, other: Texts) -> float:
    """Half the sum of the differences between shares; 0 where one side has no text."""
    mine, others = shares(one), shares(other)
    if not mine or not others:
        return 0.0
    return math.fsum(abs(mine.get(text, 0.0) - others.get(text, 0.0)) for text in {*mine, *others}) / 2


def shares(texts: Texts) -> dict[str, float]:
    present = [text for text in texts if text is not None]
    return {text: present.count(text) / len(present) for text in set(present)}


def nulls(values: Sequence[object]) -> float:
    return sum(value is None for value in values) / len(values)


def unseen(texts: Texts, seen: set[str]) -> list[str]:
    """Whoever has a text that was never seen before."""
    return [text for text in texts if text is not None and text not in seen]


def psi_of_numbers(before: Numbers, today: Numbers, edges: Sequence[float]) -> float:
    """edges: nine, at the tenths of the cohort on whose grid both lie. Nulls are a bin of their own."""

    def binned(values: Numbers) -> list[float]:
        counts = [0.0] * (len(edges) + 2)
        for value in values:
            counts[-1 if value is None else sum(edge < value for edge in edges)] += 1
        return [count / len(values) for count in counts]

    return _index(binned(before), binned(today))


def psi_of_texts(before: Texts, today: Texts) -> float:
    texts = sorted({text for text in (*before, *today) if text is not None})
    names: list[str | None] = [*texts, None]
    return _index(*([side.count(name) / len(side) for name in names] for side in (list(before), list(today))))


def _index(before: Sequence[float], today: Sequence[float]) -> float:
    """What an empty bin's share counts as: 1 in 10,000."""
    pairs = [(max(old, 1e-4), max(new, 1e-4)) for old, new in zip(before, today, strict=True)]
    return math.fsum((new - old) * math.log(new / old) for old, new in pairs)


def stretched(apart: float) -> float:
    return -math.log(1 - min(apart, 0.99))


def unstretched(far: float) -> float:
    return 1 - math.exp(-far)


def noise(one: int, other: int) -> float:
    """Half of the scale on which redrawing cohorts of these sizes moves the Kolmogorov-Smirnov distance."""
    return 0.5 * math.sqrt(1 / one + 1 / other)


@dataclass(frozen=True)
class Judged:
    """threshold, p_value: None where the past is too short."""

    statistic: float
    threshold: float | None
    p_value: float | None


def times_of_their_own(values: int, overlap: float) -> float:
    return 1 + (values - 1) / max(overlap, 1.0) if values else 0.0


def larger(today: float, earlier: Sequence[float], *, overlap: float, level: float) -> Judged:
    """Logarithms against the prediction for one more, from as many as do not overlap."""
    count = times_of_their_own(len(earlier), overlap)
    if count < FEWEST_TIMES:
        return Judged(today, None, None)
    logs = [math.log(max(each, LEAST_VALUE)) for each in earlier]
    middle, spread = _predicted(logs, count, LEAST_SPREAD)
    return Judged(
        today,
        math.exp(middle + spread * t_exceeded(level, count - 1)),
        t_above((math.log(max(today, LEAST_VALUE)) - middle) / spread, count - 1),
    )


def further(today: float, earlier: Sequence[float], *, least: float, overlap: float, level: float) -> Judged:
    """The same on either side, of values themselves: distance from the mean of the earlier."""
    count = times_of_their_own(len(earlier), overlap)
    middle = math.fsum(earlier) / len(earlier) if earlier else 0.0
    if count < FEWEST_TIMES:
        return Judged(abs(today - middle), None, None)
    middle, spread = _predicted(earlier, count, least)
    apart = abs(today - middle)
    return Judged(apart, spread * t_exceeded(level / 2, count - 1), 2 * t_above(apart / spread, count - 1))


def _predicted(values: Sequence[float], count: float, least: float) -> tuple[float, float]:
    """Mean, and standard deviation of one more value, of which the mean is not known for sure either."""
    middle = math.fsum(values) / len(values)
    variance = math.fsum((each - middle) ** 2 for each in values) / len(values) * count / (count - 1)
    return middle, max(math.sqrt(variance), least) * math.sqrt(1 + 1 / count)


def family(
    today: Sequence[float], earlier: Sequence[Sequence[float]], *, least: float, overlap: float, level: float
) -> tuple[Judged, list[float], list[float]]:
    """Distances judged as one: the largest over what each usually is. Also what each usually is, and today's over it.

    An earlier row is held against those that do not overlap with it; where all do, against all others.
    """

    def usual(rows: Sequence[Sequence[float]], place: int) -> float:
        squares = [row[place] ** 2 for row in rows]
        return max(math.sqrt(math.fsum(squares) / len(squares)) if squares else 0.0, least)

    largest = []
    for here, row in enumerate(earlier):
        apart = [other for there, other in enumerate(earlier) if abs(here - there) >= max(overlap, 1.0)]
        others = apart or [other for there, other in enumerate(earlier) if here != there]
        largest.append(max(value / usual(others, place) for place, value in enumerate(row)))
    each = [usual(earlier, place) for place in range(len(today))]
    scaled = [value / mine for value, mine in zip(today, each, strict=True)]
    return larger(max(scaled), largest, overlap=overlap, level=level), each, scaled


def families(
    today: Mapping[str, Sequence[float]],
    earlier: Mapping[str, Sequence[Sequence[float]]],
    *,
    least: float,
    overlap: float,
    level: float,
) -> dict[str, tuple[Judged, list[float], list[float]]]:
    """Each family by itself; the level is shared among them."""
    share = level / len(today)
    return {
        name: family(
            [stretched(each) for each in mine],
            [[stretched(each) for each in row] for row in earlier[name]],
            least=least,
            overlap=overlap,
            level=share,
        )
        for name, mine in today.items()
    }
