"""Drift in figures: families of indicators, each indicator and the scores, as the document has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from models import drift, unusual
from models.training import Fitted
from models.unusual import Together, Unusual
from pipelines.data.snapshots.definitions import Definition
from pipelines.operations.monitoring.cohorts import SCORES, Compared

START_MODEL = "purchases"  # the family of what the start model makes of purchases
SHOWN, FEWEST = 3, 10  # unseen texts told of, and how many customers must share one: fewer might tell who they are
UNKNOWN = "unknown"


def described(
    found: Compared | None, *, fitted: Fitted, definition: Definition, as_of: date, level: float
) -> dict[str, Any]:
    """The document's `drift`: what was compared, every indicator, those furthest off first, and scores."""
    if found is None:
        newest = date.fromordinal(fitted.snapshots[-1])
        reason = f"the champion learned from the snapshot of {newest}, which is not before {as_of}"
        return _unknown(reason, level)
    families = _families(definition, found)
    judged, plan = found.judged(families, level), found.plan
    wholes = {name: whole.whole for name, (whole, _) in judged.items()}
    pairs_there = len(plan.earlier)
    p_values = [whole.p_value for whole in wholes.values() if whole.p_value is not None]
    rows = _rows(found, families, judged)
    return {
        "level": level,
        "reference": str(plan.reference),
        "reference_learned": plan.learned,
        "days_apart": (as_of - plan.reference).days,
        "pairs": pairs_there,
        "independent_pairs": round(unusual.independent(pairs_there, plan.overlap), 2),
        "statistic": _over(wholes.values()),
        "threshold": 1.0 if p_values else None,
        "p_value": min(1.0, len(wholes) * min(p_values)) if p_values else UNKNOWN,
        "reason": None if p_values else _wanting(fitted),
        "families": [
            {
                "family": name,
                "statistic": whole.statistic,
                "threshold": whole.threshold,
                "p_value": UNKNOWN if whole.p_value is None else whole.p_value,
                "drifted": whole.found,
            }
            for name, whole in wholes.items()
        ],
        "indicators": [row for row in rows if row["column"] != SCORES],
        "scores": next(row for row in rows if row["column"] == SCORES),
    }


def _over(wholes: Iterable[Unusual]) -> float | None:
    """The statistic of the family furthest beyond its threshold, in units of that; None where it is not known."""
    return max((whole.statistic / whole.threshold for whole in wholes if whole.threshold is not None), default=None)


def _unknown(reason: str, level: float) -> dict[str, Any]:
    return {
        "level": level,
        "reference": None,
        "reference_learned": None,
        "days_apart": None,
        "pairs": 0,
        "independent_pairs": 0.0,
        "statistic": None,
        "threshold": None,
        "p_value": UNKNOWN,
        "reason": reason,
        "families": [],
        "indicators": [],
        "scores": None,
    }


def _wanting(fitted: Fitted) -> str:
    needed = 2 + ceil(2 * (unusual.LEAST - 1))
    return (
        f"the champion learned from {len(fitted.snapshots)} snapshots, and {needed} are needed to know how far cohorts "
        "usually lie apart; with more history, or snapshots.every_days smaller, it will be known"
    )


def _families(definition: Definition, found: Compared) -> list[str]:
    """Of each distance; scores are a family of their own."""
    lookbacks = definition.lookbacks.lookback_days
    family_of = {name: family.name for family in definition.families for name in family.columns(lookbacks)}
    numbers, texts = (
        [SCORES if name == SCORES else family_of.get(name, START_MODEL) for name in names]
        for names in (found.numbers, found.texts)
    )
    return [*numbers, *texts, *numbers, *texts, *texts]


def _rows(
    found: Compared, families: Sequence[str], judged: Mapping[str, tuple[Together, npt.NDArray[np.int64]]]
) -> list[dict[str, Any]]:
    """One entry per column, furthest above what it usually is first."""
    names, texts = (*found.numbers, *found.texts), len(found.texts)
    count, size = len(names), len(families)
    usual, limit, scaled, beyond = np.zeros(size), np.full(size, np.nan), np.zeros(size), np.zeros(size, dtype=np.bool_)
    for whole, mine in judged.values():
        usual[mine], scaled[mine], beyond[mine] = whole.usual, whole.scaled, whole.found
        limit[mine] = np.nan if whole.whole.threshold is None else whole.usual * whole.whole.threshold
    usual, limit, index = drift.unstretched(usual), drift.unstretched(limit), drift.psi(found.before, found.today)
    before = [*found.before.missing, *found.before.gone.values()]
    today = [*found.today.missing, *found.today.gone.values()]
    rows = []
    for place, name in enumerate(names):
        parts = {"nulls": count + place, "values": place}
        if name in found.texts:
            parts["unseen"] = 2 * count + place - (count - texts)
        rows.append(
            {
                "column": name,
                "family": families[place],
                "distance": found.apart[-1][place],
                "usual": usual[place],
                "limit": limit[place],
                "scaled": max(scaled[part] for part in parts.values()),
                "drifted": [part for part, at in parts.items() if beyond[at]],
                "psi": index[place],
                "missing": today[place],
                "missing_before": before[place],
                "unseen": _unseen(found, name) if name in found.texts else None,
            }
        )
    return sorted(rows, key=lambda row: (-row["scaled"], row["column"]))


def _unseen(found: Compared, name: str) -> dict[str, Any]:
    """Texts that the champion never saw: how many customers have one, and the commonest that many share."""
    customers = {text: round(share * found.today.n) for text, share in found.unseen[name].items()}
    common = sorted((text for text, count in customers.items() if count >= FEWEST), key=lambda text: -customers[text])
    total = sum(customers.values())
    return {"customers": total, "share": total / max(found.today.n, 1), "commonest": common[:SHOWN]}
