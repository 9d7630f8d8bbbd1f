from __future__ import annotations

import sqlite3
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from features.errors import DataError
from pipelines.foundation.storage.disk_errors import damage
from pipelines.foundation.storage.error_words import fault, in_words, unanswered
from pipelines.foundation.storage.store import Store

CANARY = "C-17-canary"


def raised(query: str) -> Exception:
    with pytest.raises(duckdb.Error) as found:
        duckdb.connect().execute(query).fetchall()
    return found.value


def test_words_of_ours_are_passed_on() -> None:
    assert in_words(DataError("row 3 is empty; fill it")) == "row 3 is empty; fill it"


def test_a_library_that_quotes_a_value_is_not_quoted() -> None:
    error = raised(f"SELECT '{CANARY}'::INTEGER")
    assert CANARY in str(error)
    assert in_words(error) is None
    assert CANARY not in fault(error)


def test_a_fault_says_where_in_our_code_it_came_up_and_names_no_class() -> None:
    with pytest.raises(ValueError, match="canary") as found:
        _read(lambda: int(CANARY))
    said = fault(found.value)
    assert CANARY not in said
    assert "ValueError" not in said
    assert "report this line" in said


def _read(call: object) -> None:
    call()  # type: ignore[operator]


def test_too_little_memory_is_told_with_what_to_lower() -> None:
    for error in (MemoryError(), pa.ArrowMemoryError("malloc of size 99 failed"), duckdb.OutOfMemoryException("no")):
        assert "too little memory" in str(in_words(error))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TimeoutError(CANARY), "it did not answer in time"),
        (ConnectionResetError(CANARY), "it was not reached"),
        (RuntimeError(CANARY), "the call broke off"),
    ],
)
def test_a_call_that_came_to_nothing_is_told_by_its_kind(error: Exception, said: str) -> None:
    assert unanswered(error) == said


def test_a_ledger_with_a_text_that_is_none_is_damaged_without_the_text(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with sqlite3.connect(store.ledger) as ledger:
        ledger.execute("INSERT INTO files (path, kind, sha256, bytes, detail) VALUES (?, 'x', '', 0, '{}')", ("p",))
        ledger.execute("UPDATE files SET detail = CAST(? AS TEXT)", (CANARY.encode() + b"\xff",))
    with pytest.raises(Exception, match="is damaged") as found:
        store.files("x")
    assert CANARY not in str(found.value)
    assert found.value.__cause__ is None


def test_what_is_damaged_is_told_by_sqlites_code() -> None:
    with pytest.raises(sqlite3.Error) as found:
        sqlite3.connect(":memory:").execute(f"SELECT * FROM '{CANARY}'")
    assert CANARY not in damage(found.value)
