"""Reasons in words: what a contribution says to a person, with the customer's own figures."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.catalog import Family, Indicator
from models.explanation import RHYTHM, RHYTHM_COLUMNS, Contributions, strongest
from pipelines.foundation.wording.numbers import NOTHING, Language, numbers
from pipelines.foundation.wording.words import set_spaces
from pipelines.prediction.scoring.agreement import agrees
from pipelines.prediction.scoring.figures import SAYINGS, as_written, compared

Words = npt.NDArray[np.object_]
Flags = npt.NDArray[np.bool_]

COUNT = 3
START = "start"  # stands for the start model's log-odds among the columns of the buying rhythm

_PLACE = re.compile(r"\{(\w+)(?:\|([^|}]*)\|([^|}]*))?\}")

# The start model sees first and last order and how many lie between; this is what that comes to for a person.
_RHYTHM_INDICATOR = "days_since_last_order_over_usual"
_LAST_ORDER = "days_since_last_order"  # what it comes to for who ordered on one day, and so has no rhythm
_STARTED = (START, *RHYTHM_COLUMNS)


class Wording:
    """The sentences of a workspace: language, currency, and the indicators its tables allow.

    unknown: columns of which nothing is known that day; an empty value says nothing there ("no contact so far").
    """

    def __init__(
        self,
        families: Sequence[Family],
        *,
        lookback_days: Sequence[int],
        language: Language,
        currency: str,
        unknown: Collection[str] = (),
    ) -> None:
        self.unknown = frozenset(unknown)
        self.numbers = numbers(language)
        self.currency = currency
        self.by_column: dict[str, tuple[Indicator, int | None]] = {
            column: (indicator, days)
            for family in families
            for indicator in family.indicators
            for column, days in indicator.columns(lookback_days).items()
        }
        if _RHYTHM_INDICATOR in self.by_column:
            for column in _STARTED:
                self.by_column[column] = self.by_column[_RHYTHM_INDICATOR]

    def codes(self) -> dict[str, str]:
        """Reason code of every column."""
        return {column: indicator.reason for column, (indicator, _) in self.by_column.items()}

    def usual(self, frame: pd.DataFrame) -> dict[str, float]:
        """Median of every column of figures over all customers scored that day, null where nobody has a value."""
        figures = [
            name for name, (indicator, _) in self.by_column.items() if name in frame and indicator.unit != "category"
        ]
        return {name: float(frame[name].median()) for name in figures}

    def agree(
        self, column: str, frame: pd.DataFrame, contributions: npt.NDArray[np.float64], usual: Mapping[str, float]
    ) -> Flags:
        """(n,) whether the column's value may be told as a reason to each customer of `frame` (`agrees`)."""
        agreed = np.zeros(len(frame), dtype=np.bool_)
        for name, rows in self._told_by(column, frame):
            agreed[rows] = self._agree(name, frame[rows], contributions[rows], usual)
        return agreed

    def _agree(
        self, column: str, frame: pd.DataFrame, contributions: npt.NDArray[np.float64], usual: Mapping[str, float]
    ) -> Flags:
        indicator, days = self.by_column[column]
        own = indicator.name.format(days=days)
        if own in self.unknown:
            return np.zeros(len(frame), dtype=np.bool_)
        if indicator.unit == "category":
            values = np.zeros(len(frame))
        else:
            values = frame[own].to_numpy(dtype=np.float64, na_value=np.nan)
        known = usual.get(own, np.nan)
        return agrees(indicator, values, contributions, usual=None if np.isnan(known) else known)

    def silences(self, columns: Sequence[str]) -> dict[str, list[str]]:
        """Columns by what they may say that there was nothing of (`Indicator.silence_of`)."""
        found: dict[str, list[str]] = {}
        for column in columns:
            if column in self.by_column and (topic := self.by_column[column][0].silence_of):
                found.setdefault(topic, []).append(column)
        return found

    def silent(self, column: str, frame: pd.DataFrame) -> Flags:
        """(n,) whether a column of `silences` says so of each customer of `frame`."""
        indicator, days = self.by_column[column]
        if indicator.direction == "higher":
            return np.ones(len(frame), dtype=np.bool_)
        values = frame[indicator.name.format(days=days)].to_numpy(dtype=np.float64, na_value=np.nan)
        return np.asarray(np.isnan(values) | (values == 0), dtype=np.bool_)

    def sentences(self, column: str, frame: pd.DataFrame) -> Words:
        """(n,) one sentence per row of `frame`, about the column's indicator."""
        words = np.empty(len(frame), dtype=object)
        for name, rows in self._told_by(column, frame):
            words[rows] = self._sentences(name, frame[rows])
        return words

    def _told_by(self, column: str, frame: pd.DataFrame) -> list[tuple[str, Flags]]:
        """By which columns' indicators a column is told, and to which rows each."""
        if column not in _STARTED:
            return [(column, np.ones(len(frame), dtype=np.bool_))]
        rhythmless = frame[_RHYTHM_INDICATOR].isna().to_numpy()
        return [(_RHYTHM_INDICATOR, ~rhythmless), (_LAST_ORDER, rhythmless)]

    def _sentences(self, column: str, frame: pd.DataFrame) -> Words:
        indicator, days = self.by_column[column]
        own = indicator.name.format(days=days)
        text, of_null, of_zero = (
            (indicator.en, indicator.en_null, indicator.en_no)
            if self.numbers.language == "en"
            else (indicator.fr, indicator.fr_null, indicator.fr_no)
        )
        empty = frame[own].isna().to_numpy()
        negative = ~empty & (frame[own] == 0).to_numpy() if of_zero else np.zeros(len(frame), dtype=np.bool_)
        words = np.empty(len(frame), dtype=object)
        for rows, template in ((empty, of_null or text), (negative, of_zero), (~empty & ~negative, text)):
            words[rows] = self._fill(set_spaces(template, self.numbers.language), own, days, frame[rows])
        return words

    def _fill(self, template: str, own: str, days: int | None, frame: pd.DataFrame) -> Words:
        words = np.full(len(frame), "", dtype=object)
        end = 0
        for place in _PLACE.finditer(template):
            words = words + template[end : place.start()] + self._place(place, own, days, frame)
            end = place.end()
        return np.asarray(words + template[end:], dtype=object)

    def _place(self, place: re.Match[str], own: str, days: int | None, frame: pd.DataFrame) -> Words:
        name, singular, plural = place.groups()
        if name == "days" and days is not None:
            return np.full(len(frame), str(days), dtype=object)
        column = own if name == "value" else name
        if self.by_column[column][0].unit == "category":
            return frame[column].to_numpy(dtype=object)
        figures = frame[column].to_numpy(dtype=np.float64)
        unit = self.by_column[column][0].unit
        written: Callable[[float], str] = SAYINGS[unit](self.numbers, self.currency)

        def said(value: float) -> str:
            if np.isnan(value):
                return NOTHING
            if singular is None:
                return written(value)
            if unit == "change":
                return compared(self.numbers, value, singular, plural)
            return f"{written(value)} {singular if self.numbers.is_singular(as_written(unit, value)) else plural}"

        # Each figure is worded once, however many customers share it.
        values, where = np.unique(figures, return_inverse=True)
        texts = np.array([said(value) for value in values], dtype=object)
        return np.asarray(texts[where], dtype=object)


