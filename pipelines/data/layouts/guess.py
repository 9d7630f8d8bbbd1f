"""What an export of an unknown system seems to hold: its table, its columns and how it writes values, each with why."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from features.errors import DataError
from pipelines.data.layouts.profile import Column
from pipelines.foundation.settings.dialect import Dialect
from pipelines.foundation.settings.sources import FileSource

# Words in headings, in the order of how much they tell; English, French and German.
_WORDS = {
    "customer_id": (
        "customerid clientid kundennummer kundennr userid accountid customer client kunde buyer email mail user "
        "account member"
    ),
    "order_id": (
        "orderid ordernumber orderno invoiceno invoice bestellnummer bestellnr auftrag rechnung numerocommande "
        "commande facture transactionid transaction receipt reference order numero number name"
    ),
    "ordered_at": (
        "orderedat orderdate invoicedate purchasedat bestelldatum datecommande createdat paidat date datum time "
        "created day jour"
    ),
    "amount": ("amount total grandtotal ordertotal montant betrag summe revenue value price prix preis paid sum"),
    "quantity": "quantity qty quantite menge anzahl units pieces",
    "unit_price": "unitprice itemprice prixunitaire einzelpreis lineitemprice price prix preis",
    "product_id": "productid sku stockcode article artikel produit product item",
    "subscription_id": "subscriptionid contractid abonnement vertrag subscription contract",
    "started_at": "startedat startdate start debut beginn created signup",
    "ended_at": "endedat enddate canceledat cancelledat ended end fin ende",
    "plan": "plan product tarif offer package",
    "mrr": "mrr monthly amount price montant betrag",
}
_TABLES = {
    "subscriptions": ("subscription_id", "customer_id", "started_at", "ended_at", "plan", "mrr"),
    "order_lines": ("order_id", "customer_id", "ordered_at", "quantity", "unit_price", "product_id"),
    "orders": ("order_id", "customer_id", "ordered_at", "amount"),
}
_MUST = {
    "subscriptions": ("subscription_id", "customer_id", "started_at", "mrr"),
    "order_lines": ("order_id", "customer_id", "ordered_at", "quantity", "unit_price"),
    "orders": ("customer_id", "ordered_at", "amount"),
}
_UNLIKE = 1e9
_MOST_NAMED = 6
_MOST_STATES = 20
_TIMES = ("ordered_at", "started_at", "ended_at")
_NUMBERS = ("amount", "quantity", "unit_price", "mrr")


@dataclass(frozen=True)
class Guess:
    """A source as it seems to be. why: what was guessed, a sentence each, for a person to confirm."""

    source: FileSource
    why: tuple[str, ...]


@dataclass
class _Look:
    """Which column fills which of a table's, as far as it was found."""

    table: str
    columns: dict[str, Column] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        return set(_MUST[self.table]) <= self.columns.keys()


def guess(path: str, columns: Sequence[Column], *, delimiter: str, encoding: str) -> Guess:
    """The source that a file seems to be. Raises: DataError where nothing in it looks like orders or subscriptions."""
    look = next((look for look in (_looked(table, columns) for table in _TABLES) if look.whole), None)
    if look is None:
        held = _looked("orders", columns)
        lacks = " and ".join(name for name in _MUST["orders"] if name not in held.columns)
        raise DataError(
            f"{path}: nothing in it looks like {lacks} of orders. A table of orders needs who, when and how much, in a "
            "row for each; name another file, or write its source by hand: docs/sources.md"
        )
    dialect, said = _dialect(look, delimiter=delimiter, encoding=encoding)
    mapped = {ours: column.name for ours, column in look.columns.items()}
    known = look.columns["customer_id"].filled
    guests = ("",) if known < 1 else ()
    if guests:
        said.append(
            f"{1 - known:.1%} of the rows looked at name no customer; such are set aside (guests); where the customer "
            "stands on an order's first line only, carry it down in a query (docs/sources.md)"
        )
    source = FileSource(table=look.table, path=path, columns=mapped, dialect=dialect, guests=guests)
    return Guess(source, (*_mapping(path, look, columns), *said))


