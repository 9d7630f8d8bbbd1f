"""Who leaves does so by choice or because payments failed: two probabilities that add up to that of leaving."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def split(churn: Floats, voluntary: Floats, involuntary: Floats) -> tuple[Floats, Floats]:
    """(n,) probabilities of leaving by choice and because payments failed, which add up to that of leaving.

    Three models that do not know of each other are asked of the same customers. That of leaving learned from all who
    left and says how likely somebody is to; the other two say which is the likelier way, by the ratio of what they
    tell. Both are multiplied by one number for each customer, so that what raises the one against the other, which is
    what their models' contributions tell of, still does. Half and half where neither model gives any chance.
    """
    both = voluntary + involuntary
    share = np.divide(voluntary, both, out=np.full(len(both), 0.5), where=both > 0)
    by_choice = churn * share
    return by_choice, churn - by_choice
