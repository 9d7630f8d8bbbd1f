from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.errors import AttritionError, IntegrityError
from pipelines.cli import app
from pipelines.data.privacy.landed_rows import leave_out
from pipelines.foundation.storage import rewriting
from pipelines.foundation.storage.rewriting import delete_file, rewrite, scrub, settle
from pipelines.foundation.storage.store import Store, StoredFile
from tests.pipelines.shop_case import FIRST, make_shop, order


def put(store: Store, path: str, text: str) -> StoredFile:
    return store.put(path, lambda place: write(place, text), kind="a kind", note=text)


def write(place: Path, text: str) -> None:
    place.write_text(text, encoding="utf-8")


def test_a_rewritten_file_keeps_its_position_and_what_was_noted(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = put(store, "results/a.txt", "one")
    put(store, "results/b.txt", "two")
    rewrite(store, first, lambda place: write(place, "less"), rows=1)
    found = store.files("a kind")
    assert [(file.path, file.sequence) for file in found] == [("results/a.txt", 1), ("results/b.txt", 2)]
    assert found[0].detail == {"note": "one", "rows": 1}
    assert store.verified(found[0]).read_text() == "less"


def test_broken_off_between_file_and_ledger_it_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    first = put(store, "results/a.txt", "one")
    with monkeypatch.context() as patched:
        patched.setattr(rewriting, "settle", lambda _: None)
        rewrite(store, first, lambda place: write(place, "less"))
    settle(store)
    assert store.verified(store.files("a kind")[0]).read_text() == "less"
    settle(store)


def test_the_next_command_completes_what_was_broken_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = make_shop(tmp_path / "shop", rows=[order(n, "C-1", FIRST, 1.0) for n in range(3)])
    assert CliRunner().invoke(app, ["ingest", "--project", str(shop)]).exit_code == 0
    store = Store(shop)
    (landed,) = store.files("landed")
    with monkeypatch.context() as patched:
        patched.setattr(rewriting, "settle", lambda _: None)
        leave_out(store, landed, [1])
    with pytest.raises(IntegrityError):
        store.verified(landed)
    done = CliRunner().invoke(app, ["ingest", "--project", str(shop)])
    assert done.exit_code == 0, done.output
    (found,) = store.files("landed")
    assert store.verified(found) == shop / landed.path
    assert found.detail["landed"] == 2


def test_broken_off_before_the_file_was_there_the_old_one_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    first = put(store, "results/a.txt", "one")

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", dies)
        with pytest.raises(KeyboardInterrupt):
            rewrite(store, first, lambda place: write(place, "less"))
    settle(store)
    assert store.verified(store.files("a kind")[0]).read_text() == "one"
    assert [place.name for place in (tmp_path / "results").iterdir()] == ["a.txt"]


def test_a_deleted_file_is_gone_from_disk_and_ledger(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put(store, "results/a.txt", "one")
    delete_file(store, "results/a.txt")
    delete_file(store, "results/a.txt")
    assert store.files("a kind") == []
    assert not (tmp_path / "results/a.txt").exists()


def test_no_byte_of_a_deleted_row_is_left_even_where_sqlite_does_not_overwrite(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with closing(sqlite3.connect(store.ledger, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete = OFF")  # many builds of SQLite have it on
        connection.execute("CREATE TABLE people (id TEXT)")
        connection.executemany("INSERT INTO people VALUES (?)", [(f"CANARY-{n}",) for n in range(500)])
        connection.execute("DELETE FROM people")
    assert b"CANARY" in store.ledger.read_bytes()
    scrub(store)
    assert all(b"CANARY" not in place.read_bytes() for place in tmp_path.iterdir())


def test_a_ledger_that_somebody_reads_all_the_while_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    put(store, "results/a.txt", "one")
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda place, **given: connect(place, **given | {"timeout": 0.1}))
    with closing(connect(store.ledger, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM files").fetchall()
        with pytest.raises(AttritionError, match="is being read by another process"):
            scrub(store)
    scrub(store)
