"""Scores as a CSV file that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

# A cell that starts so is taken for a formula by spreadsheets (OWASP, "CSV Injection").
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

# A sign and digits are read as the number that they are: nothing in them can call, refer or calculate.
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?(?:[eE][+-]?[0-9]+)?")


def write(scores: pd.DataFrame, place: Path) -> None:
    """UTF-8 with byte order mark (spreadsheets need it), comma, every text in quotes.

    Text that a spreadsheet would run as a formula is preceded by an apostrophe.
    """
    import pandas as pd

    safe = scores.copy()
    for name in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[name].dtype):
            safe[name] = [defused(value) for value in safe[name]]
    safe.to_csv(place, index=False, encoding="utf-8-sig", quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")


def read(place: Path) -> pd.DataFrame:
    """A file that was written so, every value as its text, by customer."""
    import pandas as pd

    return pd.read_csv(place, dtype=str, encoding="utf-8-sig", keep_default_na=False).set_index("customer_id")


def differing(before: pd.DataFrame | None, place: Path, *, but: Collection[str]) -> int:
    """How many rows of a file are not in an earlier one, or say something else. but: columns that do not matter."""
    now = read(place)
    if before is None or list(before.columns) != list(now.columns):
        return len(now)
    told = [name for name in now.columns if name not in but]
    same = (now[told] == before[told].reindex(now.index)).all(axis=1)
    return int((~same).sum())


def defused(text: str) -> str:
    """The same text, made harmless where a spreadsheet would run it. A number with a sign is none that it would run.

    >>> defused("=1+1"), defused("A-17"), defused("-2"), defused("-2+3")
    ("'=1+1", 'A-17', '-2', "'-2+3")
    """
    if _NUMBER.fullmatch(text):
        return text
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) or text.startswith("'") else text
