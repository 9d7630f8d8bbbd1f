"""Which reasons may be told: those whose value is bad news by the catalog, and not only by the model."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from features.catalog import Indicator, Unit

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# Digits after the point as a sentence shows them; shares are shown in percent.
DECIMALS: Mapping[Unit, int] = {
    "count": 0,
    "change": 0,
    "money": 2,
    "money_change": 2,
    "days": 0,
    "hours": 1,
    "share": 2,
    "share_change": 2,
    "relative_change": 2,
    "ratio": 1,
    "quantity": 1,
    "mark": 1,
    "flag": 0,
}
CHANGES: frozenset[Unit] = frozenset({"change", "money_change", "share_change", "relative_change"})
AMOUNTS: frozenset[Unit] = frozenset({"count", "share"})  # of which 0 says that there is nothing


def agrees(indicator: Indicator, values: Floats, contributions: Floats, *, usual: float | None = None) -> Flags:
    """(n,) whether the value of each of n customers may be told as a reason for a risk.

    It may where its contribution raises the risk and the value, rounded as the sentence shows it, is bad news:

    - a flag: where it is 1 for direction "higher", 0 for "lower";
    - "higher": above the reference, and above 0; a customer is told of no risk because of nothing, nor of less than the
      catalog thinks worth telling (`least_told`);
    - "lower": below the reference; or 0, where the reference is what is usual, for less there is not;
    - "either": always, but for a count or share of 0: nobody acts on what is not there;
    - an empty value: where the catalog calls that bad news (`null_is_risk`);
    - a category: never. "country: CH" is nothing that anybody could act on.

    The reference is the indicator's `neutral`, 0 for a change, and otherwise `usual`. Where neither is known, a value
    is withheld only at its best: 0 for "higher", all of a share for "lower".

    values: null is NaN; of categories they are not looked at. usual: the median of the customers scored that day; None
    where it is not known.
    """
    raises: Flags = contributions > 0
    if indicator.unit == "category":
        return np.zeros_like(raises)
    decimals = DECIMALS[indicator.unit]
    empty, shown = np.isnan(values), np.round(values, decimals)
    fixed = 0.0 if indicator.unit in CHANGES else indicator.neutral
    reference = fixed if fixed is not None else None if usual is None else round(usual, decimals)
    bad = _bad(indicator, shown, reference, worst_agrees=fixed is None)
    return np.asarray(raises & np.where(empty, indicator.null_is_risk, bad), dtype=np.bool_)


def _bad(indicator: Indicator, shown: Floats, reference: float | None, *, worst_agrees: bool) -> Flags:
    if indicator.direction == "either":
        nothing: Flags = (shown == 0) & (indicator.unit in AMOUNTS)
        return ~nothing
    if indicator.direction == "higher":
        flag_or_unknown = indicator.unit == "flag" or reference is None
        above: Flags = shown > (0.0 if flag_or_unknown else max(reference or 0.0, 0.0))
        return above if indicator.least_told is None else above & (shown >= indicator.least_told)
    if indicator.unit == "flag":
        reference = 1.0
    elif reference is None:
        reference = 1.0 if indicator.unit == "share" else np.inf
    below: Flags = (shown < reference) | ((shown <= 0) & worst_agrees)
    return below