def reasons(
    found: Contributions,
    frame: pd.DataFrame,
    columns: Sequence[str],
    wording: Wording,
    *,
    usual: Mapping[str, float],
    count: int = COUNT,
) -> pd.DataFrame:
    """Columns reason_1, reason_1_code, ... up to `count`: what raises each risk most; empty where nothing more does.

    Told is only what the catalog calls a risk, too (`agrees`): of a code the strongest such indicator, and no code that
    has none. Good news that the model takes for a risk would be read as a mistake, and acted on as one. That there was
    nothing of something (`Indicator.silence_of`) is told once, by the strongest code that says so.

    found: contributions of the n rows of `frame`; columns: the model's, as in `found.columns`. usual: as
    `Wording.usual` gives it for everybody scored that day; columns without one are judged without it.
    """
    names, signed = [*columns, START], np.column_stack([found.columns, found.start])
    told = np.column_stack(
        [
            wording.agree(name, frame, signed[:, index], usual)
            if name in wording.by_column
            else np.zeros(len(frame), dtype=np.bool_)
            for index, name in enumerate(names)
        ]
    )
    owners = _owners(names, wording)
    for topic in wording.silences(names).values():
        places = [place for place, name in enumerate(names) if name in topic]
        says = told[:, places] & np.column_stack([wording.silent(names[place], frame) for place in places])
        codes = np.array([found.codes.index(owners[place]) for place in places])
        told[:, places] &= ~_repeated(says, codes, found.values[:, codes])
    return _told(found, frame, columns, wording, told=told, count=count)


