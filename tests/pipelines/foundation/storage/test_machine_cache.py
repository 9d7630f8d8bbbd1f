"""What this user's folder of caches gives back, and how it stays small."""

from __future__ import annotations

import os
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


def test_the_oldest_are_removed_until_the_rest_fits(folder: Path) -> None:
    for number in range(4):
        machine_cache.write(f"some/{number}", bytes(10))
        os.utime(folder / "some" / str(number), (number, number))
    machine_cache.write("beside", bytes(100))
    machine_cache.bound("some", 25)
    assert sorted(each.name for each in (folder / "some").iterdir()) == ["2", "3"]
    assert machine_cache.read("beside") == bytes(100)


def test_a_folder_that_is_not_there_needs_no_bound() -> None:
    machine_cache.bound("none", 0)
