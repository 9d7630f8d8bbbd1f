"""What files of ours do is read once a machine, and what is kept of it is believed only where we wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.foundation.storage import code_meaning
from pipelines.foundation.storage.code_meaning import code_of, keep


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine that has kept nothing yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    another_process()
    yield tmp_path / "caches" / "attrition"
    another_process()


def another_process() -> None:
    code_of.cache_clear()
    code_meaning._known.cache_clear()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    place = tmp_path / "ours.py"
    place.write_text("import features.asof\n\n\ndef one() -> int:\n    return 1\n")
    return place


def refuse(*_: object, **__: object) -> None:
    raise AssertionError("it was read again")


def test_another_process_does_not_read_it_again(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = code_of(file)
    assert first.imports == ("features.asof",)
    keep()
    another_process()
    monkeypatch.setattr(code_meaning, "_meaning", refuse)
    assert code_of(file) == first


def test_a_file_that_was_changed_is_read_anew(file: Path) -> None:
    first = code_of(file)
    keep()
    another_process()
    file.write_text(file.read_text().replace("return 1", "return 2"))
    assert code_of(file).meaning != first.meaning


@pytest.mark.parametrize("kept", [b"", b"{", b"[]", b'{"a": 1}', b'{"a": [[], "no hash"]}', b"\xff"])
def test_what_we_did_not_write_is_as_if_it_were_not_there(file: Path, machine: Path, kept: bytes) -> None:
    first = code_of(file)
    keep()
    (written,) = machine.iterdir()
    written.write_bytes(kept)
    another_process()
    assert code_of(file) == first


def test_a_machine_that_keeps_nothing_reads_it_each_time(file: Path, machine: Path) -> None:
    machine.parent.mkdir()
    machine.write_text("a file where the folder would be")
    first = code_of(file)
    keep()
    another_process()
    assert code_of(file) == first


def test_what_is_kept_does_not_grow_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_meaning, "_MOST", 3)
    for number in range(5):
        (tmp_path / f"{number}.py").write_text(f"x = {number}\n")
        code_of(tmp_path / f"{number}.py")
    keep()
    another_process()
    assert len(code_meaning._known().codes) == 3
