"""What plays changed, in plain Python: sums over customers, roots by bisection. Written from docs/decisions/0018."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.models.oracles.chance import crossing, normal_quantile, pearson_below

FARTHEST = 30.0
SLOPE, LEVEL = 0.5, 10.0  # standard deviations of the priors: of slopes, and of the level
Interval = tuple[float, float, float]  # estimate, low, high


@dataclass(frozen=True)
class Person:
    """value: None where it is not known."""

    treated: bool
    left: bool
    probability: float
    value: float | None


@dataclass(frozen=True)
class Weighed:
    """A customer who counts for `weight`, at risk by `odds`, which are log-odds but for their level."""

    treated: bool
    left: bool
    weight: float
    odds: float


Play = Sequence[Person]
Group = Sequence[Weighed]


def customers(plays: Sequence[Play]) -> Interval:
    return kept([heads(play) for play in plays])


def money(plays: Sequence[Play]) -> Interval | None:
    """None where of some play nobody in a group is known to be worth something."""
    purses = [purse(play) for play in plays]
    if any(len({each.treated for each in found}) < 2 for found in purses):
        return None
    return kept(purses)


def without(plays: Sequence[Play]) -> float:
    return math.fsum(carried(found, treated=False) for found in map(heads, plays))


def ends(plays: Sequence[Play], tail: float) -> tuple[float, float]:
    """Both ends of the interval of customers kept that leaves out a share `tail` on either side."""
    return _ends([heads(play) for play in plays], tail)


def detectable(plays: Sequence[Play]) -> float | None:
    """What shows with a chance of 80% at 95% confidence, by the variance that there is where plays change nothing."""
    spread = leaving = 0.0
    for found in map(heads, plays):
        by = _shift(found)
        treated, held = ([each for each in found if each.treated is group] for group in (True, False))
        spread += sum(_variance(each.odds + by) for each in treated)
        reach = sum(_variance(each.odds + by) for each in treated) / sum(_variance(each.odds + by) for each in held)
        spread += sum(_variance(each.odds + by) for each in held) * reach**2
        all_of_them = all(each.left for each in found)
        leaving += _standardised(found, by) if not all_of_them else len(treated)
    smallest = (normal_quantile(0.975) + normal_quantile(0.8)) * math.sqrt(spread)
    return smallest if smallest <= leaving else None


def holm(p_values: Sequence[float]) -> list[float]:
    """The smallest counts times all, the next times all but one, and none less than one before it; 1 at most."""
    found = list(p_values)
    for place, mine in enumerate(p_values):
        before = [each for each in p_values if each <= mine]
        steps = [(len(p_values) - sorted(before).index(each)) * each for each in before]
        found[place] = min(1.0, max(steps))
    return found


def heads(play: Play) -> list[Weighed]:
    odds = _refined([each.left for each in play], [_log_odds(each.probability) for each in play], None)
    return [Weighed(each.treated, each.left, 1.0, mine) for each, mine in zip(play, odds, strict=True)]


def purse(play: Play) -> list[Weighed]:
    """Of whom is worth something; of others no money is kept or lost."""
    worth = [(each, each.value) for each in play if each.value]
    if not worth:
        return []
    odds = _refined(
        [each.left for each, _ in worth],
        [_log_odds(each.probability) for each, _ in worth],
        [math.log(value) for _, value in worth],
    )
    return [Weighed(each.treated, each.left, value, mine) for (each, value), mine in zip(worth, odds, strict=True)]


def kept(plays: Sequence[Group]) -> Interval:
    """Of the treated, what would be lost without the plays less what was lost; with Newcombe's interval."""
    estimate = math.fsum(carried(found, treated=False) - carried(found, treated=True) for found in plays)
    return (estimate, *_ends(plays, 0.025))


def carried(play: Group, *, treated: bool) -> float:
    """What the treated would lose at the level of a group: the shift at which that group's own sum is what happened."""
    group = [each for each in play if each.treated is treated]
    if not any(each.left for each in group):
        return 0.0
    if all(each.left for each in group):
        return math.fsum(each.weight for each in play if each.treated)
    return _standardised(play, _shift(group))


def _ends(plays: Sequence[Group], tail: float) -> tuple[float, float]:
    """Distances of the groups' limits from their estimates, squared, summed, rooted."""
    estimate = below = above = 0.0
    for play in plays:
        held, treated = carried(play, treated=False), carried(play, treated=True)
        estimate += held - treated
        below += (held - _limit(play, treated=False, below=1 - tail)) ** 2
        below += (treated - _limit(play, treated=True, below=tail)) ** 2
        above += (held - _limit(play, treated=False, below=tail)) ** 2
        above += (treated - _limit(play, treated=True, below=1 - tail)) ** 2
    return estimate - math.sqrt(below), estimate + math.sqrt(above)


