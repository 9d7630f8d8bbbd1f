"""Who left, and when, as far as the data tell; everybody who was ever a customer."""

from __future__ import annotations

from datetime import date

import ibis
import numpy as np
import pandas as pd

from features.orders import purchases
from features.subscription_periods import Endings, subscription_periods
from models.far_ahead import FAR_DAYS, NEW_DAYS, Followed
from models.matrix import ENTITY
from pipelines.data.snapshots.snapshot import Snapshots


def departures(snapshots: Snapshots) -> pd.DataFrame:
    """By customer_id, rising: started, until (days, as ordinals), and left, quiet, new (flags as of the data's end).

    until: the departure, the last order or the end of the last subscription, or until when they are known to have
    stayed. Customers bound by contract stay while any subscription counts; the others while the last order is younger
    than the outcome's horizon. quiet: who had left, or is silent for two thirds of that horizon. new: who came in the
    last `NEW_DAYS` of the data.
    """
    end, question = snapshots.calendar.covered_until, snapshots.question
    view, last_day = snapshots.definition.view(snapshots.tables, end), end
    if question.by_contract:
        rows = subscription_periods(view, question.endings or Endings())
        runs = ibis.coalesce(rows.counted_until >= ibis.literal(end), True)
        table = rows.group_by(ENTITY).agg(
            started=rows.paid_from.min(), ended=rows.counted_until.max(), running=runs.ifelse(1, 0).max()
        )
        quiet_from = date.min  # who has a subscription is here
    else:
        rows = purchases(view)
        quiet_from = date.fromordinal(end.toordinal() - question.horizon_days * 2 // 3)
        last_day = date.fromordinal(end.toordinal() - question.horizon_days)
        silent = rows.ordered_on < ibis.literal(last_day)
        table = rows.group_by(ENTITY).agg(
            started=rows.ordered_on.min(), ended=rows.ordered_on.max(), running=silent.ifelse(0, 1).max()
        )
    frame = snapshots.engine.to_pyarrow(table.order_by(ENTITY)).to_pandas().set_index(ENTITY)
    left = frame["running"].to_numpy() == 0
    started, ended = ordinals(frame["started"]), ordinals(frame["ended"])
    return pd.DataFrame(
        {
            "started": started,
            "until": np.where(left, ended, float(last_day.toordinal())),
            "left": left,
            "quiet": left | (ended < quiet_from.toordinal()),
            "new": started >= end.toordinal() - NEW_DAYS,
        },
        index=frame.index,
    )


def ordinals(days: pd.Series) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Days as numbers, NaN for none."""
    seconds = pd.to_datetime(days).astype("datetime64[s]")
    known = seconds.notna().to_numpy()
    found = np.full(len(days), np.nan)
    found[known] = seconds[known].astype("int64") / 86_400 + date(1970, 1, 1).toordinal()
    return found


def followed(left: pd.DataFrame) -> Followed:
    """The customers of `departures`, each from `FAR_DAYS` after becoming one."""
    since, until = (left[name].to_numpy(np.float64) for name in ("started", "until"))
    flags = (left[name].to_numpy(np.bool_) for name in ("left", "quiet", "new"))
    return Followed(since + FAR_DAYS, until, *flags)
