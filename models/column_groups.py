"""Groups of customers that a column makes: where it is filled, each frequent value or word, parts of numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.leaks import FEWEST

Flags = npt.NDArray[np.bool_]

SMALLEST = 3  # rows of a group that is looked at
MOST_VALUES = 20  # of one column, the most frequent
MOST_WORDS = 30
CUTS = 8
SMALL, PAST = "small", "a day before the end of the data"
_WORD = re.compile(r"\w+")


def distinct(groups: Iterable[tuple[str, Flags]], here: Flags) -> list[tuple[str, Flags]]:
    """Those of enough rows inside and outside, of two that part them alike the smaller. here: the rows that count."""
    found: dict[bytes, tuple[str, Flags]] = {}
    for said, rows in groups:
        side = rows[here]
        size = int(side.sum())
        if min(size, len(side) - size) >= SMALLEST:
            key = (side if side[0] else ~side).tobytes()
            if key not in found or size < int(found[key][1][here].sum()):
                found[key] = (said, rows)
    return list(found.values())


def of_values(column: pd.Series) -> Iterator[tuple[str, Flags]]:
    """Groups of rows that a column makes, in words: filled, each frequent value, words of a text, parts of numbers."""
    filled = column.notna().to_numpy()
    yield "filled", filled
    counts = column[filled].value_counts()
    for value, count in counts.head(MOST_VALUES).items():
        if count >= SMALLEST:
            yield _named(f"'{value}'", "one of its values", count), _flags(column == value)
    if len(counts) > MOST_VALUES:
        number = pd.api.types.is_numeric_dtype(column.dtype)
        yield from parted(column) if number else _words(column[filled].astype(str), filled)


def parted(column: pd.Series) -> Iterator[tuple[str, Flags]]:
    """Numbers up to each of some places."""
    values = column.to_numpy(np.float64, na_value=np.nan)
    filled = values[~np.isnan(values)]
    if len(filled):
        for place in np.unique(np.quantile(filled, np.arange(1, CUTS) / CUTS, method="lower")):
            yield SMALL, values <= place


def _words(texts: pd.Series, filled: Flags) -> Iterator[tuple[str, Flags]]:
    """Rows that hold a word, for the most frequent words. Figures count as one word: days and numbers differ."""
    words = texts.str.lower().str.replace(r"\d+", "0", regex=True).map(lambda text: frozenset(_WORD.findall(text)))
    counts = words.explode().value_counts().sort_index().sort_values(ascending=False, kind="stable")
    for word, count in counts.head(MOST_WORDS).items():
        if count >= SMALLEST:
            rows = filled.copy()
            rows[filled] = words.map(lambda each, word=word: word in each).to_numpy(dtype=np.bool_)
            yield _named(f"a text with '{word}'", "a text with a certain word", count), rows


def _named(value: str, instead: str, rows: int) -> str:
    """What few customers have may tell who they are: it is not named."""
    return value if rows >= FEWEST else instead


def _flags(found: pd.Series) -> Flags:
    return found.fillna(value=False).to_numpy(dtype=np.bool_)
