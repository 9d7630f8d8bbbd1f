"""Who is listed on the page, by priority, and what is told of each: of the first ones as text, of all as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipelines.foundation.wording.numbers import NOTHING
from pipelines.foundation.wording.words import Words
from pipelines.report.data import ReportData

STATIC = 50  # of whom the page holds a table without its script, and as many at a time with it
REASONS = ("reason_1", "reason_2", "reason_3")
BANDS = ("low", "medium", "high")
TRENDS = ("falling", "steady", "rising")
NEARLY_SURE = 0.9995


@dataclass(frozen=True)
class Customer:
    """One row of the table. Texts are empty where nothing is known."""

    customer_id: str
    value_at_risk: str
    probability: str
    share: float
    band: str
    trend: str
    play: str
    reasons: tuple[str, ...]


def listed(report: ReportData) -> pd.DataFrame:
    """The scores of everybody who may be named, by priority: nobody held out or opted out.

    Beside the scores: risk_trend and play (a code; both "" where there is none).
    """
    ids = report.scores["customer_id"].astype(str)
    unnamed = ids.isin(report.opted_out | (report.plays.held_out if report.plays else frozenset()))
    rows = report.scores.assign(customer_id=ids)[~unnamed].sort_values(["priority", "customer_id"], ignore_index=True)
    facts = report.customers
    named = rows["customer_id"]
    return rows.assign(
        risk_trend=_looked_up(named, {} if facts is None else facts.trends),
        play=_looked_up(named, {} if facts is None else facts.plays),
    )


def _looked_up(names: pd.Series[str], found: Any) -> list[str]:
    return [found.get(name) or "" for name in names]


def shown_columns(report: ReportData, rows: pd.DataFrame) -> list[str]:
    """The table's columns; one in which nothing is known of anybody is left out."""
    known = {
        "value": bool(rows["value_at_risk"].notna().any()),
        "trend": bool((rows["risk_trend"] != "").any()),
        "play": report.plays is not None,
    }
    names = ("rank", "customer", "value", "probability", "band", "trend", "play", "reasons")
    return [name for name in names if known.get(name, True)]


def customers(report: ReportData, rows: pd.DataFrame, words: Words) -> list[Customer]:
    """The first rows of `listed`, worded."""
    return [
        Customer(
            customer_id=row["customer_id"],
            value_at_risk=money(row["value_at_risk"], words),
            probability=_probability(float(row["churn_probability"]), words),
            share=float(row["churn_probability"]),
            band=str(row["risk_band"]),
            trend=words.say(f"trend.{row['risk_trend']}") if row["risk_trend"] else NOTHING,
            play=_play_name(report, row["play"]) or NOTHING,
            reasons=tuple(_reasons(row)),
        )
        for row in rows.head(STATIC).to_dict("records")
    ]


def document(report: ReportData, rows: pd.DataFrame, words: Words) -> dict[str, Any]:
    """The same of everybody: one list per column, so that 100,000 rows stay small.

    share: thousandths, 1000 for nearly sure; value: as it is written, without its unit; band, trend: a digit per row;
    play, segments, why: places in the lists of texts beside them, -1 where there is none.
    """
    probability = rows["churn_probability"].to_numpy(dtype=np.float64)
    texts, why = _numbered(rows)
    codes = [code for code in dict.fromkeys(rows["play"]) if code]
    return {
        "id": rows["customer_id"].tolist(),
        "share": [1000 if value > NEARLY_SURE else round(float(f"{100 * value:.1f}") * 10) for value in probability],
        "value": [_rounded(value) for value in rows["value_at_risk"]],
        "band": "".join(str(BANDS.index(band)) for band in rows["risk_band"]),
        "trend": "".join(str(TRENDS.index(trend)) if trend else "-" for trend in rows["risk_trend"]),
        "plays": [_play_name(report, code) for code in codes],
        "play": _places(rows["play"], codes),
        "texts": texts,
        "why": why,
        "segments": [
            {"kind": kind, "values": values, "of": _places(rows["customer_id"].map(dict(found)).fillna(""), values)}
            for kind, found, values in segments(report, rows)
        ],
        "words": _words(report, words),
    }


def segments(report: ReportData, rows: pd.DataFrame) -> list[tuple[str, Any, list[str]]]:
    """Of each kind of segment: which customer is in which, and those that have somebody listed, where there are two."""
    found = []
    for kind, of in ({} if report.customers is None else report.customers.segments).items():
        values = sorted({of[name] for name in rows["customer_id"] if of.get(name)})
        if len(values) > 1:
            found.append((kind, of, values))
    return found


def money(value: float | None, words: Words) -> str:
    """An amount, with decimals where it is so small that they matter; a dash where it is not known."""
    rounded = _rounded(value)
    return NOTHING if rounded is None else words.number(rounded, 0 if isinstance(rounded, int) else 2)


def _rounded(value: float | None) -> float | None:
    """A whole number where it is written as one."""
    if value is None or not np.isfinite(value):
        return None
    cents = round(float(value), 2)
    return round(cents) if abs(cents) >= 100 or cents == 0 else cents


def _probability(value: float, words: Words) -> str:
    # Nobody is certain to leave, whatever rounding makes of it.
    return words.say("customers.nearly_sure", most=0.999) if value > NEARLY_SURE else words.percent(value, 1)


def _reasons(row: dict[Any, Any]) -> Iterator[str]:
    yield from (text for text in (_text(row.get(name)) for name in REASONS) if text)


def _text(value: Any) -> str:
    return value if isinstance(value, str) and value.strip() else ""


def _play_name(report: ReportData, code: str) -> str:
    names = {} if report.customers is None else report.customers.play_names
    return names.get(code, ("", ""))[0]


def _numbered(rows: pd.DataFrame) -> tuple[list[str], list[list[int]]]:
    """Every text once, and each column as places among them: thousands of customers share a sentence.

    Once in either language, so that the places are the same in both.
    """
    nothing = pd.Series("", rows.index)
    numbers, texts, places = dict[frozenset[str], int](), list[str](), []
    for name in REASONS:
        column = list[int]()
        for text, other in zip(rows.get(name, nothing), rows.get(f"{name}_other", nothing), strict=True):
            known = frozenset((_text(text), _text(other)))
            if not _text(text):
                column.append(-1)
                continue
            if known not in numbers:
                numbers[known] = len(texts)
                texts.append(text)
            column.append(numbers[known])
        places.append(column)
    return texts, places


def _places(values: Iterable[str], among: Sequence[str]) -> list[int]:
    place = {value: number for number, value in enumerate(among)}
    return [place.get(value, -1) for value in values]


def _words(report: ReportData, words: Words) -> dict[str, Any]:
    """What the script says; the names in braces are filled in by it."""
    fields = {name: f"{{{name}}}" for name in ("first", "last", "found", "all")}
    return {
        "count": words.say("customers.count", **fields),
        "none": words.say("customers.count_none"),
        "no_reason": words.say("customers.no_reason"),
        "nearly_sure": words.say("customers.nearly_sure", most=0.999),
        "percent": words.percent(0.0).removeprefix("0"),
        "colon": words.say("line.colon"),
        "bands": [words.say(f"band.{band}") for band in BANDS],
        "trends": [words.say(f"trend.{trend}") for trend in TRENDS],
        "nothing": NOTHING,
        "language": report.language,
    }
