from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from features.errors import IntegrityError
from pipelines.foundation.storage.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    store.put("results/a.txt", writer("one"), kind="x", rows=3)
    with store.transaction() as ledger:
        ledger.execute("INSERT INTO erasures VALUES ('a', '{}', 1)")
        ledger.execute("INSERT INTO recommended VALUES ('C', 'call', '2025-01-01', 'treatment', 0.5, NULL, 1.5, 'r')")
        ledger.execute("INSERT INTO recommended VALUES ('D', 'call', '2025-01-01', 'treatment', 0.5, NULL, 1.5, 'r')")
    store.seal()
    return store


def writer(text: str) -> Callable[[Path], None]:
    def write(place: Path) -> None:
        place.write_text(text)

    return write


def past_us(store: Store, script: str) -> None:
    with closing(sqlite3.connect(store.ledger)) as ledger:
        ledger.executescript(script)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE files SET detail = '{\"rows\": 4}'",
        "UPDATE erasures SET digest = 'b'",
        "UPDATE recommended SET expected_profit = 2.5 WHERE customer_id = 'C'",
        "UPDATE recommended SET value = 0 WHERE customer_id = 'C'",
        "DELETE FROM recommended WHERE customer_id = 'C'",
        "INSERT INTO posted VALUES ('a')",
        "UPDATE seal SET digest = 'f' || substr(digest, 2)",
        "INSERT INTO seal SELECT * FROM seal",
        "UPDATE recommended SET play = CASE customer_id WHEN 'C' THEN 'mail' ELSE play END",
    ],
)
def test_a_row_that_was_changed_past_us_is_seen(store: Store, change: str) -> None:
    past_us(store, change)
    with pytest.raises(
        IntegrityError, match=r"attrition\.sqlite is damaged \(a row of it was changed by something else"
    ):
        Store(store.root)


def test_rows_in_another_order_are_the_same_ledger(store: Store) -> None:
    past_us(
        store,
        "CREATE TABLE kept AS SELECT * FROM recommended ORDER BY customer_id DESC; DELETE FROM recommended;"
        "INSERT INTO recommended SELECT * FROM kept; DROP TABLE kept; VACUUM",
    )
    assert len(Store(store.root).files("x")) == 1


def test_what_we_write_breaks_the_seal_and_reading_does_not(store: Store) -> None:
    with store.transaction() as ledger:
        ledger.execute("SELECT * FROM files").fetchall()
    assert seals(store) == 1
    store.put("results/b.txt", writer("two"), kind="x")
    assert seals(store) == 0
    assert len(Store(store.root).files("x")) == 2  # as after a command that was killed
    store.seal()
    store.seal()
    assert seals(store) == 1
    Store(store.root)


def test_a_transaction_that_breaks_off_leaves_the_seal(store: Store) -> None:
    def breaks_off() -> None:
        with store.transaction() as ledger:
            ledger.execute("DELETE FROM erasures")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        breaks_off()
    assert seals(store) == 1
    Store(store.root)


def seals(store: Store) -> int:
    with store.reading() as ledger:
        return int(ledger.execute("SELECT count(*) FROM seal").fetchone()[0])
