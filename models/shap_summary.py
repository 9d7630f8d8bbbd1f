"""SHAP values of many customers as averages of groups: what may be kept and drawn, where single points may not.

A point of a usual summary or dependence plot is a person: who knows an unusual value finds its contribution, and it
stays in the picture when the person is erased. Here no figure is of fewer than `AT_LEAST` customers
(docs/decisions/0027).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models import explanation
from models.matrix import Matrix
from models.training import Fitted

Floats = npt.NDArray[np.float64]

AT_LEAST = 10
GROUPS = 10
CUSTOMERS = 2_000  # to explain: averages of more look the same


@dataclass(frozen=True)
class Group:
    """Customers with similar values of a column, or (value None) with none.

    shap: their mean, in log-odds; spread: its standard deviation.
    """

    customers: int
    value: float | None
    shap: float
    spread: float


@dataclass(frozen=True)
class Explained:
    """A column's part in the predictions. importance: mean absolute SHAP value; groups: by rising value."""

    column: str
    importance: float
    groups: tuple[Group, ...]

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Explained:
        """Back from `dataclasses.asdict`, also once it was written and read."""
        return cls(fields["column"], fields["importance"], tuple(Group(**each) for each in fields["groups"]))


def summary(fitted: Fitted, rows: Matrix) -> list[Explained]:
    """Every column of the model, most important first; empty where there are fewer customers than make a group.

    rows: of one snapshot, a customer a row.
    """
    if len(rows) < AT_LEAST:
        return []
    chosen = np.zeros(len(rows), dtype=np.bool_)
    chosen[np.linspace(0, len(rows) - 1, min(len(rows), CUSTOMERS)).astype(np.intp)] = True
    rows = rows.only(chosen)
    shap = explanation.contributions(fitted, rows, {name: name for name in rows.columns}).columns
    values = fitted.started(rows).values
    found = [
        Explained(name, float(np.abs(shap[:, place]).mean()), tuple(groups(values[:, place], shap[:, place])))
        for place, name in enumerate(rows.columns)
    ]
    return sorted(found, key=lambda each: (-each.importance, each.column))


def groups(values: Floats, shap: Floats) -> list[Group]:
    """At most `GROUPS` of about equally many customers by value, none of fewer than `AT_LEAST`, then those without.

    >>> [(each.customers, each.value) for each in groups(np.array([0.0] * 30 + [5.0] * 12 + [9.0]), np.zeros(43))]
    [(30, 0.0), (13, 5.3076923076923075)]
    """
    there = np.isfinite(values)
    known = np.unique(values[there])
    cuts = np.unique(np.quantile(values[there], np.linspace(0, 1, GROUPS + 1)[1:-1])) if len(known) else known
    place = np.searchsorted(cuts, values, side="left")
    parts: list[npt.NDArray[np.bool_]] = []
    for number in range(len(cuts) + 1):
        part = there & (place == number)
        if parts and (part.sum() < AT_LEAST or parts[-1].sum() < AT_LEAST):
            parts[-1] = parts[-1] | part
        else:
            parts.append(part)
    if len(parts) > 1 and parts[-1].sum() < AT_LEAST:
        parts[-2:] = [parts[-2] | parts[-1]]
    found = [_group(part, float(values[part].mean()), shap) for part in parts if part.sum() >= AT_LEAST]
    return found + ([_group(~there, None, shap)] if (~there).sum() >= AT_LEAST else [])


def _group(part: npt.NDArray[np.bool_], value: float | None, shap: Floats) -> Group:
    return Group(int(part.sum()), value, float(shap[part].mean()), float(shap[part].std()))


def most_important(found: Sequence[Explained], *, count: int) -> list[Explained]:
    """The first of them that say anything."""
    return [each for each in found[:count] if each.importance > 0]
