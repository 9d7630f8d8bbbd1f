"""A figure as a sentence shows it, by unit and language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from features.catalog import Unit
from pipelines.foundation.wording.numbers import Numbers
from pipelines.prediction.scoring.agreement import DECIMALS

_ELIDING = "aàâeéèêiîoôuû"  # before which French "de" is "d'"


def as_written(unit: Unit, value: float) -> Decimal:
    """The figure with the digits that the sentence shows: a noun agrees with what is read, not with 1.96."""
    whole = unit in WHOLE_WITHOUT_POINT and value == round(value)
    return Decimal(f"{value:.{0 if whole else DECIMALS[unit]}f}")


def compared(numbers: Numbers, change: float, singular: str, plural: str) -> str:
    """3 fewer orders, 1 more order; 3 commandes de moins, autant d'incidents: what "than" or "que" can follow.

    A sentence that began with a sign would be read as a formula by spreadsheets, and "−2 incidents" by nobody.
    """
    size, steps = numbers.number(abs(change)), round(change)
    noun = singular if numbers.is_singular(abs(steps)) else plural
    if numbers.language == "en":
        return f"{size} {'more' if steps > 0 else 'fewer'} {noun}" if steps else f"no more and no fewer {plural}"
    if not steps:
        return f"autant d'{plural}" if plural[0] in _ELIDING else f"autant de {plural}"
    return f"{size} {noun} de {'plus' if steps > 0 else 'moins'}"


def _count(numbers: Numbers, _: str) -> Callable[[float], str]:
    return numbers.number


def _change(numbers: Numbers, _: str) -> Callable[[float], str]:
    return numbers.signed


def _money(numbers: Numbers, currency: str) -> Callable[[float], str]:
    return lambda value: f"{numbers.number(value, 2)} {currency}"


def _money_change(numbers: Numbers, currency: str) -> Callable[[float], str]:
    """12.00 EUR more, 12,00 EUR de moins: what "than" or "que" can follow."""
    more, less, same = (
        ("more", "less", "neither more nor less")
        if numbers.language == "en"
        else ("de plus", "de moins", "le même montant")
    )

    def written(value: float) -> str:
        cents = round(value, 2)
        amount = f"{numbers.number(abs(value), 2)} {currency}"
        return f"{amount} {more if cents > 0 else less}" if cents else same

    return written


def _days(numbers: Numbers, _: str) -> Callable[[float], str]:
    one, many = ("day", "days") if numbers.language == "en" else ("jour", "jours")
    return lambda value: f"{numbers.number(round(value))} {one if numbers.is_singular(round(value)) else many}"


def _share(numbers: Numbers, _: str) -> Callable[[float], str]:
    return numbers.percent


def _hours(numbers: Numbers, _: str) -> Callable[[float], str]:
    one, many = ("hour", "hours") if numbers.language == "en" else ("heure", "heures")

    def written(value: float) -> str:
        shown = round(value) if abs(value) >= 10 else round(value, 1)
        plain = numbers.number(shown, 0 if shown == round(shown) else 1)
        return f"{plain} {one if numbers.is_singular(shown) else many}"

    return written


def _share_change(numbers: Numbers, _: str) -> Callable[[float], str]:
    one, many = ("percentage point", "percentage points") if numbers.language == "en" else ("point", "points")
    return lambda value: f"{numbers.signed(100 * value)} {one if numbers.is_singular(round(100 * value)) else many}"


def _relative_change(numbers: Numbers, _: str) -> Callable[[float], str]:
    return numbers.signed_percent


def _mark(numbers: Numbers, _: str) -> Callable[[float], str]:
    return lambda value: numbers.number(value, 0 if value == round(value) else 1)


def _ratio(numbers: Numbers, _: str) -> Callable[[float], str]:
    return lambda value: numbers.number(value, 1)


# Written without a point where nothing stands behind it.
WHOLE_WITHOUT_POINT: frozenset[Unit] = frozenset({"hours", "mark", "quantity"})

SAYINGS: Mapping[Unit, Callable[[Numbers, str], Callable[[float], str]]] = {
    "count": _count,
    "change": _change,
    "money": _money,
    "money_change": _money_change,
    "days": _days,
    "hours": _hours,
    "share": _share,
    "share_change": _share_change,
    "mark": _mark,
    "flag": _count,
    "relative_change": _relative_change,
    "ratio": _ratio,
    "quantity": _mark,
}
