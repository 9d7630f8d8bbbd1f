"""Companies in which nothing changes for good, though much moves: the same customers again and again, seasons."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models import drift, unusual

Floats = npt.NDArray[np.float64]

CUSTOMERS, COLUMNS, FAMILIES, SNAPSHOTS = 150, 8, 2, 44
SPREAD, SKEWED, COUNTED, HOLED = range(4)  # kinds of columns, in turn


def company(seed: int) -> Floats:
    """(snapshots, customers, columns): weekly, stationary and autocorrelated in three ways.

    Customers keep much of their value from week to week, columns are sums over up to a quarter, and a season moves all
    customers together: strongly in some columns, and for months.
    """
    random, weeks = np.random.default_rng(seed), SNAPSHOTS + 40
    found = np.empty((SNAPSHOTS, CUSTOMERS, COLUMNS))
    for column in range(COLUMNS):
        keeps, lasts = random.choice([0.5, 0.9, 0.98]), random.choice([0.0, 0.8, 0.95])
        values, season = random.normal(size=(weeks, CUSTOMERS)), random.normal(size=weeks)
        for week in range(1, weeks):
            values[week] = keeps * values[week - 1] + np.sqrt(1 - keeps**2) * values[week]
            season[week] = lasts * season[week - 1] + np.sqrt(1 - lasts**2) * season[week]
        summed = np.cumsum(values + random.choice([0.0, 0.05, 0.15, 0.4]) * season[:, None], axis=0)
        window = int(random.choice([1, 4, 13]))
        rows = (summed[window:] - summed[:-window])[-SNAPSHOTS:]
        rows = rows / rows.std()
        found[:, :, column] = {
            SPREAD: rows,
            SKEWED: np.exp(rows),
            COUNTED: np.round(np.maximum(rows + 0.5, 0) * 2),
            HOLED: np.where(rows < -1, np.nan, rows),
        }[column % 4]
    return found


def alarms(cohorts: Floats, *, lag: int, level: float) -> bool:
    """Whether the last cohort is told apart from the one `lag` before, by all such pairs before that."""
    newest = len(cohorts) - 1 - lag
    points = drift.grid(cohorts[newest])
    profiles = [drift.profile(cohort, {}, points) for cohort in cohorts]
    days = [*range(lag, newest + 1), len(cohorts) - 1]
    far = drift.stretched(np.array([drift.distances(profiles[day - lag], profiles[day]) for day in days]))
    family = np.arange(far.shape[1]) % COLUMNS // (COLUMNS // FAMILIES)
    least = drift.noise(CUSTOMERS, CUSTOMERS)
    return any(
        unusual.together(
            far[-1, family == each], far[:-1, family == each], least=least, overlap=lag, level=level / FAMILIES
        ).whole.found
        for each in range(FAMILIES)
    )
