"""What the page holds of each customer for whoever opens one: the course of the risk, its parts, what happened."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from pipelines.foundation.wording.words import Words
from pipelines.report.customer_facts import WEEKS
from pipelines.report.data import CustomerFacts, ReportData

# Of so many, the first by priority: more would make the page of a large company too heavy to open.
DETAILED = 20_000  # course of the risk, and events
EXPLAINED = 1_000  # what the risk is made up of
_TEXTS = (
    "back", "unknown", "summary", "course", "course_once", "course_label", "day", "parts", "parts_reading", "code",
    "average", "others", "sum", "adds", "events", "events_reading", "events_label", "table", "week", "last_week",
    "in_all", "never", "what_to_do", "no_play_here", "not_kept", "not_explained",
)  # fmt: skip


def document(report: ReportData, rows: pd.DataFrame, words: Words) -> dict[str, Any]:
    """Of the rows of `listed`, in their order: read by the script only once somebody opens a customer.

    past: by scored day, thousandths, -1 where somebody was not scored. parts: of the first rows, hundredths of
    log-odds, null where they were not computed. tables: of each, how many weeks had something (`per` row), and then
    week and number of each of those weeks.
    """
    facts = report.customers
    if facts is None:
        return {"kept": 0, "words": _words(report, words)}
    names = rows["customer_id"].head(DETAILED)
    return {
        "kept": len(names),
        "days": [[day.toordinal(), words.short_day(day)] for day in map(date.fromisoformat, map(str, facts.past))],
        "past": [_thousandths(facts.past[day].reindex(names)) for day in facts.past],
        "bands": list(report.bands),
        "codes": list(facts.parts.columns),
        "average": round(100 * facts.average),
        "parts": [*_parts(facts, names.head(EXPLAINED))],
        "weeks": [words.short_day(report.as_of - timedelta(days=7 * (week + 1))) for week in range(WEEKS)],
        "tables": [_table(facts.events, table, names) for table in _tables(facts)],
        "table_names": [words.say(f"customer.table_{table}") for table in _tables(facts)],
        "advice": dict(facts.play_names.values()),
        "words": _words(report, words),
    }


def _thousandths(shares: pd.Series[float]) -> list[int]:
    known = (1000 * shares.to_numpy(dtype=np.float64)).round()
    return [int(share) for share in np.where(np.isnan(known), -1, known)]


def _parts(facts: CustomerFacts, names: pd.Series[str]) -> Iterable[list[int] | None]:
    known = facts.parts.index
    place = {name: number for number, name in enumerate(known)}
    values = (100 * facts.parts.to_numpy(dtype=np.float64)).round().astype(np.int64)
    for name in names:
        yield values[place[name]].tolist() if name in place else None


def _tables(facts: CustomerFacts) -> list[str]:
    return list(dict.fromkeys(facts.events["table"])) if len(facts.events) else []


def _table(events: pd.DataFrame, table: str, names: pd.Series[str]) -> dict[str, Any]:
    place = {name: number for number, name in enumerate(names)}
    mine = events[(events["table"] == table) & events["customer_id"].isin(place.keys())]
    mine = mine.assign(row=mine["customer_id"].map(place)).sort_values(["row", "week"])
    per = np.bincount(mine["row"].to_numpy(dtype=np.int64), minlength=len(names))
    return {
        "per": per.tolist(),
        "week": mine["week"].tolist(),
        "events": mine["events"].tolist(),
    }


def _words(report: ReportData, words: Words) -> dict[str, Any]:
    """What the script says; the names in braces are filled in by it."""
    fields = {
        name: f"{{{name}}}" for name in ("probability", "band", "value", "events", "week", "day", "first", "last")
    }
    given = {"currency": report.currency, "weeks": WEEKS, "explained": EXPLAINED, "kept": DETAILED}
    return {name: words.say(f"customer.{name}", **fields, **given) for name in _TEXTS}