def _repeated(says: Flags, codes: npt.NDArray[np.int64], values: npt.NDArray[np.float64]) -> Flags:
    """(n, k) what several columns say alike: all but those of the code with the greatest value. codes: of the columns.

    values: (n, k) what the code of each contributes.
    """
    first = codes[np.where(says, values, -np.inf).argmax(axis=1)]
    return np.asarray(says & (codes != first[:, None]), dtype=np.bool_)


def _owners(names: Sequence[str], wording: Wording) -> list[str]:
    """The reason code of each column, and of the start."""
    code_of = wording.codes()
    return [RHYTHM if name == START or name in RHYTHM_COLUMNS else code_of[name] for name in names]


def everything_that_raises(
    found: Contributions, frame: pd.DataFrame, columns: Sequence[str], wording: Wording, *, count: int
) -> pd.DataFrame:
    """The columns of `reasons`, but whatever the catalog says: how the model came to its figure, or what is no risk.

    Columns of which nothing is known that day are left out.
    """
    everything = np.ones((len(frame), len(columns) + 1), dtype=np.bool_)
    everything[:, [index for index, name in enumerate(columns) if name in wording.unknown]] = False
    return _told(found, frame, columns, wording, told=everything, count=count)


def _told(
    found: Contributions,
    frame: pd.DataFrame,
    columns: Sequence[str],
    wording: Wording,
    *,
    told: Flags,
    count: int,
) -> pd.DataFrame:
    """told: (n, m + 1) which columns, and the start, may be told to whom."""
    owners = _owners([*columns, START], wording)
    names, signed = [*columns, START], np.column_stack([found.columns, found.start])
    signed = np.where(told, signed, -np.inf)
    open_to = np.column_stack([told[:, [owner == code for owner in owners]].any(axis=1) for code in found.codes])
    places = strongest(replace(found, values=np.where(open_to, found.values, 0.0)), count=count)
    result: dict[str, Words] = {}
    for rank in range(count):
        words, codes = np.full(len(frame), "", dtype=object), np.full(len(frame), "", dtype=object)
        for place, code in enumerate(found.codes):
            rows = np.flatnonzero(places[:, rank] == place)
            mine = [index for index, owner in enumerate(owners) if owner == code]
            if not len(rows) or not mine:
                continue
            codes[rows] = code
            loudest = np.array(mine)[signed[rows][:, mine].argmax(axis=1)]
            for index in np.unique(loudest):
                those = rows[loudest == index]
                words[those] = wording.sentences(names[index], frame.iloc[those])
        result[f"reason_{rank + 1}"], result[f"reason_{rank + 1}_code"] = words, codes
    return pd.DataFrame(result, index=frame.index)
