"""Who gets which play: the expected profit decides, until a play has no room left."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

NOTHING = -1


def assign(profits: Floats, *, room: Floats, held_out: Flags, rank: Ints | None = None) -> Ints:
    """(n,) column of the play that each customer gets; -1 for none.

    profits: (n, k) what each play is expected to bring with each customer; null where it does not come into question.
    room: (k,) customers that it may be given to, infinite where there is no limit. rank: (n, k) of equal profits of one
    customer, the lower rank goes first, and then the earlier column; of equal profits of two, the earlier row.

    All pairs of customer and play are walked by falling profit, as long as it is above 0; a customer takes the first
    play that has room. Who is held out takes it in the same way, but leaves the room to others. So the column of a
    held-out customer is what would have been given had chance not kept them out, and what anybody gets does not depend
    on their own group: until then they have taken nothing from anybody.

    Once a play is full nobody takes it any more, held out or not. Only a treated customer fills it, so the last place
    of a full play is always a treated one's. Over many draws of the groups the held-out are their share of all who get
    a play, whatever their profit; in one draw, the two groups' mean profits differ by about that one place.

    >>> profits = np.array([[9.0, 8.0], [7.0, 1.0], [5.0, np.nan]])
    >>> room = np.array([1.0, np.inf])
    >>> assign(profits, room=room, held_out=np.array([False, False, False]))
    array([ 0,  1, -1])
    >>> assign(profits, room=room, held_out=np.array([True, False, False]))
    array([ 0,  0, -1])
    """
    customers, plays = np.nonzero(np.nan_to_num(profits, nan=0.0) > 0)
    worth = profits[customers, plays]
    first = plays if rank is None else rank[customers, plays]
    order = np.lexsort((plays, first, customers, -worth))
    given = np.full(len(profits), NOTHING, dtype=np.int64)
    left = room.astype(np.float64).copy()
    for customer, play in zip(customers[order].tolist(), plays[order].tolist(), strict=True):
        if given[customer] == NOTHING and left[play] >= 1:
            given[customer] = play
            left[play] -= not held_out[customer]
    return given
