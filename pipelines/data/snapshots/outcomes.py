"""The outcomes of a snapshot: computed from frozen inputs, and named by their hash."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import ibis.expr.types as ir
import pyarrow as pa

from features import outcomes as definitions
from features.asof import as_of
from features.cohort import Cohort, cohort
from features.subscription_periods import Endings
from pipelines.foundation.storage.fingerprint import fingerprint
from pipelines.foundation.storage.parts import by_workers, in_step
from pipelines.foundation.workspace.compiled_queries import CompiledQueries

BY = ("features.outcomes", "features.asof", "features.cohort")


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What is observed of customers after a snapshot: of whom, in which window, by whose midnights, from which tables.

    Every kind of outcome is, at once: a question without its kind. endings: None where nobody is bound by contract.
    """

    cohort: Cohort
    lead_days: int
    horizon_days: int
    endings: Endings | None
    price_rise_is_expansion: bool
    time_zone: str
    tables: tuple[str, ...]

    @property
    def offsets(self) -> tuple[int, int, int]:
        """From the snapshot to the first day of the window, the first after it, and the day all is known."""
        end = self.lead_days + self.horizon_days
        return self.lead_days, end, end + (0 if self.endings is None else self.endings.grace_days)


@dataclass(frozen=True, kw_only=True)
class OutcomeInputs:
    """landed: hashes of the files of which something was known when the outcome was; otherwise as `FeatureInputs`.

    why_known: whether it can be told why customers left.
    """

    day: date
    observed: Observed
    landed: tuple[str, ...]
    refusals: str
    why_known: bool = True

    @property
    def key(self) -> str:
        return fingerprint(self, by=BY)


def outcomes(
    observed: Observed,
    tables: Mapping[str, ir.Table],
    day: date,
    engine: Any,
    *,
    why_known: bool = True,
    compiled: CompiledQueries | None = None,
) -> Iterator[pa.Table]:
    """One row per customer of the day's cohort with an outcome, a column per kind, as `features.outcomes` has them.

    One table of everybody or, where workers compute, one after the other, of some customers each; sorted by customer.
    Where it is not known why customers left, that they left by choice or otherwise is null.

    The day must be one whose outcomes are known. compiled: where the query was translated already, or will be.
    """

    def here(name: Hashable, make: Callable[[date], ir.Table], day: date) -> pa.Table:
        if compiled is None:
            return engine.to_pyarrow(make(day))
        kept_by = (__name__,) if observed.endings is None or observed.endings.words_are_ours else ()
        return compiled.run(name, make, day, offsets=observed.offsets, kept_by=kept_by)

    make = partial(_outcomes, observed, tables if compiled is None else compiled.over(tables))
    with by_workers(engine, here) as run:
        for (rows,) in in_step([run(("outcomes", observed), make, day)]):
            for name in definitions.BY_REASON:
                if not why_known and name in rows.column_names:
                    nobody = pa.nulls(len(rows), rows[name].type)
                    rows = rows.set_column(rows.column_names.index(name), name, nobody)  # noqa: PLW2901
            yield rows


def _outcomes(observed: Observed, tables: Mapping[str, ir.Table], day: date) -> ir.Table:
    from models.matrix import ENTITY

    zone, endings = ZoneInfo(observed.time_zone), observed.endings or Endings()
    table = definitions.outcomes(
        tables,
        cohort(as_of(tables, day, zone=zone, pause_pauses_mrr=endings.pause_pauses_mrr), observed.cohort),
        day,
        by_contract=observed.endings is not None,
        lead_days=observed.lead_days,
        horizon_days=observed.horizon_days,
        complete_until=date.max,  # whether they are known is for the calendar to say
        zone=zone,
        endings=endings,
        price_rise_is_expansion=observed.price_rise_is_expansion,
    )
    if table is None:
        raise AssertionError(f"the outcomes of {day} are censored")
    return table.order_by(ENTITY)
