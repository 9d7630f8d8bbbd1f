"""The report's section on customers: everybody who was scored and may be named, by priority, each with reasons."""

from __future__ import annotations

from typing import Any

from pipelines.foundation.wording.words import Words
from pipelines.report import customer_pages, listing
from pipelines.report.data import ReportData
from pipelines.report.part import Part
from pipelines.report.summary import first_and_last


def section(report: ReportData, words: Words) -> dict[str, Any]:
    """`customers`, the first of them as text, empty where nobody is listed.

    documents: what the page's script reads: `list`, all of them, and `customer`, only once somebody opens one.

    filters: by name, the label and the choices, each a text beside the value that the script knows it by.
    """
    if not len(report.scores):
        return {"customers": []}
    rows = listing.listed(report)
    if not len(rows):
        return {"customers": []}
    document = listing.document(report, rows, words)
    return {
        "customers": listing.customers(report, rows, words),
        "listed": len(rows),
        "static": listing.STATIC,
        "shown": {name: _heading(name, report, words) for name in listing.shown_columns(report, rows)},
        "documents": {"list": document, "customer": customer_pages.document(report, rows, words)},
        "filters": _filters(report, document, words),
        **first_and_last(report, report.as_of),
    }


def _heading(column: str, report: ReportData, words: Words) -> str:
    return words.say(f"customers.{column}", currency=report.currency)


def _filters(
    report: ReportData, document: dict[str, Any], words: Words
) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Name, label and choices (value and text) of each filter that has something to choose from."""
    bands = [(str(listing.BANDS.index(band)), words.say(f"band.{band}")) for band in reversed(listing.BANDS)]
    found = [("band", words.say("customers.band"), bands)]
    if report.plays is not None:
        plays = [*enumerate(document["plays"]), (-1, words.say("customers.no_play"))]
        found.append(("play", words.say("customers.play"), [(str(place), name) for place, name in plays]))
    for number, segment in enumerate(document["segments"]):
        values = [*enumerate(segment["values"]), (-1, words.say("customers.segment_unknown"))]
        choices = [(str(place), name) for place, name in values]
        found.append((f"segment{number}", words.say(f"segment.{segment['kind']}"), choices))
    return found


PART = Part(name="customers", render=section, template="customers.html.jinja")
