"""What came of probabilities, in plain Python: the usual definitions, by pairs and by rows, each row for so many."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Figures = dict[str, float]


@dataclass(frozen=True)
class Scored:
    """weight: for how many like it the row stands."""

    probability: float
    left: bool
    weight: float = 1.0
    customer: str = ""


def figures(rows: Sequence[Scored]) -> Figures:
    """NaN where there is one outcome only."""
    total = math.fsum(row.weight for row in rows)
    positives = math.fsum(row.weight for row in rows if row.left)
    found = {
        "n": round(total),
        "positives": round(positives),
        "expected": math.fsum(row.weight * row.probability for row in rows),
    }
    found["observed_over_expected"] = positives / found["expected"] if found["expected"] > 0 else math.nan
    if not 0 < positives < total:
        names = ("roc_auc", "pr_auc", "log_loss", "brier", "top_decile_lift", "top_decile_recall")
        return found | dict.fromkeys(names, math.nan)
    recall = _recall_of_a_tenth(rows, total) / positives
    return found | {
        "roc_auc": _pairs(rows) / positives / (total - positives),
        "pr_auc": _average_precision(rows, positives),
        "log_loss": math.fsum(row.weight * _surprise(row) for row in rows) / total,
        "brier": math.fsum(row.weight * (row.probability - row.left) ** 2 for row in rows) / total,
        "top_decile_lift": recall / 0.1,
        "top_decile_recall": recall,
    }


def unexplained(rows: Sequence[Scored], slope: float, intercept: float) -> tuple[float, float]:
    """What a logistic regression leaves of the outcomes, in sum and along the log-odds: 0 where it fits."""
    left = [
        (row.weight * (row.left - (1 + math.tanh((intercept + slope * _log_odds(row)) / 2)) / 2), _log_odds(row))
        for row in rows
    ]
    return math.fsum(rest for rest, _ in left), math.fsum(rest * odds for rest, odds in left)


def ratio_interval(rows: Sequence[Scored], *, samples: int, seed: int) -> tuple[float, float]:
    """Of outcomes over those expected, whole customers drawn anew."""
    draw, customers = random.Random(seed), sorted({row.customer for row in rows})
    sums = {
        name: (
            math.fsum(row.weight * row.left for row in rows if row.customer == name),
            math.fsum(row.weight * row.probability for row in rows if row.customer == name),
        )
        for name in customers
    }
    ratios = []
    for _ in range(samples):
        drawn = [sums[name] for name in draw.choices(customers, k=len(customers))]
        ratios.append(math.fsum(happened for happened, _ in drawn) / math.fsum(expected for _, expected in drawn))
    ranked = sorted(ratios)
    return ranked[round(0.025 * (samples - 1))], ranked[round(0.975 * (samples - 1))]


def worse(
    intervals: Mapping[str, Sequence[float | None]],
    promise: Mapping[str, float | None],
    *,
    log_loss: float,
    roc_auc: float,
    calibration: float,
) -> set[str]:
    """Whose whole interval is worse than promised by more than is tolerable; what is not known is not worse."""
    found = set()
    for name, (low, high) in intervals.items():
        if low is None or high is None:
            continue
        promised = promise.get(name)
        if name == "log_loss" and promised is not None and low > promised + log_loss:
            found.add(name)
        if name == "roc_auc" and promised is not None and high < promised - roc_auc:
            found.add(name)
        if name in ("calibration_slope", "observed_over_expected") and not (
            low <= 1 + calibration and high >= 1 - calibration
        ):
            found.add(name)
    return found


def _pairs(rows: Sequence[Scored]) -> float:
    """Pairs of one who left and one who stayed, ranked rightly; a tie is half a pair."""
    gone, stayed = ([row for row in rows if row.left is left] for left in (True, False))
    return math.fsum(
        one.weight * other.weight * (1.0 if one.probability > other.probability else 0.5)
        for one in gone
        for other in stayed
        if one.probability >= other.probability
    )


def _average_precision(rows: Sequence[Scored], positives: float) -> float:
    """Precision at each probability, from the highest down, by the recall that it adds."""
    area = 0.0
    for level in {row.probability for row in rows}:
        taken = [row for row in rows if row.probability >= level]
        weight = math.fsum(row.weight for row in taken)
        hits = math.fsum(row.weight for row in taken if row.left)
        here = math.fsum(row.weight for row in taken if row.left and row.probability == level)
        area += here / positives * (hits / weight if weight else 0.0)
    return area


def _recall_of_a_tenth(rows: Sequence[Scored], total: float) -> float:
    """Who left among the tenth at most risk; of rows of one probability at its edge, as large a part as fits."""
    room, found = 0.1 * total, 0.0
    for level in sorted({row.probability for row in rows}, reverse=True):
        here = [row for row in rows if row.probability == level]
        weight = math.fsum(row.weight for row in here)
        part = min(1.0, room / weight) if weight else 0.0
        found += part * math.fsum(row.weight for row in here if row.left)
        room -= part * weight
    return found


def _surprise(row: Scored) -> float:
    inside = min(max(row.probability, 1e-9), 1 - 1e-9)
    return -math.log(inside if row.left else 1 - inside)


def _log_odds(row: Scored) -> float:
    inside = min(max(row.probability, 1e-9), 1 - 1e-9)
    return math.log(inside / (1 - inside))
