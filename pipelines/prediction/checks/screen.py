"""What `check` shows people: one screen, the command to type next at its end. Programs read the document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from pipelines.data.sources.raw_rows import in_rows
from pipelines.prediction.checks.own import in_words

Say = Callable[[str], None]
Document = Mapping[str, Any]

MOST_ODD, MOST_NOTES, MOST_REASONS = 6, 3, 3
MOST_NAMED = 3  # tables, columns or families; the rest is counted
ALL_OF_IT = "`attrition check --json` has all"


def show(say: Say, document: Document, *, sources: int, hidden: Collection[str]) -> None:
    """Say a document of `check`. sources: how many can be looked at; hidden: its notes that odd things tell already."""
    number = "1 source is" if sources == 1 else f"{sources:,} sources are"
    say(f"settings are in order{f'; {number} there, with the columns that they map' if sources else ''}")
    for each in document.get("own_indicators", []):
        say(f"  {in_words(each)}")
    for line in _lines(document, hidden):
        say(f"  {line}")
    first = "set guessed = [] in attrition.toml where what is to confirm is right, then " if _waits(document) else ""
    say(f"next: {first}{document['next']}")


def _waits(document: Document) -> bool:
    """Whether something has to be confirmed before the next command helps."""
    return bool(document.get("guessed")) and document["next"].startswith("attrition check")


def _lines(document: Document, hidden: Collection[str]) -> Iterator[str]:
    if "champion" not in document:
        yield "nothing has landed yet"
        return
    yield from _tables(document["seen"])
    yield from _odd(document["odd"])
    yield from _missing(document)
    yield from _training(document)
    yield _scores(document)
    notes = [note for note in document["notes"] if note not in hidden]
    yield from (f"note: {note}" for note in notes[:MOST_NOTES])
    if len(notes) > MOST_NOTES:
        yield f"and {_count(len(notes) - MOST_NOTES, 'more note')}: {ALL_OF_IT}"


def _tables(seen: Mapping[str, Document]) -> Iterator[str]:
    names = max(map(len, seen))
    counts = max(len(in_rows(each["rows"])) for each in seen.values())
    for name, each in seen.items():
        yield f"{name:<{names}}  {in_rows(each['rows']):>{counts}}{_period(each)}{_rejected(each)}".rstrip()


def _period(each: Document) -> str:
    if each["first"] is None:
        return ""
    age = each["days_since_newest"]
    return f"  {each['first']} to {each['last']}" + (f", {_count(age, 'day')} ago" if age else "")


def _rejected(each: Document) -> str:
    if not each["rejected"]:
        return ""
    reasons = [f"{times:,} {fault}" for fault, times in each["reasons"].items()]
    told = ", ".join(reasons[:MOST_REASONS])
    more = f", {len(reasons) - MOST_REASONS} other faults" if len(reasons) > MOST_REASONS else ""
    return f"; {each['rejected']:,} rejected{f': {told}{more}' if told else ''}"


def _odd(odd: Sequence[Document]) -> Iterator[str]:
    yield from (f"odd: {each['text']}" for each in odd[:MOST_ODD])
    if len(odd) > MOST_ODD:
        yield f"odd: {_count(len(odd) - MOST_ODD, 'more thing')}: {ALL_OF_IT}"


def _missing(document: Document) -> Iterator[str]:
    """What is missing for which family, in two lines."""
    if document["absent"]:
        yield _absent(document["absent"])
    if document["untold"]:
        untold = document["untold"]
        columns = list(dict.fromkeys(column for each in untold for column in each["for_want_of"]))
        count = sum(each["indicators"] for each in untold)
        are = "1 indicator is" if count == 1 else f"{count:,} indicators are"
        named = [column.replace("|", " or ").replace("<0", " below 0").replace("=", " = ") for column in columns]
        yield f"missing: {are} unknown, for nothing is told in {_some(named, 'column')}: {_families(untold)}"


def _absent(absent: Sequence[Document]) -> str:
    gains: Counter[str] = Counter()
    for each in absent:
        for need in each["for_want_of"]:
            gains[need] += each["indicators"]
    count = sum(each["indicators"] for each in absent)
    tables = [need.replace("|", " or ") for need, _ in gains.most_common()]
    would = f"would add {_count(count, 'indicator')}"
    return f"missing: {_some(tables, 'table')} {would}: {_families(absent)}"


def _families(found: Sequence[Document]) -> str:
    gains: Counter[str] = Counter()
    for each in found:
        gains[each["family"]] += each["indicators"]
    return _some([f"{family} {count:,}" for family, count in gains.most_common()], "family", "families")


def _some(names: Sequence[str], noun: str, nouns: str | None = None) -> str:
    """The first names, and how many more; all of them, where only one more would be left."""
    if len(names) <= MOST_NAMED + 1:
        return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{', '.join(names[:MOST_NAMED])} and {len(names) - MOST_NAMED} more {nouns or f'{noun}s'}"


def _training(document: Document) -> Iterator[str]:
    days, folds, least = document["training_snapshots"], document["folds"], document["least"]
    yield (
        f"{_count(document['indicators'], 'indicator column')}; looking from {document['as_of']}; data complete before "
        f"{document['complete_until']}"
    )
    yield (
        f"snapshots: first possible on {document['first_snapshot']}; {len(days)} to learn from{_span(days)}; "
        f"{_count(len(folds), 'backtest fold')}{_span(folds)}"
    )
    found, more = document["matured"], document["more_from"]
    needed = f"{least['customers']:,} customers and {least['positives']:,} of each outcome are needed"
    if not days:
        yield (
            f"not enough to train: nothing has matured. From {more['day']} on there is, once data reach that day: then "
            f"the outcomes of {more['snapshot_on']} have matured"
        )
    elif found is None:
        yield f"outcomes: not counted yet, `attrition train` does; {needed}"
    else:
        yes, no = ("left", "stayed") if document["outcome"] != "expansion" else ("expanded", "did not")
        yield (
            f"outcomes: {found['happened']:,} {yes} and {found['not_happened']:,} {no} after {found['snapshot_on']}; "
            f"{_verdict(document, needed)}"
        )


def _verdict(document: Document, needed: str) -> str:
    found, more = document["matured"], document["more_from"]
    if document["enough"]:
        return f"enough to train ({needed})"
    fewest = min(found["all_happened"], found["all_not_happened"])
    there = f"{_count(found['customers'], 'customer')} and {fewest:,} of the rarer outcome"
    if document["enough"] is None:
        return f"{there} counted so far; {needed}"
    return f"not enough to train: {there}, {needed}. From {more['day']} on more have matured"


def _scores(document: Document) -> str:
    champion = document["champion"] or "none yet"
    return f"champion: {champion}; scored: {document['scored'] or 'not yet'}"


def _span(days: Sequence[str]) -> str:
    return "" if not days else f", {days[0]}" if len(days) == 1 else f", {days[0]} to {days[-1]}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"
