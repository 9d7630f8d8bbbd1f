"""A place that workers see: landed files and parts of results, and never the only copy."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from features.errors import SettingsError
from pipelines.foundation.storage.shared_place import SharedPlace


def landed(place: Path, content: bytes) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return place


def copies(shared: Path) -> list[str]:
    return sorted(place.name for place in shared.glob("attrition-landed/*"))


def name_of(content: bytes) -> str:
    return f"{hashlib.sha256(content).hexdigest()}.parquet"


def test_a_file_below_the_folder_is_read_where_it_lies(tmp_path: Path) -> None:
    place = landed(tmp_path / "workspace" / "landed" / "orders.parquet", b"rows")
    assert SharedPlace.of(str(tmp_path)).seen(place) == str(place)
    assert copies(tmp_path) == []


def test_another_is_copied_once_by_the_hash_of_its_bytes(tmp_path: Path) -> None:
    place, shared = landed(tmp_path / "here" / "orders.parquet", b"rows"), tmp_path / "shared"
    seen = SharedPlace.of(str(shared)).seen(place)
    assert seen == f"{shared}/attrition-landed/{name_of(b'rows')}"
    assert Path(seen).read_bytes() == b"rows"
    before = Path(seen).stat().st_mtime_ns
    assert SharedPlace.of(str(shared)).seen(place) == seen
    assert Path(seen).stat().st_mtime_ns == before
    place.write_bytes(b"others")
    SharedPlace.of(str(shared)).seen(place)
    assert copies(shared) == sorted([name_of(b"rows"), name_of(b"others")])


def test_a_copy_that_was_broken_off_is_made_again(tmp_path: Path) -> None:
    place, shared = landed(tmp_path / "here" / "orders.parquet", b"rows"), tmp_path / "shared"
    seen = Path(SharedPlace.of(str(shared)).seen(place))
    seen.write_bytes(b"ro")
    SharedPlace.of(str(shared)).seen(place)
    assert seen.read_bytes() == b"rows"


def test_a_link_that_leads_out_of_the_folder_is_copied(tmp_path: Path) -> None:
    place, shared = landed(tmp_path / "here" / "orders.parquet", b"rows"), tmp_path / "shared"
    shared.mkdir()
    (shared / "landed").symlink_to(place.parent)
    assert SharedPlace.of(str(shared)).seen(shared / "landed" / "orders.parquet").endswith(name_of(b"rows"))


def test_what_is_not_kept_is_deleted(tmp_path: Path) -> None:
    shared = SharedPlace.of(str(tmp_path / "shared"))
    for content in (b"one", b"two"):
        shared.seen(landed(tmp_path / "here.parquet", content))
    shared.keep({hashlib.sha256(b"two").hexdigest()})
    assert copies(tmp_path / "shared") == [name_of(b"two")]
    SharedPlace.of(str(tmp_path / "never used")).keep(set())


def test_parts_go_after_use_also_when_it_fails(tmp_path: Path) -> None:
    shared = SharedPlace.of(str(tmp_path))

    def used() -> None:
        with shared.parts() as name:
            landed(Path(shared.address(name)) / "0" / "part.parquet", b"rows")
            assert [file.read() for file in shared.files(f"{name}/0")] == [b"rows"]
            raise KeyError

    with pytest.raises(KeyError):
        used()
    assert list((tmp_path / "attrition-parts").iterdir()) == []


def test_parts_of_a_killed_process_go_a_day_later_and_those_of_others_stay(tmp_path: Path) -> None:
    now = int(time.time())
    for age in (0, 3_600, 90_000):
        (tmp_path / "attrition-parts" / f"{now - age}-{age}").mkdir(parents=True)
    SharedPlace.of(str(tmp_path)).keep(set())
    assert sorted(place.name.partition("-")[2] for place in (tmp_path / "attrition-parts").iterdir()) == ["0", "3600"]


def test_a_place_that_cannot_be_had_is_named(tmp_path: Path) -> None:
    place = landed(tmp_path / "orders.parquet", b"rows")
    with pytest.raises(SettingsError, match=r'engine.shared = "nowhere://bucket" cannot be used; is it there'):
        SharedPlace.of("nowhere://bucket").seen(place)
    landed(tmp_path / "a file", b"")
    with pytest.raises(SettingsError, match="cannot be used"), SharedPlace.of(str(tmp_path / "a file")).parts():
        pass


def test_two_copies_at_once_leave_one(tmp_path: Path) -> None:
    """Whoever reads a copy meanwhile must not find half of it."""
    place, shared = landed(tmp_path / "orders.parquet", os.urandom(1 << 20)), SharedPlace.of(str(tmp_path / "shared"))
    assert len({shared.seen(place) for _ in range(2)}) == 1
