from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pipelines.foundation.storage import lock
from pipelines.foundation.storage.atomic_file import atomic_write, scratch, unfinished


def names(root: Path) -> list[str]:
    return sorted(place.relative_to(root).as_posix() for place in root.rglob("*"))


def test_a_file_is_there_once_its_block_has_ended(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "a.txt") as place:
        place.write_text("new")
        assert names(tmp_path) == [place.name]
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "new"


def test_an_older_file_stays_where_writing_breaks_off(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(UnicodeEncodeError), atomic_write(tmp_path / "a.txt") as place:
        place.write_text("half of it \udcff", encoding="utf-8")
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_a_scratch_folder_goes_with_its_block_and_what_is_in_it(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), scratch(tmp_path / "landed", "reading") as folder:
        (folder / "raw.parquet").write_bytes(bytes(1 // 0))
    assert names(tmp_path) == ["landed"]


def test_who_takes_the_workspace_removes_what_a_killed_run_left_and_nothing_that_another_run_is_at(
    tmp_path: Path,
) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    ours = unfinished(tmp_path / "landed" / "a.parquet").name
    theirs = ours.replace(str(os.getpid()), str(os.getppid()))
    left = ours.replace(str(os.getpid()), str(gone.pid))
    (tmp_path / "landed" / left).mkdir(parents=True)
    kept = {ours, theirs, f"x{left}", ".notes.tmp", ".a.attrition-tmp"}
    other = left.replace("a.parquet", "b.parquet")
    for name in (*kept, f"{left}/raw.parquet", other, f"{other}-journal"):
        (tmp_path / "landed" / name).touch()
    with lock.held(tmp_path):
        assert {place.name for place in (tmp_path / "landed").iterdir()} == kept


def test_the_name_of_an_unfinished_file_cannot_be_known_before(tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("somebody else's")
    (root := tmp_path / "shop").mkdir()
    for name in (f".a.txt.{os.getpid()}.attrition-tmp", unfinished(root / "a.txt").name):
        (root / name).symlink_to(tmp_path / "outside.txt")
    with atomic_write(root / "a.txt") as place:
        place.write_text("ours")
    assert (tmp_path / "outside.txt").read_text() == "somebody else's"
    assert (root / "a.txt").read_text() == "ours"
    assert unfinished(root / "a.txt") != unfinished(root / "a.txt")


def test_a_link_that_a_killed_run_left_goes_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.txt").touch()
    (root := tmp_path / "shop").mkdir()
    (root / "notes").mkdir()
    (root / "notes" / f".a.{gone.pid}.attrition-tmp").symlink_to(tmp_path / "outside", target_is_directory=True)
    with lock.held(root):
        assert list((root / "notes").iterdir()) == []
    assert (tmp_path / "outside" / "a.txt").exists()
