"""What happens in the simulated company, table by table, and how often lately."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DAY = 86_400
WEEK = 7 * DAY
MEMORY = 53


class Ledger:
    """Events as columns, and weekly counts per customer of the last year. Times are seconds from the start."""

    def __init__(self, customers: int) -> None:
        self._parts: dict[str, list[pd.DataFrame]] = defaultdict(list)
        self._columns: dict[str, pd.DataFrame] = {}  # of tables to which nothing may ever have been added
        self._numbers: dict[str, int] = defaultdict(int)
        self._counts: dict[str, Floats] = defaultdict(lambda: np.zeros((MEMORY, customers)))

    def add(self, table: str, **columns: Any) -> None:
        frame = pd.DataFrame(columns)
        self._columns.setdefault(table, frame.iloc[:0])
        if len(frame):
            self._parts[table].append(frame)

    def ids(self, table: str, count: int) -> npt.NDArray[np.object_]:
        """So many new ids of a table."""
        first = self._numbers[table]
        self._numbers[table] += count
        return np.array([f"{table[:3].upper()}-{number:08d}" for number in range(first, first + count)], dtype=object)

    def frame(self, table: str) -> pd.DataFrame:
        if self._parts[table]:
            return pd.concat(self._parts[table], ignore_index=True)
        return self._columns.get(table, pd.DataFrame()).copy()

    def tables(self) -> list[str]:
        return sorted(self._parts)

    def count(self, name: str, week: int, who: Ints, amount: Floats | float = 1.0) -> None:
        """Something happened to customers `who` in this week."""
        np.add.at(self._counts[name][week % MEMORY], who, amount)

    def clear(self, week: int) -> None:
        """A new week begins: the place of the one a year ago is empty again."""
        for counts in self._counts.values():
            counts[week % MEMORY] = 0.0

    def recent(self, name: str, week: int, *, weeks: int, skip: int = 0) -> Floats:
        """(n,) sum over the `weeks` weeks before `week`, leaving out the last `skip` of them."""
        places = [(week - 1 - back) % MEMORY for back in range(skip, skip + weeks)]
        return np.asarray(self._counts[name][places].sum(axis=0))


def moments(chance: np.random.Generator, week: int, count: int) -> Ints:
    """Times of day, mostly between 7 and 22 o'clock, of so many events within a week."""
    day = chance.integers(0, 7, count)
    second = (chance.beta(2.5, 2.2, count) * 15 * 3600 + 7 * 3600).astype(np.int64)
    return np.asarray(week * WEEK + day * DAY + second)


def several(chance: np.random.Generator, who: Ints, rate: Floats) -> Ints:
    """Customers repeated as often as something happens to them, by Poisson rates."""
    return np.repeat(who, chance.poisson(rate))
