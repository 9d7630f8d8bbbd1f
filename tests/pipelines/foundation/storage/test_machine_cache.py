"""What this user's folder of caches gives back, and how it stays small."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipelines.foundation.storage import machine_cache


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "attrition"


def test_what_was_written_is_read() -> None:
    machine_cache.write("some/name", b"found")
    assert machine_cache.read("some/name") == b"found"
    assert machine_cache.read("some/other") is None


def test_what_somebody_else_wrote_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    machine_cache.write("name", b"found")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert machine_cache.read("name") is None


DAMAGE = {
    "empty": lambda whole: b"",
    "cut": lambda whole: whole[:-1],
    "longer": lambda whole: whole + b" ",
    "of zeros": lambda whole: bytes(len(whole)),
    "altered": lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]),
    "of others": lambda whole: b"not ours",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_as_if_it_were_not_there(damage: str, folder: Path) -> None:
    machine_cache.write("name", b"found")
    kept = folder / "name"
    kept.write_bytes(DAMAGE[damage](kept.read_bytes()))
    assert machine_cache.read("name") is None
    machine_cache.write("name", b"found")
    assert machine_cache.read("name") == b"found"


def test_what_was_written_under_another_name_is_not_believed(folder: Path) -> None:
    machine_cache.write("one", b"found")
    (folder / "one").rename(folder / "other")
    assert machine_cache.read("other") is None


def test_writers_at_once_lose_and_spoil_nothing(folder: Path) -> None:
    found = {f"some/{number}": f"{number}".encode() * 10_000 for number in range(20)}
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: machine_cache.write(name, found[name]), [*found] * 8))
        read = list(threads.map(machine_cache.read, found))
    assert read == [*found.values()]
    assert len(list((folder / "some").iterdir())) == len(found)  # nothing half written lies about


def test_the_oldest_are_removed_until_the_rest_fits(folder: Path) -> None:
    for number in range(4):
        machine_cache.write(f"some/{number}", bytes(10))
        size = (folder / "some" / str(number)).stat().st_size
        os.utime(folder / "some" / str(number), (number, number))
    machine_cache.write("beside", bytes(100))
    machine_cache.bound("some", 2 * size + 1)
    assert sorted(each.name for each in (folder / "some").iterdir()) == ["2", "3"]
    assert machine_cache.read("beside") == bytes(100)


def test_a_folder_that_is_not_there_needs_no_bound() -> None:
    machine_cache.bound("none", 0)
