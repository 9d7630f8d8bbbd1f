"""Odd things in what landed, each with what to do: seldom meant so, and wrong figures follow where they are not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pipelines.data.sources.raw_rows import in_rows
from pipelines.foundation.workspace.coverage import Coverage
from pipelines.prediction.checks.odd_measures import LandedRows

LARGE_SHARE, MANY_ROWS = 0.1, 100  # of one customer
MARKED_SHARE, MARKED_ROWS = 0.01, 3  # ids with thousands marks: one may be an id that is written so
ZERO_SHARE, ENOUGH_AMOUNTS = 0.25, 30  # of the amounts; of fewer nobody can say what is usual
CENTS_MEDIAN, CENTS_ENDING_SHARE = 500, 0.6  # of amounts that are whole without exception
EQUAL_SHARE, EQUAL_ROWS = 0.05, 100  # a few equal rows are two equal purchases
# Without cents, or written without them.
NO_CENTS = frozenset(
    [
        "BIF",
        "CLP",
        "COP",
        "DJF",
        "GNF",
        "HUF",
        "IDR",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "MGA",
        "PYG",
        "RWF",
        "TWD",
        "UGX",
        "UZS",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ]
)


@dataclass(frozen=True, kw_only=True)
class Odd:
    """One odd thing. column: None where it is the row that is odd; rows: how many; text: in words, with what to do."""

    kind: str
    table: str
    column: str | None
    rows: int
    text: str

    def document(self) -> dict[str, Any]:
        return asdict(self)


Found = Mapping[str, Any]


def odd_things(table: LandedRows, found: Found, *, currency: str) -> Iterator[Odd]:
    """What is odd by the measures of a table (`odd_measures.measured`), the gravest first."""
    rules: tuple[Callable[[LandedRows, Found], Iterator[Odd]], ...] = (
        _one_customer, _scientific, _marked, _empty_dates, _backwards, _ahead, _out_of_scale
    )  # fmt: skip
    for rule in rules:
        yield from rule(table, found)
    for name in table.amounts:
        yield from _cents(table, found, name, currency=currency)
        yield from _zeros(table, found, name)
    yield from _currencies(table, found)
    yield from _equal(table, found)


def pauses(name: str, each: Coverage, *, closed: bool) -> Iterator[Odd]:
    """Telling silences within the rows. closed: whether a source says that there was nothing to tell."""
    for start, end in () if closed else each.pauses:
        yield Odd(
            kind="pause",
            table=name,
            column=None,
            rows=0,
            text=f"{name}: {each.said_of(start, end)}: export them, or set silence = "
            '"closed" for the source if nothing happened then',
        )


def _one_customer(table: LandedRows, found: Found) -> Iterator[Odd]:
    times, of = found.get("largest") or 0, found["rows"]
    if times >= MANY_ROWS and times >= LARGE_SHARE * of:
        text = (
            f"{times / of:.0%} of all rows ({times:,} of {of:,}) have one customer_id: if that is what guests have, "
            'set guests = ["..."] for the source'
        )
        yield _odd("one_customer", table, "customer_id", times, text, of_column=False)


def _scientific(table: LandedRows, found: Found) -> Iterator[Odd]:
    for name in table.ids:
        if times := found[f"scientific {name}"]:
            text = (
                f"{in_rows(times)} with an id as a spreadsheet writes it (like 1.23E+11), digits lost: export "
                "again, not by way of a spreadsheet"
            )
            yield _odd("scientific_id", table, name, times, text)


def _marked(table: LandedRows, found: Found) -> Iterator[Odd]:
    for name in table.ids:
        times = found[f"marked {name}"]
        if times >= max(MARKED_ROWS, MARKED_SHARE * found["rows"]):
            text = (
                f"{in_rows(times)} with an id that has thousands marks (like 1,234,567): export ids as text, or they "
                "match no other table's"
            )
            yield _odd("marked_id", table, name, times, text)


def _empty_dates(table: LandedRows, found: Found) -> Iterator[Odd]:
    for name in table.clocks:
        if times := found[f"empty {name}"]:
            text = (
                f"{in_rows(times)} on 1970-01-01 or 1900-01-01, as empty dates become: leave them empty in the export"
            )
            yield _odd("empty_date", table, name, times, text)


def _backwards(table: LandedRows, found: Found) -> Iterator[Odd]:
    for name in table.followed:
        if times := found.get(f"backwards {name}"):
            what = f"with {name} before {table.contract.happened_at}"
            if name == "ended_at":
                what = "ends before it starts" if times == 1 else "end before they start"
            text = f"{in_rows(times)} {what}: correct them, or date_format if it takes days for months"
            yield _odd("ends_before_start", table, name, times, text, of_column=False)


def _out_of_scale(table: LandedRows, found: Found) -> Iterator[Odd]:
    if times := found.get("out of scale"):
        text = f"{in_rows(times)} of kind csat with a mark beyond 1 to 5: bring them to that scale in a query"
        yield _odd("out_of_scale", table, "score", times, text)


def _ahead(table: LandedRows, found: Found) -> Iterator[Odd]:
    if times := found["ahead"]:
        text = (
            f"{in_rows(times)} dated after today (first {found['first ahead']}), not counted before "
            f"{'its' if times == 1 else 'their'} day: correct what is mistyped"
        )
        yield _odd("after_today", table, table.contract.happened_at, times, text, of_column=False)


def _cents(table: LandedRows, found: Found, name: str, *, currency: str) -> Iterator[Odd]:
    told = found[f"amounts {name}"] - found[f"zero {name}"]
    whole, endings, median = (found[f"{each} {name}"] for each in ("whole", "round", "median"))
    if currency in NO_CENTS or told < ENOUGH_AMOUNTS or whole < told or median < CENTS_MEDIAN:
        return
    if endings >= CENTS_ENDING_SHARE * told:
        text = (
            f"all whole numbers, {endings / told:.0%} end in 00, 50, 90, 95 or 99, half are {CENTS_MEDIAN} or more: "
            f"if they are cents, export them in {currency}"
        )
        yield _odd("cents", table, name, told, text)


def _zeros(table: LandedRows, found: Found, name: str) -> Iterator[Odd]:
    zero, of = found[f"zero {name}"], found[f"amounts {name}"]
    if of >= ENOUGH_AMOUNTS and zero >= ZERO_SHARE * of:
        what = (
            "a subscription at 0 is a free plan; if ended ones are written so, export what they brought while they ran"
            if name == "mrr"
            else "leave drafts and samples out of the export"
        )
        text = f"{zero / of:.0%} are 0 ({zero:,} of {of:,}): {what}"
        yield _odd("zero_amounts", table, name, zero, text)


def _currencies(table: LandedRows, found: Found) -> Iterator[Odd]:
    if (count := found.get("currencies") or 0) > 1:
        text = f"{count:,} currencies are mixed, and amounts are added up: convert them, or a workspace for each"
        yield _odd("currencies", table, "currency", found["rows"], text)


def _equal(table: LandedRows, found: Found) -> Iterator[Odd]:
    times, of = found["rows"] - found.get("different", found["rows"]), found["rows"]
    if times >= EQUAL_ROWS and times >= EQUAL_SHARE * of:
        text = f"{times / of:.0%} of all rows ({times:,}) repeat another whole, and each counts: remove copies"
        yield _odd("repeated_rows", table, None, times, text)


def _odd(kind: str, table: LandedRows, column: str | None, rows: int, text: str, *, of_column: bool = True) -> Odd:
    """of_column: whether the words begin with the column's name, beside the table's."""
    place = f"{table.contract.name}.{column}" if of_column and column else table.contract.name
    return Odd(kind=kind, table=table.contract.name, column=column, rows=rows, text=f"{place}: {text}")
