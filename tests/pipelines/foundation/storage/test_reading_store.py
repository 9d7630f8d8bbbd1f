from __future__ import annotations

from pathlib import Path

import pytest

from features.errors import DataError, IntegrityError
from pipelines.foundation.storage.disk_errors import DiskError
from pipelines.foundation.storage.reading_store import ReadingStore
from pipelines.foundation.storage.store import Store, StoredFile
from tests.pipelines.foundation.ledger.test_earlier_ledgers import as_it_was
from tests.pipelines.foundation.storage.ledger_case import content


def put(store: Store, path: str, text: str) -> StoredFile:
    def write(place: Path) -> None:
        place.write_text(text)

    return store.put(path, write, kind="snapshot", day="2025-01-01")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    put(Store(tmp_path), "snapshots/a.parquet", "theirs")
    return tmp_path


def test_what_is_put_is_read_here_and_lies_elsewhere(root: Path) -> None:
    store, before = ReadingStore(root), content(root)
    made = put(store, "snapshots/b.parquet", "ours")
    assert (store.find("snapshots/b.parquet"), store.present("snapshots/b.parquet")) == (made, made)
    assert store.verified(made).read_text() == "ours"
    assert [file.path for file in store.files("snapshot")] == ["snapshots/a.parquet", "snapshots/b.parquet"]
    assert not (root / "snapshots/b.parquet").exists()
    assert content(root) == before
    assert Store(root).find("snapshots/b.parquet") is None


def test_what_is_there_is_read_where_it_is_unless_it_was_made_anew(root: Path) -> None:
    store = ReadingStore(root)
    theirs = store.find("snapshots/a.parquet")
    assert theirs is not None
    assert store.verified(theirs) == root / "snapshots/a.parquet"
    anew = put(store, "snapshots/a.parquet", "ours")
    assert store.find("snapshots/a.parquet") == anew
    assert store.files("snapshot") == [anew]
    assert store.verified(anew).read_text() == "ours"
    assert store.verified(theirs).read_text() == "theirs"


def test_an_altered_file_is_refused(root: Path) -> None:
    store = ReadingStore(root)
    made = put(store, "snapshots/b.parquet", "ours")
    store.verified(made).write_text("uors")
    (root / "snapshots/a.parquet").write_text("theirz")
    for path in ("snapshots/a.parquet", "snapshots/b.parquet"):
        found = store.find(path)
        assert found is not None
        with pytest.raises(IntegrityError, match="is not the file that was written"):
            store.verified(found)


def test_the_ledger_cannot_be_written(root: Path) -> None:
    with pytest.raises(DiskError), ReadingStore(root).transaction() as ledger:
        ledger.execute("DELETE FROM files")
    assert Store(root).find("snapshots/a.parquet") is not None


def test_the_folder_is_its_users_alone_and_goes_with_the_store(root: Path) -> None:
    store = ReadingStore(root)
    place = store.scratch
    assert place.stat().st_mode & 0o077 == 0
    del store
    assert not place.exists()


def test_a_ledger_of_an_older_release_is_not_changed_by_looking(tmp_path: Path) -> None:
    old = as_it_was(tmp_path / "old")
    before = content(old)
    with pytest.raises(DataError, match="older release, and whoever only looks does not change it"):
        ReadingStore(old)
    assert content(old) == before


def test_where_nothing_landed_no_ledger_is_made(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing has landed in"):
        ReadingStore(tmp_path)
    assert list(tmp_path.iterdir()) == []
