"""What a snapshot holds: who is at risk, over which spans their indicators look, and which indicators there are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from features import training_set
from features.catalog import Family, Lookbacks
from features.cohort import Cohort


@dataclass(frozen=True, kw_only=True)
class Definition:
    """What indicators are computed by, beside the landed rows themselves.

    tables: the names of those that landed. time_zone: whose midnights start days. personal: with the indicators about
    who the customer is.
    """

    cohort: Cohort
    lookbacks: Lookbacks
    time_zone: str
    tables: tuple[str, ...]
    personal: bool

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def families(self) -> list[Family]:
        """The indicator families that the tables allow."""
        return training_set.families(self.tables, personal=self.personal)

    def unknown_columns(self, stopped: Collection[str]) -> frozenset[str]:
        """Those of `columns` that nobody can know once tables have stopped."""
        groups = [group for family in self.families for group in family.groups if group.rests_on(stopped, self.tables)]
        return frozenset(name for group in groups for name in group.columns(self.lookbacks.lookback_days))

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