def _looked(table: str, columns: Sequence[Column]) -> _Look:
    found, free = dict[str, Column](), list(columns)
    # Dates first: a heading such as "order date" tells of an order's number, too, and few columns hold dates.
    for ours in sorted(_TABLES[table], key=lambda name: name not in _TIMES):
        fitting = [column for column in free if _fits(ours, column)]
        best = min(fitting, key=lambda column: _rank(ours, column.name), default=None)
        if best is not None and _rank(ours, best.name) < _UNLIKE:
            found[ours] = best
            free.remove(best)
    return _Look(table, {ours: found[ours] for ours in _TABLES[table] if ours in found})


def _rank(ours: str, name: str) -> float:
    """How well a heading tells that it is this column: the less the better; _UNLIKE where it does not."""
    bare = _bare(name)
    words = _WORDS[ours].split()
    exact = [float(place) for place, word in enumerate(words) if bare == word]
    within = [place + 0.5 for place, word in enumerate(words) if word in bare]
    return min([*exact, *within], default=_UNLIKE)


def _bare(name: str) -> str:
    """Its letters alone, without accents."""
    return re.sub(r"[^a-z]", "", unicodedata.normalize("NFKD", name.lower()))


def _fits(ours: str, column: Column) -> bool:
    if ours in _TIMES:
        return bool(column.dates) and (ours == "ended_at" or column.filled > 0.9)
    if ours in _NUMBERS:
        return bool(column.marks) and column.filled > 0.9 and not column.dates
    if ours == "subscription_id":
        return column.unique
    return column.filled > 0.5 and "email" not in ours


def _dialect(look: _Look, *, delimiter: str, encoding: str) -> tuple[Dialect, list[str]]:
    said: list[str] = []
    numbers = [column for ours, column in look.columns.items() if ours in _NUMBERS]
    times = [column for ours, column in look.columns.items() if ours in _TIMES]
    marks = [pair for pair in numbers[0].marks if all(pair in column.marks for column in numbers)]
    formats = [each for each in times[0].dates if all(each in column.dates for column in times)]
    if not marks or not formats:
        raise DataError(
            "its numbers, or its dates, are not all written in one way; write its source by hand: docs/sources.md"
        )
    decimal, thousands = marks[0]
    readings = {tuple(tuple(column.numbers(pair)) for column in numbers) for pair in marks}
    if len(readings) > 1:
        said.append(f"decimal mark '{decimal}': every number can be read in {len(readings)} ways")
    if len(formats) > 1:
        said.append(f"dates are written as {formats[0]}: they could be {', '.join(formats[1:])} as well")
    signs = {column.sign for column in numbers} - {""}
    return (
        Dialect(
            delimiter=delimiter,
            encoding=encoding,
            decimal=decimal,
            thousands=thousands,
            date_format=formats[0],
            currency_sign=next(iter(signs), ""),
        ),
        said,
    )


def _mapping(path: str, look: _Look, columns: Sequence[Column]) -> Iterator[str]:
    yield f"{path} is {look.table.replace('_', ' ')}: " + ", ".join(
        f"{ours} is '{column.name}'" for ours, column in look.columns.items()
    )
    for ours, column in look.columns.items():
        others = [other.name for other in columns if other.name != column.name and ours in _TIMES and other.dates]
        if others:
            yield f"{ours} is '{column.name}' and not {' or '.join(map(repr, others))}, which hold dates, too"
        if ours in ("amount", "unit_price", "mrr") and column.looks_like_cents:
            yield f"'{column.name}' is in whole units; if these are cents, take a query (docs/sources.md)"
        if ours == "mrr":
            yield f"'{column.name}' is per month; a price per year is divided by 12 in a query (docs/sources.md)"
    for column in columns:
        states = re.search(r"status|state|etat|zustand", _bare(column.name))
        if column not in look.columns.values() and states and 1 < column.distinct <= _MOST_STATES:
            yield (
                f"every row counts, whichever of {column.distinct} values stands in '{column.name}': what is "
                "cancelled, given back or not paid is left out, or dated, in a query (docs/sources.md)"
            )
    unread = [column.name for column in columns if column not in look.columns.values()]
    if unread:
        named = ", ".join(map(repr, unread[:_MOST_NAMED]))
        more = f" and {len(unread) - _MOST_NAMED:,} more columns" if len(unread) > _MOST_NAMED else ""
        yield f"{path}: left unread: {named}{more}; docs/tables.md says what else a table takes"
