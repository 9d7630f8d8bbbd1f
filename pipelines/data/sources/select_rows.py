"""What queries over files and queries of databases share: which of the columns that they give fill which."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from features.contract import ROW_CLOCKS
from features.errors import SettingsError, did_you_mean
from pipelines.data.sources.source_rows import SourceRows
from pipelines.foundation.settings.sources import SelectSource, lacking


@dataclass(frozen=True)
class SelectRows(SourceRows):
    """The rows that one SELECT gives."""

    source: SelectSource

    @property
    @abstractmethod
    def given(self) -> Collection[str]:
        """The columns that the query gives."""

    @cached_property
    def columns(self) -> Mapping[str, str]:  # computed once, by asking what the query gives
        """As the source maps them or, where it maps none, by their names."""
        given = self.given
        if self.source.columns:
            return self.source.columns
        known = {column.name for column in (*self.contract.columns, *ROW_CLOCKS)}
        return {name: name for name in given if name in known}

    def refuse_unfit(self) -> None:
        """Raise SettingsError where a column that is mapped, or that the contract needs, is not given."""
        for ours, theirs in self.columns.items():
            if theirs not in self.given:
                raise SettingsError(
                    f"{self.name}: gives no column '{theirs}', which columns.{ours} of its source names."
                    f"{did_you_mean(theirs, self.given)}"
                )
        if lacks := lacking(self.contract, self.columns):
            raise SettingsError(f"{self.name}: {lacks} (a query gives a column its name by AS)")

    def unread(self, *, beside: Collection[str | None]) -> Iterator[str]:
        """On columns that it gives and nothing reads: their names may be misspelled. beside: those that are meant."""
        read = {*self.columns.values(), *beside}
        known = [column.name for column in (*self.contract.columns, *ROW_CLOCKS)]
        for name in self.given:
            if name not in read:
                yield f"column '{name}' is not read: no column of {self.source.table}.{did_you_mean(name, known)}"
