"""What was found: where, how it shows, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

REMEDIES = {
    "time_travel": "read only what the as-of view gives, and give each late value its known_at in the contract",
    "foretells": "it was exported as it is today: export it as it was at each time, as versions with known_at, or "
    "remove it from `columns` of its source",
    "only_the_departed": "it was filled in when or after customers left: map when that was (known_at, or the column's "
    "own clock), or remove it from `columns` of its source",
    "only_the_stayers": "it was cleared or left empty when customers left: export it as it was at each time, as "
    "versions with known_at, or remove it from `columns` of its source",
    "stops_at_departure": "it is a total up to the export: export the events behind it, or remove it from `columns` of "
    "its source",
    "rows_deleted": "export everybody who was ever a customer, those who left, too, or remove the source of this table",
    "strong_alone": "look for the outcome in it: a copy, a consequence, or a wrong clock",
    "reaches_outside": "take everything from the view; what lies in other files, land as a table (sources)",
    "reads_ids": "an id is no fact about a customer; take out what names customers, or tells them apart, by it",
    "fixed_day": "count days from view.today; what begins on a day of its own belongs into a table that is landed",
    "changes": "keep nothing from one call to the next, and take everything from the view",
    "clocks": "correct dialect.time_zone of the source, the column that `columns` maps to this clock, or days that are "
    "mistyped",
}


@dataclass(frozen=True)
class Finding:
    """check: a key of REMEDIES. table: None where the column is an indicator. evidence: in words, with figures."""

    check: str
    table: str | None
    column: str
    evidence: str

    @property
    def place(self) -> str:
        """The column's name, with its table's where it is one of a table."""
        return f"{self.table}.{self.column}" if self.table else self.column

    @property
    def remedy(self) -> str:
        return REMEDIES[self.check]
