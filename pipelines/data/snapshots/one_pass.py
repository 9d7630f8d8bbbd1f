"""One pass over the rows of an event table that measures them for many snapshots at once, compiled when first used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

NEVER = np.int32(-(2**31))  # no day
Ints = NDArray[np.int64]
Days = NDArray[np.int32]


def _compiled(function: Callable[..., Any]) -> Any:
    """Compiled for this machine; kept for other processes, which takes seconds off each, where there is a place to."""
    try:
        return numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:  # neither beside this file nor in the user's folder of caches
        return numba.njit(nogil=True)(function)


class Rows(NamedTuple):
    """customer: number of each row's customer, never falling. day: local, of happened.

    added: (sums, rows), what each row adds to each sum. values: (columns, rows), codes of distinct values, -1: none.
    """

    customer: Days
    happened: Ints
    known: Ints
    day: Days
    added: Ints
    values: Days


class Snapshots(NamedTuple):
    """cut: the moment at which each snapshot's day begins, rising. today: that day.

    edge: of each age in days, up to the longest of interest, the number of the first edge that is not younger.
    """

    cut: Ints
    today: Days
    edge: NDArray[np.uint8]


class Columns(NamedTuple):
    """Where results go: a row of `near` and `far` (measures, lookbacks) for days, rows, then each sum; -1: not wanted.

    values: (columns, lookbacks). last: of the last day; -1: not wanted. edges: (lookbacks, 2), the numbers of the
    lookback's edge and of its double.
    """

    near: Days
    far: Days
    values: Days
    last: int
    edges: Days


# One long function: as several that hand each other a dozen arrays it takes twice as long.
@_compiled
def measure(  # noqa: C901, PLR0912, PLR0915
    rows: Rows, snapshots: Snapshots, columns: Columns, most: int, out: Ints
) -> bool:
    """Fill `out` (snapshots, columns, customers). False: a row lies on a day that had not begun when it was known.

    most: how many rows a customer has at most. A customer's rows may come in any order. What they add is first added up
    by day, as most rows of a day become known to the same snapshots; a row that became known to others than the first
    of its day is counted by itself.
    """
    cut, today, edge = snapshots
    count, longest, sums = len(cut), len(edge) - 1, rows.added.shape[0]
    edges = int(edge[longest]) + 1
    oldest = today[0] - longest
    width = today[count - 1] - oldest
    # By day: the first snapshot that knows a row of it, the one that `adding` is for, and what rows add.
    known_from, adding_from = np.full(width, count, np.int32), np.zeros(width, np.int32)
    adding = np.zeros((width, sums + 1), np.int64)
    met, days_met = np.empty(width, np.int32), 0
    # By distinct value of a customer's: the last day, of those that become known with each snapshot.
    kinds = rows.values.shape[0]
    codes = rows.values.max() + 1 if rows.values.size else 0
    number = np.full((kinds, codes), -1, np.int32)
    named, how_many = np.empty((kinds, codes), np.int32), np.zeros(kinds, np.int64)
    last_use = np.full((kinds, min(codes, most), count), NEVER, np.int32)
    last = np.full(count, NEVER, np.int32)
    # By edge: days, rows and sums of the days between it and the one before.
    found = np.zeros((edges, sums + 2), np.int64)
    late = np.zeros((count, edges, sums + 1), np.int64)
    row, first = 0, 0
    while row < len(rows.customer):
        customer, has_late = rows.customer[row], False
        while row < len(rows.customer) and rows.customer[row] == customer:
            moment, day = max(rows.happened[row], rows.known[row]), rows.day[row]
            while first > 0 and cut[first - 1] > moment:
                first -= 1
            while first < count and cut[first] <= moment:
                first += 1
            if first == count:
                row += 1
                continue
            if day >= today[first]:
                return False
            last[first] = max(last[first], day)
            place = day - oldest
            if place >= 0:
                for kind in range(kinds):
                    code = rows.values[kind, row]
                    if code >= 0:
                        at = number[kind, code]
                        if at < 0:
                            at = how_many[kind]
                            number[kind, code], named[kind, at] = at, code
                            how_many[kind] += 1
                        last_use[kind, at, first] = max(last_use[kind, at, first], day)
                if known_from[place] == count:
                    met[days_met], adding_from[place] = place, first
                    days_met += 1
                known_from[place] = min(known_from[place], first)
                if adding_from[place] == first:
                    adding[place, 0] += 1
                    for each in range(sums):
                        adding[place, each + 1] += rows.added[each, row]
                else:
                    has_late = True
                    for snapshot in range(first, count):
                        if today[snapshot] - day > longest:
                            break
                        at = edge[today[snapshot] - day]
                        late[snapshot, at, 0] += 1
                        for each in range(sums):
                            late[snapshot, at, each + 1] += rows.added[each, row]
            row += 1
        for snapshot in range(count):
            found[:] = 0
            for place in met[:days_met]:
                age = today[snapshot] - oldest - place
                if known_from[place] <= snapshot and age <= longest:
                    at = edge[age]
                    found[at, 0] += 1
                    if adding_from[place] <= snapshot:
                        for each in range(sums + 1):
                            found[at, each + 1] += adding[place, each]
            if has_late:
                found[:, 1:] += late[snapshot]
            for at in range(1, edges):
                for each in range(sums + 2):
                    found[at, each] += found[at - 1, each]
            for span in range(len(columns.edges)):
                near, far = columns.edges[span]
                for each in range(sums + 2):
                    if columns.near[each, span] >= 0:
                        out[snapshot, columns.near[each, span], customer] = found[near, each]
                    if columns.far[each, span] >= 0:
                        out[snapshot, columns.far[each, span], customer] = found[far, each] - found[near, each]
            if snapshot:
                last[snapshot] = max(last[snapshot], last[snapshot - 1])
            if columns.last >= 0:
                out[snapshot, columns.last, customer] = last[snapshot]
            for kind in range(kinds):
                found[:, 0] = 0
                for at in range(how_many[kind]):
                    if snapshot:
                        last_use[kind, at, snapshot] = max(
                            last_use[kind, at, snapshot], last_use[kind, at, snapshot - 1]
                        )
                    day = last_use[kind, at, snapshot]
                    if day != NEVER and today[snapshot] - day <= longest:
                        found[edge[today[snapshot] - day], 0] += 1
                for at in range(1, edges):
                    found[at, 0] += found[at - 1, 0]
                for span in range(len(columns.edges)):
                    out[snapshot, columns.values[kind, span], customer] = found[columns.edges[span, 0], 0]
        for place in met[:days_met]:
            known_from[place] = count
            adding[place] = 0
        days_met = 0
        for kind in range(kinds):
            for at in range(how_many[kind]):
                number[kind, named[kind, at]] = -1
                last_use[kind, at] = NEVER
            how_many[kind] = 0
        last[:] = NEVER
        if has_late:
            late[:] = 0
    return True


@_compiled
def by_customer(customer: Days, customers: int) -> Ints:
    """The order that puts rows of one customer beside each other, in the order that they have."""
    start = np.zeros(customers + 1, np.int64)
    for each in customer:
        start[each + 1] += 1
    for number in range(1, customers + 1):
        start[number] += start[number - 1]
    order = np.empty(len(customer), np.int64)
    for row in range(len(customer)):
        order[start[customer[row]]] = row
        start[customer[row]] += 1
    return order
