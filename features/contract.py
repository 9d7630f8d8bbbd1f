"""How a table is declared: columns, types, keys, and when each value became known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "currency", "integer", "number", "money", "boolean", "timestamp"]

# Sums of money and quantities must not depend on the order of rows, so both are exact decimals until they are summed.
PHYSICAL: dict[str, str] = {
    "text": "string",
    "currency": "string",
    "integer": "int64",
    "number": "decimal(18, 4)",
    "money": "decimal(18, 4)",
    "boolean": "boolean",
    "timestamp": "timestamp(6)",
    "day": "date",
}


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a contract.

    known_at: the timestamp column of the same table that says when this value became known; None when the value is
        known as soon as its row is. A timestamp may name itself: `cancelled_at` is known from `cancelled_at` on.
    null: what an empty value means; None where a row without the value is rejected.
    made_when_absent: a source without this column gets values made of the file's hash and the row number, so that each
        row has its own; a source that names the column must fill it.
    state: not empty where it stands as of the export, not as of when the row happened (a tier, a date of renewal): the
        indicators that are made of it. Where a source does not say when its rows became known, it is known from the
        export on.
    choices: the only values of a code that feature code tells apart; a row with another is rejected. Empty: any.
    code: a code with other values than a few choices; it lands as `features.codes.code` spells it.
    at_least, at_most: the least and the greatest value; a row with one beyond is rejected. None: any.
    divided: a price that systems give as the result of a division (a year's by 12): more decimals than four are no
        fault, and it lands rounded to these.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str | None = None
    known_at: str | None = None
    null: str | None = None
    made_when_absent: bool = False
    state: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    code: bool = False
    at_least: int | None = None
    at_most: int | None = None
    divided: bool = False

    @property
    def required(self) -> bool:
        return self.null is None

    @property
    def landed(self) -> dict[str, str]:
        """Name and physical type of what lands of it: the value and, of a timestamp, its local calendar day."""
        day = {local_day(self.name): PHYSICAL["day"]} if self.kind == "timestamp" else {}
        return {self.name: PHYSICAL[self.kind]} | day


# Beside every amount of money: sums never mix currencies, so a file with another one than the workspace's is refused.
CURRENCY = Column(name="currency", kind="currency", meaning="of the amounts", null="the workspace's currency")


# Clocks of a row itself, which a source of any table may have beside the table's columns; where it has, all are filled.
ROW_CLOCKS = (
    Column(
        name="known_at",
        kind="timestamp",
        meaning="when the row became known, where that is later than what it tells of",
    ),
    Column(
        name="exported_at", kind="timestamp", meaning="when the file was exported: what changed is known from then on"
    ),
)


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table's contract.

    key: columns that name a row; two landed rows with one key are two versions of one fact, the later known one holds.
        Empty for plain events, where two equal rows are two events.
    happened_at: the timestamp column of the fact itself. A row is known from `known_at` on (a landed column, equal to
        `happened_at` where the source does not say), and never before it happened.
    lasts: rows are of what goes on until it ends, such as a contract, and not of what happens.
    ends: the column that says when what a row tells of ended. What a later whole state lacks has ended by its export;
        rows of other tables were taken back by then.
    credit: the number that is below zero in a row that takes back an earlier one.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    happened_at: str
    columns: tuple[Column, ...]
    lasts: bool = False
    ends: str | None = None
    credit: str | None = None

    def __post_init__(self) -> None:
        kinds = {column.name: column.kind for column in self.columns}
        clocks = [self.happened_at, *(c.known_at for c in self.columns if c.known_at)]
        named = [*self.key, *(each for each in (self.ends, self.credit) if each is not None)]
        unknown = [*(k for k in named if k not in kinds), *(c for c in clocks if kinds.get(c) != "timestamp")]
        if unknown:
            raise ValueError(f"contract {self.name}: {unknown[0]} is not declared as needed")

    @property
    def clocks(self) -> list[str]:
        """Timestamp columns that say when a row happened, and when values of it became known."""
        return sorted({self.happened_at, *(column.known_at for column in self.columns if column.known_at)})

    @property
    def reach_clocks(self) -> list[str]:
        """Timestamp columns whose days tell how far the rows reach.

        That an order came back, or that an invoice was paid, tells nothing of orders and invoices since: an export of
        last year's holds it for months. That a contract ended does: it is told by who still tells of contracts.
        """
        return self.clocks if self.lasts else [self.happened_at]

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    @property
    def landed(self) -> dict[str, str]:
        """Name and physical type of every landed column.

        Beside the declared ones: the local calendar day of each timestamp (`ordered_at` has `ordered_on`), `known_at`,
        and `source_row`, the row number in the file it came from.
        """
        types: dict[str, str] = {}
        for column in self.columns:
            types |= column.landed
        return types | {"known_at": PHYSICAL["timestamp"], "source_row": PHYSICAL["integer"]}


def local_day(timestamp_column: str) -> str:
    """The landed column with the calendar day of a timestamp in the workspace's time zone.

    >>> local_day("ordered_at")
    'ordered_on'
    """
    return timestamp_column.removesuffix("_at") + "_on"