def _limit(play: Group, *, treated: bool, below: float) -> float:
    """What the treated would lose at the level at which a share `below` of all sums is less than what happened."""
    group = [each for each in play if each.treated is treated]
    if below > 0.5 and not any(each.left for each in group):
        return 0.0
    if below < 0.5 and all(each.left for each in group):
        return math.fsum(each.weight for each in play if each.treated)
    happened = math.fsum(each.weight for each in group if each.left)

    def too_high(by: float) -> float:
        chances = [(each.weight, _chance(each.odds + by)) for each in group]
        mean = math.fsum(weight * chance for weight, chance in chances)
        spread = math.fsum(
            weight**2 * _variance(each.odds + by) for each, (weight, _) in zip(group, chances, strict=True)
        )
        third = math.fsum(
            weight**3 * _variance(each.odds + by) * (1 - 2 * chance)
            for each, (weight, chance) in zip(group, chances, strict=True)
        )
        return below - pearson_below((happened - mean) / math.sqrt(spread), third / spread**1.5)

    return _standardised(play, _crossed(too_high))


def _standardised(play: Group, by: float) -> float:
    return math.fsum(each.weight * _chance(each.odds + by) for each in play if each.treated)


def _shift(group: Group) -> float:
    happened = math.fsum(each.weight for each in group if each.left)
    return _crossed(lambda by: math.fsum(each.weight * _chance(each.odds + by) for each in group) - happened)


def _crossed(rises: Callable[[float], float]) -> float:
    if rises(-FARTHEST) >= 0:
        return -FARTHEST
    return FARTHEST if rises(FARTHEST) <= 0 else crossing(rises, -FARTHEST, FARTHEST)


def _refined(left: Sequence[bool], odds: Sequence[float], size: Sequence[float] | None) -> list[float]:
    """Log-odds times a slope and, for money, the logarithm of value times another, as they fit best what happened.

    Logistic regression with normal priors: the slope around 1, that of value (in standard deviations) around 0.
    """
    columns = [[1.0] * len(left), _centred(odds)]
    if size is not None and max(size) > min(size):
        spread = math.sqrt(math.fsum(each**2 for each in _centred(size)) / len(size))
        columns.append([each / spread for each in _centred(size)])
    middles, scales = [0.0, 1.0, 0.0], [LEVEL, SLOPE, SLOPE]
    rows = list(zip(*columns, strict=True))
    found = middles[: len(columns)]

    def loss(at: Sequence[float]) -> float:
        sums = [math.fsum(a * b for a, b in zip(at, row, strict=True)) for row in rows]
        fit = math.fsum(_softplus(-each if happened else each) for each, happened in zip(sums, left, strict=True))
        return fit + math.fsum(((a - b) / c) ** 2 / 2 for a, b, c in zip(at, middles, scales, strict=False))

    for _ in range(200):
        chances = [_chance(math.fsum(a * b for a, b in zip(found, row, strict=True))) for row in rows]
        slope = [
            math.fsum(
                (chance - happened) * row[place] for chance, happened, row in zip(chances, left, rows, strict=True)
            )
            + (found[place] - middles[place]) / scales[place] ** 2
            for place in range(len(found))
        ]
        bend = [
            [
                math.fsum(
                    chance * (1 - chance) * row[one] * row[other] for chance, row in zip(chances, rows, strict=True)
                )
                + (1 / scales[one] ** 2 if one == other else 0.0)
                for other in range(len(found))
            ]
            for one in range(len(found))
        ]
        step, before, part = _solved(bend, slope), loss(found), 1.0
        while loss([a - part * b for a, b in zip(found, step, strict=True)]) > before + 1e-12 and part > 1e-6:
            part /= 2
        found = [a - part * b for a, b in zip(found, step, strict=True)]
        if max(map(abs, step)) < 1e-12:
            break
    found[1] = max(0.0, found[1])
    return [math.fsum(a * b for a, b in zip(found[1:], row[1:], strict=True)) for row in rows]


def _solved(matrix: Sequence[Sequence[float]], right: Sequence[float]) -> list[float]:
    """Gauss's elimination; the matrix is positive definite."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for place in range(len(rows)):
        row = rows[place]
        lead = [each / row[place] for each in row]
        rows = [
            lead if other == place else [a - mine[place] * b for a, b in zip(mine, lead, strict=True)]
            for other, mine in enumerate(rows)
        ]
    return [row[-1] for row in rows]


def _centred(values: Sequence[float]) -> list[float]:
    mean = math.fsum(values) / len(values)
    return [each - mean for each in values]


def _log_odds(probability: float) -> float:
    inside = min(max(probability, 1e-4), 1 - 1e-4)
    return math.log(inside / (1 - inside))


def _chance(odds: float) -> float:
    return 1 / (1 + math.exp(-odds)) if odds > -700 else 0.0


def _variance(odds: float) -> float:
    return max(_chance(odds) * _chance(-odds), 1e-300)


def _softplus(value: float) -> float:
    return max(value, 0.0) + math.log1p(math.exp(-abs(value)))
