"""The reasons of a workspace as they were handed over, by the files that people and systems read, and each judged."""

from __future__ import annotations

import csv
import html
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from features.training_set import families
from tests.sentences.exports import known_rows, settings_of, vantage_of
from tests.sentences.judging import Judge, Judged, Reason, Truth
from tests.sentences.reading import Reader

PLACES = (1, 2, 3)
NO_RISK = "expansion"  # of which whatever raises the probability is told, good news or bad


def truth_of(root: Path) -> Truth:
    """What the exports of a scored workspace come to, in whatever language it is scored."""
    return Truth(known_rows(root), everybody_scored(root), vantage_of(settings_of(root)))


@dataclass(frozen=True)
class HandedOver:
    """The files that a workspace handed over last. further: of the outcomes beside the main one; None without such."""

    root: Path
    scores: Path
    further: Path | None


def judged(given: HandedOver, customers: int, truth: Truth) -> list[Judged]:
    """Every reason of so many customers of the files, evenly from the most at risk to the least."""
    settings = settings_of(given.root)
    tables = {source["table"] for source in settings["sources"]}
    there = families(tables, personal=settings["age_and_gender"])
    vantage = vantage_of(settings)
    reader = Reader(
        there, lookback_days=vantage.lookbacks, language=settings["language"], currency=settings["currency"]
    )
    family_of = {column: family.name for family in there for column in family.columns(vantage.lookbacks)}
    judge = Judge(reader, truth, family_of)
    return [judge.judge(reason) for reason in published(given, customers)]


def everybody_scored(root: Path) -> list[str]:
    """Held back ones, too: they are among those whose median is what is usual."""
    return [row["customer_id"] for row in _ledger(root)]


def published(given: HandedOver, customers: int) -> list[Reason]:
    """What the two files say of so many customers, evenly from the first of the list to the last.

    Raises: AssertionError where the file of scores and the ledger do not say the same, or fewer are listed.
    """
    rows = list(_rows(given.scores))
    assert len(rows) >= customers, f"{given.scores} lists {len(rows)} customers; {customers} were asked for"
    held = {row["customer_id"]: row for row in _ledger(given.root)}
    names = [f"reason_{place}{ending}" for place in PLACES for ending in ("", "_code")]
    for row in rows:
        there = held[_id(row)]
        assert all(row[name] == there[name] for name in names), f"{given.scores} and the ledger differ on a customer"
    chosen = [rows[number * len(rows) // customers] for number in range(customers)]
    further = () if given.further is None else _rows(given.further)
    listed = {_id(row) for row in chosen}
    return [
        Reason(_id(row), row[f"reason_{place}_code"], row[f"reason_{place}"], risk=row.get("outcome") != NO_RISK)
        for row in (*chosen, *(row for row in further if _id(row) in listed))
        for place in PLACES
        if row[f"reason_{place}"] or row[f"reason_{place}_code"]
    ]


def refuse_another_report(root: Path) -> int:
    """How many customers the report lists, each with the ledger's reasons. Raises: AssertionError where with others."""
    held, listed = {row["customer_id"]: row for row in _ledger(root)}, list(reported(root))
    for customer, texts in listed:
        wanted = [held[customer][f"reason_{place}"] for place in PLACES]
        assert texts == [text for text in wanted if text], f"report and ledger differ on a customer in {root}"
    return len(listed)


def reported(root: Path) -> Iterator[tuple[str, list[str]]]:
    """Customers and their reasons as the report lists them; nobody where there is no report."""
    page = root / "report.html"
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    listed = re.search(r'<table id="most-at-risk".*?</table>', text, re.DOTALL)
    for row in re.findall(r"<tr>\s*<td.*?</tr>", listed[0] if listed else "", re.DOTALL):
        (customer,) = re.findall(r"<bdi>(.*?)</bdi>", row)
        yield html.unescape(customer), [html.unescape(each) for each in re.findall(r"<li>(.*?)</li>", row)]


def _rows(place: Path) -> Iterator[dict[str, str]]:
    with place.open(encoding="utf-8-sig", newline="") as handle:
        yield from csv.DictReader(handle)


def _id(row: dict[str, str]) -> str:
    """Without the apostrophe that keeps spreadsheets from running an id as a formula."""
    return re.sub("^'(?=[=+@-])", "", row["customer_id"])


def _ledger(root: Path) -> Sequence[sqlite3.Row]:
    with closing(sqlite3.connect(root / "attrition.sqlite")) as ledger:
        ledger.row_factory = sqlite3.Row
        return ledger.execute("SELECT * FROM scores").fetchall()
