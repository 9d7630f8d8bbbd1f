"""Scores as a CSV file that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd

# A cell that starts so is taken for a formula by spreadsheets (OWASP, "CSV Injection").
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def write(scores: pd.DataFrame, place: Path) -> None:
    """UTF-8 with byte order mark (spreadsheets need it), comma, every text in quotes.

    Text that a spreadsheet would run as a formula is preceded by an apostrophe.
    """
    safe = scores.copy()
    for name in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[name].dtype):
            safe[name] = [defused(value) for value in safe[name]]
    safe.to_csv(place, index=False, encoding="utf-8-sig", quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")


def defused(text: str) -> str:
    """The same text, made harmless where a spreadsheet would run it.

    >>> defused("=1+1"), defused("A-17")
    ("'=1+1", 'A-17')
    """
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) or text.startswith("'") else text
