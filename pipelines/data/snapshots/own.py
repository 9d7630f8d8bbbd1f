"""What is said of own indicators that stop over the rows of a day: the file and the family, and no value of a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date

import pyarrow as pa

from features.catalog import Family
from features.errors import DataError
from pipelines.foundation.own_indicators.own_file import SETTING, OwnFile
from pipelines.foundation.storage.error_words import in_words


@contextmanager
def words_of_own(files: Sequence[OwnFile], family: Family, day: date) -> Iterator[None]:
    """What the engine raises over an own family, in words; of ours nothing is changed, for that is a fault of ours."""
    file = file_of(files, family)
    if file is None:
        yield
        return
    try:
        yield
    except Exception as error:
        if in_words(error) is not None:  # its own sentence says more, as where memory ran out
            raise
        raise DataError(
            f"{file.name}: family {family.name} cannot be computed over the rows known on {day} ({SETTING}); try its "
            "expressions on such rows, for example a cast of a text that is no number. --debug shows the error itself, "
            "which may hold values of your rows"
        ) from error


def refuse_repeated(files: Sequence[OwnFile], family: Family, day: date, customers: pa.ChunkedArray) -> None:
    """Raise DataError where an own family gives more than one row to a customer."""
    file = file_of(files, family)
    if file is not None:
        times = len(customers) - len(customers.unique())
        raise DataError(
            f"{file.name}: family {family.name} gives more than one row to a customer on {day} ({times:,} rows too "
            f'many; {SETTING}); end compute with .group_by("customer_id").agg(...)'
        )


def file_of(files: Sequence[OwnFile], family: Family) -> OwnFile | None:
    """The file that an own family stands in; None of ours."""
    return next((file for file in files if family.name in [each.name for each in file.families]), None)
