"""What a snapshot holds: who is at risk, over which spans their indicators look, and which indicators there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

import ibis.expr.types as ir

from features import training_set
from features.asof import AsOf, as_of
from features.catalog import Family, Lookbacks
from features.cohort import Cohort
from pipelines.foundation.own_indicators.own_file import OwnFile, families_of
from pipelines.foundation.storage.fingerprint import UNLESS_EMPTY


@dataclass(frozen=True, kw_only=True)
class Definition:
    """What indicators are computed by, beside the landed rows themselves.

    tables: the names of those that landed. time_zone: whose midnights start days. personal: with the indicators about
    who the customer is. pause_pauses_mrr: how a pause is read, as `features.subscriptions.terms` says. own: the files
    of the workspace's own indicators, by the hash of their bytes.
    """

    cohort: Cohort
    lookbacks: Lookbacks
    time_zone: str
    tables: tuple[str, ...]
    personal: bool
    pause_pauses_mrr: bool
    own: tuple[OwnFile, ...] = field(default=(), metadata=UNLESS_EMPTY)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def view(self, tables: Mapping[str, ir.Table], day: date) -> AsOf:
        """The tables as they were known on a day."""
        return as_of(tables, day, zone=self.zone, pause_pauses_mrr=self.pause_pauses_mrr)

    @property
    def families(self) -> list[Family]:
        """The indicator families that the tables allow, those of the workspace's own last."""
        own = families_of(self.own, self.tables, personal=self.personal)
        return [*training_set.families(self.tables, personal=self.personal), *own]

    def unknown_columns(self, stopped: Collection[str], untold: Collection[str]) -> frozenset[str]:
        """Those of `columns` that nobody can know once tables have stopped, or while columns told nothing."""
        unknown = [
            indicator
            for family in self.families
            for group in family.groups
            for indicator in group.indicators
            if group.rests_on(stopped, self.tables) or indicator.lacks(untold)
        ]
        return frozenset(name for each in unknown for name in each.columns(self.lookbacks.lookback_days))

    @property
    def told_by(self) -> list[str]:
        """What must have told something by a day for all indicators to be known, as the catalog writes it."""
        indicators = (indicator for family in self.families for indicator in family.indicators)
        return sorted({column for indicator in indicators for column in indicator.told_by})

    @property
    def columns(self) -> list[str]:
        """Every indicator column that the tables allow, in the order of the catalog."""
        return [name for family in self.families for name in family.columns(self.lookbacks.lookback_days)]

    @property
    def categories(self) -> list[str]:
        """Those of `columns` that hold text."""
        return [
            name
            for family in self.families
            for indicator in family.indicators
            if indicator.unit == "category"
            for name in indicator.columns(self.lookbacks.lookback_days)
        ]
