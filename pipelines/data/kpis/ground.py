"""What retention figures of a workspace are made of: who was a customer when, as far as is known on its day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from features import retention, revenue
from features.asof import AsOf, as_of
from features.errors import SettingsError, did_you_mean
from features.segments import CHOICES, segments
from features.subscription_periods import known_paid, subscription_periods
from pipelines.data.landing.local_time import zone_clock
from pipelines.foundation.workspace.workspace import Workspace

# Of all tables, these alone say what was paid at a time.
_PRICED = ("subscriptions", "subscription_changes")
PERIODS = "attrition_customer_periods"


@dataclass(frozen=True)
class Ground:
    """by: None, or one of `features.segments.CHOICES`.

    Raises: SettingsError where there is no such kind of segments, or the workspace has nothing to make them of.
    """

    workspace: Workspace
    by: str | None = None

    def __post_init__(self) -> None:
        if self.by is not None and self.by not in CHOICES:
            raise SettingsError(f"--by {self.by}: take one of {', '.join(CHOICES)}.{did_you_mean(self.by, CHOICES)}")
        if self.by == "plan" and not self.by_contract:
            raise SettingsError('--by plan: only subscriptions have plans, and cohort.kind is not "subscribed" here')
        if self.by in ("country", "channel", "value_tier") and "customers" not in self.workspace.tables:
            raise SettingsError(f'--by {self.by}: no customers have landed; add a source with table = "customers"')

    @property
    def by_contract(self) -> bool:
        return self.workspace.by_contract

    @cached_property
    def until(self) -> date:
        """The first day that is not covered."""
        return min(self.workspace.calendar.covered_until, self.workspace.as_of)

    def tells_why(self, end: date) -> bool:
        """Whether it is known why those left who left before a day."""
        return end <= self.workspace.why_left_until

    @property
    def grace(self) -> timedelta:
        """How long after an end it may turn out to be none."""
        return timedelta(days=self.workspace.settings.endings.grace_days if self.by_contract else 0)

    @cached_property
    def customer_periods(self) -> ir.Table:
        settings, compiled, tables = self.workspace.settings, self.workspace.compiled, self.workspace.tables
        if compiled is not None:
            tables = compiled.over(tables)

        def found(day: date) -> ir.Table:
            now = self._view(tables, day)
            if self.by_contract:
                return subscription_periods(now, settings.endings)
            return retention.visits(now, active_days=settings.cohort.active_days)

        day = self.workspace.as_of
        if compiled is None:
            return found(day).cache()
        name = (PERIODS, settings.endings, settings.cohort, *tables)
        rows = compiled.run(name, found, day, kept_by=self._kept_by)
        return compiled.rows_of(PERIODS, rows)

    @cached_property
    def first(self) -> ir.Table:
        """By customer: the first day of being one."""
        return retention.first_days(self.retained_periods).cache()

    @cached_property
    def priced(self) -> ir.Table | None:
        """By customer: since which local day a price above 0 is known, in whichever version. None in a shop."""
        if not self.by_contract:
            return None
        versions = self.workspace.tables["subscriptions"]
        paid_at = ibis.greatest(versions.known_at, ibis.coalesce(versions.trial_ends_at, versions.known_at))
        versions = versions.mutate(paid_at=paid_at).filter(versions.mrr > 0)
        found = versions.group_by("customer_id").agg(priced_at=versions.paid_at.min())
        rows = self.workspace.engine.to_pyarrow(found)
        days = zone_clock(self.workspace.settings.time_zone).days(rows["priced_at"].combine_chunks())
        return ibis.memtable(rows.set_column(1, "priced_on", days))

    @cached_property
    def retained_periods(self) -> ir.Table:
        """The periods that signup cohorts count: those in which something was paid, as far as is known."""
        return known_paid(self.customer_periods) if self.by_contract else self.customer_periods

    @cached_property
    def segments(self) -> ir.Table:
        """By customer: the segment. With `by` = "plan" the same for all, since plans change."""
        seen = as_of(_as_exported(self._some("customers")), self.workspace.as_of, zone=self.workspace.settings.zone)
        everybody = self.customer_periods.select("customer_id").distinct()
        everybody = everybody.left_join(self.first, "customer_id").drop("customer_id_right")
        return segments(seen, everybody, self.by).cache()

    @cached_property
    def month_starts(self) -> list[date]:
        """The first days of the full months, and the day after the last of them; one day or none: no full month."""
        first = self.rows(self.first.agg(day=self.first.first_on.min()))[0]["day"]
        days = list[date]()
        while first is not None and (day := following(days[-1]) if days else first.replace(day=1)) <= self.until:
            days.append(day)
        return days

    def there(self, days: list[date], progress: Callable[[str], None]) -> ir.Table:
        """Customers at each end of the months that `days` are the ends of, or within them, with plan and revenue."""
        if not self.by_contract:
            return revenue.visitors(self.customer_periods, periods(days)).cache()
        found = []
        for day in days:
            found.append(self._payers(day))
            progress(f"{day:%Y-%m}")
        return ibis.memtable(pa.concat_tables(found))

    def _payers(self, day: date) -> pa.Table:
        """To translate the query takes longer than to run it, so that is done once for all months."""
        settings, compiled = self.workspace.settings, self.workspace.compiled
        tables, there = self._some(*_PRICED), self.customer_periods
        if compiled is not None:
            tables = compiled.over(tables)

        def payers(day: date) -> ir.Table:
            then = self._view(tables, day)
            month = then.days_before(1).truncate("M").cast("date")
            return _seen_on(day, revenue.payers(there, then, since=month))

        if compiled is None:
            return self.workspace.engine.to_pyarrow(payers(day))
        return compiled.run(("payers", settings.endings, *tables), payers, day, kept_by=self._kept_by)

    @property
    def _kept_by(self) -> tuple[str, ...]:
        return (__name__,) if self.workspace.settings.endings.words_are_ours else ()

    def rows(self, table: ir.Table) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.workspace.engine.to_pyarrow(table).to_pylist()
        return found

    def _view(self, tables: Mapping[str, ir.Table], day: date) -> AsOf:
        settings = self.workspace.settings
        return as_of(tables, day, zone=settings.zone, pause_pauses_mrr=settings.endings.pause_pauses_mrr)

    def _some(self, *names: str) -> dict[str, ir.Table]:
        return {name: table for name, table in self.workspace.tables.items() if name in names}


def _as_exported(tables: dict[str, ir.Table]) -> dict[str, ir.Table]:
    """With the values of the day of the export: a segment is what the company calls a customer now."""
    return {name: each.drop("state_from") if "state_from" in each.columns else each for name, each in tables.items()}


def _seen_on(day: date, payers: ir.Table) -> ir.Table:
    return payers.mutate(seen_on=ibis.literal(day))


def periods(days: list[date]) -> ir.Table:
    """start_on and end_on of the spans between days."""
    spans = list(pairwise(days))
    columns = {"start_on": [start for start, _ in spans], "end_on": [end for _, end in spans]}
    return ibis.memtable(pa.table({name: pa.array(values, pa.date32()) for name, values in columns.items()}))


def following(month_start: date) -> date:
    """The first day of the next month."""
    return (month_start + timedelta(days=31)).replace(day=1)
