from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import IntegrityError
from pipelines.foundation.storage.store import Store, check_hash
from pipelines.foundation.storage.workspace_paths import LEDGER


def writer(content: bytes) -> Callable[[Path], None]:
    def write(place: Path) -> None:
        place.write_bytes(content)

    return write


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def everything(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_a_file_is_listed_with_its_hash_and_what_its_writer_noted(store: Store) -> None:
    stored = store.put("landed/a.txt", writer(b"one\n"), kind="x", rows=1, table="orders")
    assert (store.root / "landed/a.txt").read_bytes() == b"one\n"
    assert stored.sha256 == hashlib.sha256(b"one\n").hexdigest()
    assert (stored.path, stored.kind, stored.bytes) == ("landed/a.txt", "x", 4)
    assert stored.detail == {"rows": 1, "table": "orders"}
    assert store.find("landed/a.txt") == stored
    assert store.verified(stored) == store.root / "landed/a.txt"


def test_a_file_that_was_never_put_is_not_found(store: Store) -> None:
    (store.root / "stray.txt").write_text("here, but not listed")
    assert store.find("stray.txt") is None


def test_files_of_a_kind_come_in_the_order_of_recording(store: Store) -> None:
    for name, kind in (("scores/b", "x"), ("scores/a", "x"), ("scores/c", "y"), ("scores/b", "x")):
        store.put(name, writer(name.encode()), kind=kind)
    assert [file.path for file in store.files("x")] == ["scores/a", "scores/b"]
    assert [file.path for file in store.files("y")] == ["scores/c"]
    assert store.files("z") == []


def test_another_process_sees_what_was_put(store: Store) -> None:
    stored = store.put("results/a.txt", writer(b"one"), kind="x")
    assert Store(store.root).find("results/a.txt") == stored


def test_a_file_put_again_replaces_the_older_one(store: Store) -> None:
    older = store.put("results/a.txt", writer(b"one"), kind="x")
    newer = store.put("results/a.txt", writer(b"two"), kind="x")
    assert store.verified(newer).read_bytes() == b"two"
    assert newer.sequence > older.sequence
    with pytest.raises(IntegrityError, match=r"a\.txt is not the file that was written"):
        store.verified(older)


class BrokenOffError(Exception):
    pass


def breaks_off(place: Path) -> None:
    place.write_bytes(b"half of it")
    raise BrokenOffError


def test_a_writer_that_breaks_off_leaves_the_old_file_and_nothing_else(store: Store) -> None:
    stored = store.put("landed/a.txt", writer(b"one"), kind="x")
    before = everything(store.root)
    with pytest.raises(BrokenOffError):
        store.put("landed/a.txt", breaks_off, kind="x")
    assert everything(store.root) == before
    assert store.find("landed/a.txt") == stored
    assert store.verified(stored).read_bytes() == b"one"


def test_a_first_writer_that_breaks_off_leaves_no_file(store: Store) -> None:
    with pytest.raises(BrokenOffError):
        store.put("landed/a.txt", breaks_off, kind="x")
    assert not {path for path in everything(store.root) if path.startswith("landed")}
    assert store.find("landed/a.txt") is None


def test_nobody_sees_a_file_before_it_is_whole(store: Store) -> None:
    store.put("results/a.txt", writer(b"one"), kind="x")

    def watched(place: Path) -> None:
        place.write_bytes(b"two")
        assert (store.root / "results/a.txt").read_bytes() == b"one"
        assert place.parent == store.root / "results"  # the same file system, so that the rename is one step

    store.put("results/a.txt", watched, kind="x")


@pytest.mark.parametrize(
    "damage",
    [
        lambda place: place.write_bytes(b"onf"),
        lambda place: place.write_bytes(b"on"),
        lambda place: place.write_bytes(b"one "),
        lambda place: place.write_bytes(b""),
    ],
    ids=["altered", "cut", "longer", "emptied"],
)
def test_an_altered_file_is_refused_by_name(store: Store, damage: Callable[[Path], None]) -> None:
    stored = store.put("results/a.txt", writer(b"one"), kind="x")
    damage(store.root / "results/a.txt")
    with pytest.raises(IntegrityError) as refused:
        store.verified(stored)
    expected = hashlib.sha256(b"one").hexdigest()[:12]
    assert str(refused.value).startswith(f"{store.root / 'results/a.txt'} is not the file that was written (")
    assert f"expected 3 bytes with sha256 {expected}); restore it from a backup, or delete it" in str(refused.value)


def test_a_missing_file_is_refused_by_name(store: Store) -> None:
    stored = store.put("results/a.txt", writer(b"one"), kind="x")
    (store.root / "results/a.txt").unlink()
    with pytest.raises(IntegrityError, match=r"a\.txt is missing; run the command that makes it again, or restore it"):
        store.verified(stored)


@given(content=st.binary(max_size=300), other=st.binary(max_size=300))
def test_a_hash_holds_for_these_bytes_and_no_others(
    content: bytes, other: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.getbasetemp() / "any.bin"
    sha256 = hashlib.sha256(content).hexdigest()
    place.write_bytes(content)
    check_hash(place, sha256, size=len(content))
    place.write_bytes(other)
    if other == content:
        check_hash(place, sha256, size=len(content))
    else:
        with pytest.raises(IntegrityError, match=r"any\.bin is not the file that was written"):
            check_hash(place, sha256, size=len(content))


def test_a_transaction_that_breaks_off_changes_nothing(store: Store) -> None:
    def replace_table() -> None:
        with store.transaction() as ledger:
            ledger.execute("CREATE TABLE things (name TEXT)")
            ledger.execute("INSERT INTO files (path, kind, sha256, bytes, detail) VALUES ('a', 'x', '', 0, '{}')")
            raise BrokenOffError

    with pytest.raises(BrokenOffError):
        replace_table()
    assert store.find("a") is None
    with store.transaction() as ledger:
        assert ledger.execute("SELECT name FROM sqlite_master WHERE name = 'things'").fetchall() == []


def test_readers_are_not_locked_out_by_a_writer(store: Store) -> None:
    store.put("results/a.txt", writer(b"one"), kind="x")
    with store.transaction() as ledger:
        ledger.execute("DELETE FROM files")
        reader = sqlite3.connect(f"file:{store.ledger}?mode=ro", uri=True, timeout=0)
        assert reader.execute("SELECT path FROM files").fetchall() == [("results/a.txt",)]
        reader.close()


def test_a_ledger_that_is_no_database_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / LEDGER).write_bytes(b"no database" * 500)
    with pytest.raises(
        IntegrityError, match=r"attrition\.sqlite is damaged \(file is not a database\); restore it from"
    ):
        Store(tmp_path)


def test_a_ledger_that_is_lost_beside_its_files_is_refused_by_name(store: Store) -> None:
    store.put("landed/a.txt", writer(b"one"), kind="x")
    store.put("report.html", writer(b"one"), kind="report")
    said = r"attrition\.sqlite is (missing|empty), and only it says what landed/, report\.html hold.*restore it from a"
    store.ledger.write_bytes(b"")
    with pytest.raises(IntegrityError, match=said):
        Store(store.root)
    write_nothing(store.ledger)
    with pytest.raises(IntegrityError, match=said):
        Store(store.root)
    store.ledger.unlink()
    with pytest.raises(IntegrityError, match=said):
        Store(store.root)
    assert not store.ledger.exists()
    for name in ("landed/a.txt", "report.html"):  # as the message says
        (store.root / name).rename(store.root.parent / Path(name).name)
    assert Store(store.root).files("landed") == []


def write_nothing(ledger: Path) -> None:
    """An SQLite file without tables, of more than no bytes."""
    ledger.unlink()
    with closing(sqlite3.connect(ledger)) as connection:
        connection.executescript("CREATE TABLE a (b); DROP TABLE a; VACUUM")
    assert ledger.stat().st_size > 0


def test_an_empty_ledger_of_a_new_workspace_is_taken_as_new(tmp_path: Path) -> None:
    (tmp_path / LEDGER).touch()
    assert Store(tmp_path).files("landed") == []


def test_an_entry_that_cannot_be_read_is_refused_by_name(store: Store) -> None:
    store.put("results/a.txt", writer(b"one"), kind="x")
    with store.transaction() as ledger:
        ledger.execute("UPDATE files SET detail = '{'")
    for read in (lambda: store.find("results/a.txt"), lambda: store.files("x")):
        with pytest.raises(IntegrityError, match=r"attrition\.sqlite is damaged \(.*\); restore it from a backup"):
            read()


WRONG = [
    "path = x'00ff'",
    "bytes = 'many'",
    "detail = '[]'",
    "detail = '5'",
    "detail = '{\"table\": 5}'",
    'detail = \'{"landed": "all"}\'',
    "detail = '{\"landings\": {}}'",
    "kind = 'landed'",  # which notes more
    "kind = 'snapshot'",
]


@pytest.mark.parametrize("change", WRONG)
def test_an_entry_of_other_types_is_refused_by_name(store: Store, change: str) -> None:
    store.put("results/a.txt", writer(b"one"), kind="x")
    with store.transaction() as ledger:
        ledger.execute(f"UPDATE files SET {change}")
    with pytest.raises(IntegrityError, match=r"attrition\.sqlite is damaged \(.*\); restore it from a backup"):
        [file for kind in ("x", "landed", "snapshot") for file in store.files(kind)]


FOREIGN = {
    "a view in place of a table": "DROP TABLE files; CREATE VIEW files AS SELECT 1 AS sequence",
    "other columns": "DROP TABLE files; CREATE TABLE files (path TEXT)",
    "a column that is computed": "DROP TABLE posted; CREATE TABLE posted (document TEXT AS ('a'), b)",
    "a table that is gone": "DROP TABLE erasures",
    "another view": "DROP VIEW shown_scores; CREATE VIEW shown_scores AS SELECT * FROM scores",
    "a trigger": "CREATE TRIGGER t AFTER INSERT ON files BEGIN DELETE FROM erasures; END",
}


@pytest.mark.parametrize("change", FOREIGN.values(), ids=FOREIGN)
def test_a_ledger_that_somebody_else_made_is_refused_by_name(store: Store, change: str) -> None:
    with closing(sqlite3.connect(store.ledger)) as ledger:
        ledger.executescript(change)
    with pytest.raises(IntegrityError, match=r"attrition\.sqlite (is not a ledger as attrition makes it|has triggers)"):
        Store(store.root)


def test_a_trigger_in_a_ledger_of_an_earlier_release_does_not_run(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / LEDGER)) as ledger:
        ledger.executescript(
            "CREATE TABLE a (b); CREATE TABLE posted (document TEXT NOT NULL PRIMARY KEY);"
            "CREATE TRIGGER t AFTER INSERT ON posted BEGIN INSERT INTO a VALUES (1); END"
        )
    with pytest.raises(IntegrityError, match="has triggers, and attrition makes none"):
        Store(tmp_path)


def test_a_table_of_somebody_elses_beside_ours_harms_nobody(store: Store) -> None:
    with closing(sqlite3.connect(store.ledger)) as ledger:
        ledger.executescript("CREATE TABLE notes (a); CREATE VIEW mine AS SELECT path FROM files")
    assert Store(store.root).files("x") == []


def test_of_a_file_of_another_size_nothing_is_read(store: Store) -> None:
    stored = store.put("results/a.txt", writer(b"one"), kind="x")
    with (store.root / "results/a.txt").open("r+b") as handle:
        handle.truncate(1 << 42)  # nobody has the time to hash it
    with pytest.raises(IntegrityError, match=r"is not the file that was written \(4398046511104 bytes, expected 3"):
        store.verified(stored)
