from __future__ import annotations

import resource
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from features.errors import IntegrityError
from pipelines.foundation.storage import ledger_schema
from pipelines.foundation.storage.disk_errors import DiskError
from pipelines.foundation.storage.ledger_schema import STEPS, VERSION
from pipelines.foundation.storage.store import Store
from pipelines.foundation.storage.workspace_paths import LEDGER
from tests.pipelines.foundation.storage.ledger_case import SECOND, content, files, opening, shape, version, write

ROOT = Path(__file__).parents[4]
TABLES = (  # of 0.1.0
    "challengers", "champions", "deliveries", "enforced", "erasures", "files", "held", "keys", "outbox", "posted",
    "recommended", "rewrites", "rollbacks", "score_runs", "scores", "versions",
)  # fmt: skip
SINCE = ("shown", "shown_scores", "seal")
ROW = "INSERT INTO files (path, kind, sha256, bytes, detail) VALUES ('a.csv', 'landed', 'ab', 1, '{}')"


@pytest.fixture
def new(tmp_path: Path) -> Path:
    """A folder with a ledger of today."""
    folder = tmp_path / "new"
    folder.mkdir()
    Store(folder)
    return folder


def know(monkeypatch: pytest.MonkeyPatch, *more: tuple[str, ...]) -> None:
    """Be the code of a later release, which knows more steps."""
    monkeypatch.setattr(ledger_schema, "STEPS", (*STEPS, *more))
    monkeypatch.setattr(ledger_schema, "VERSION", VERSION + len(more))


def earlier(folder: Path, *lacking: str) -> Path:
    """A ledger of release 0.1.0 with a row, in which some tables were never needed."""
    drops = "".join(f"DROP TABLE {name};" for name in lacking)
    write(folder, ";".join(STEPS[0]) + f"; {ROW}; {drops} PRAGMA user_version = 0")
    return folder


def test_a_new_ledger_has_every_table_and_the_newest_version(new: Path) -> None:
    assert sorted(name for name in shape(new) if not name.startswith("sqlite_")) == sorted([*TABLES, *SINCE])
    assert version(new) == VERSION == len(STEPS)


@pytest.mark.parametrize("known", range(VERSION + 1))
def test_a_ledger_of_each_version_becomes_one_like_a_new_one(tmp_path: Path, new: Path, known: int) -> None:
    script = ";".join(statement for step in STEPS[:known] for statement in step)
    write(tmp_path / "old", f"{script}; PRAGMA user_version = {known}")
    Store(tmp_path / "old")
    assert shape(tmp_path / "old") == shape(new)
    assert version(tmp_path / "old") == VERSION


@pytest.mark.parametrize("lacking", [[name] for name in TABLES if name != "files"] + [list(TABLES[:5])], ids="-".join)
def test_a_table_that_was_never_needed_is_made_and_the_others_keep_their_rows(
    tmp_path: Path, new: Path, lacking: list[str]
) -> None:
    old = earlier(tmp_path / "old", *lacking)
    before = content(old)
    assert before["files"] == [(1, "a.csv", "landed", "ab", 1, "{}")]
    Store(old)
    assert shape(old) == shape(new)
    assert content(old) == before


def test_a_second_opening_writes_nothing(new: Path) -> None:
    before = files(new)
    Store(new)
    assert files(new) == before


def test_a_ledger_of_today_is_opened_while_another_process_writes_to_it(new: Path) -> None:
    with closing(sqlite3.connect(new / LEDGER, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        opened = opening(new)
        (new / "go").touch()
        assert opened.communicate(timeout=20)[1] == ""
        assert opened.returncode == 0


@pytest.mark.parametrize("other", [VERSION + 1, VERSION + 1000, -1])
def test_a_version_that_is_not_known_is_refused_in_words_and_nothing_is_written(new: Path, other: int) -> None:
    write(new, f"PRAGMA user_version = {other}")
    before = files(new)
    with pytest.raises(IntegrityError) as refused:
        Store(new)
    assert str(refused.value) == (
        f"{new / LEDGER} has version {other}, and this attrition knows none after {VERSION}: a newer one has worked in "
        "this workspace; install that one, or restore the ledger from a backup made before"
    )
    assert files(new) == before


def test_a_ledger_that_became_newer_since_it_was_looked_at_is_refused_as_well(new: Path) -> None:
    write(new, f"PRAGMA user_version = {VERSION + 1}")
    with closing(sqlite3.connect(new / LEDGER)) as ledger, pytest.raises(IntegrityError, match="a newer one has"):
        ledger_schema.step(ledger, new / LEDGER)


def test_each_step_that_is_missing_is_taken_and_rows_stay(
    tmp_path: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(new, f"{ROW}; INSERT INTO posted VALUES ('m'); INSERT INTO enforced VALUES ('x')")
    know(monkeypatch, SECOND)
    Store(new)
    wanted = {"posted": [("m", None)], "enforced_lists": [("x",)]}
    assert {name: rows for name, rows in content(new).items() if name in wanted} == wanted
    assert version(new) == VERSION + 1
    old = earlier(tmp_path / "old")
    Store(old)
    assert shape(old) == shape(new)
    assert len(content(old)["files"]) == 1


def test_a_step_that_fails_in_the_middle_changes_nothing_and_is_taken_by_the_next(
    new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shape(new)
    know(monkeypatch, (SECOND[0], "SELECT no_such_function()", SECOND[1]))
    with pytest.raises(IntegrityError, match=r"attrition\.sqlite is damaged \(a table or column"):
        Store(new)
    assert shape(new) == before
    assert version(new) == VERSION
    know(monkeypatch, SECOND)
    Store(new)
    assert version(new) == VERSION + 1


def test_killed_ahead_of_any_statement_it_is_of_one_version_and_the_next_opening_completes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found(folder: Path) -> tuple[int, dict[str, str], object]:
        return version(folder), shape(folder), content(folder)

    stages = [found(first := earlier(tmp_path / "undisturbed", "held", "keys"))]
    every = (*STEPS, SECOND)
    for known in range(1, len(every) + 1):
        monkeypatch.setattr(ledger_schema, "STEPS", every[:known])
        monkeypatch.setattr(ledger_schema, "VERSION", known)
        Store(first)
        stages.append(found(first))
    assert [each[0] for each in stages] == list(range(VERSION + 2))
    kills = 0
    while True:
        (earlier(folder := tmp_path / str(kills), "held", "keys") / "go").touch()
        ended = opening(folder, kill_at=kills + 1, more=SECOND)
        ended.communicate(timeout=20)
        assert found(folder) in stages
        Store(folder)
        assert found(folder) == stages[-1]
        if ended.returncode == 0:
            break
        kills += 1
    assert kills > len(STEPS[0]) + len(SECOND)


@pytest.mark.parametrize("there", [False, True], ids=["new", "earlier"])
def test_of_processes_that_open_it_at_the_same_moment_one_takes_each_step(tmp_path: Path, there: bool) -> None:
    for turn in range(3):
        folder = tmp_path / f"turn-{turn}"
        folder.mkdir()
        if there:
            earlier(folder, "held", "keys")
        opened = [opening(folder, more=SECOND) for _ in range(6)]
        (folder / "go").touch()
        assert [(each.communicate(timeout=40)[1], each.returncode) for each in opened] == [("", 0)] * 6
        assert version(folder) == VERSION + 1
        assert "enforced_lists" in shape(folder)


def test_a_new_ledger_that_another_process_is_making_is_waited_for(tmp_path: Path) -> None:
    write(tmp_path, "PRAGMA journal_mode = DELETE")
    with closing(sqlite3.connect(tmp_path / LEDGER, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = opening(tmp_path)
        (tmp_path / "go").touch()
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(0.5)
        other.execute("COMMIT")
    assert waiting.communicate(timeout=20)[1] == ""
    assert version(tmp_path) == VERSION


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """A disk on which no file may grow beyond some bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_step_for_which_there_is_no_room_is_told_with_the_remedy_and_taken_once_there_is(
    tmp_path: Path, new: Path
) -> None:
    old = earlier(tmp_path / "old", *(name for name in TABLES if name != "files"))
    before = shape(old)
    with largest_file(40_000), pytest.raises(DiskError, match=r"room .*the same command goes on from there"):
        Store(old)
    assert shape(old) == before
    Store(old)
    assert shape(old) == shape(new)


def test_a_ledger_that_may_not_be_written_is_opened_where_it_is_of_today_and_else_told_with_the_remedy(
    tmp_path: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, connect = earlier(tmp_path / "old", "held", "keys"), sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda place, **given: connect(f"file:{place}?mode=ro", uri=True, **given))
    Store(new)
    with pytest.raises(DiskError, match=r"cannot be written .*that this user may write"):
        Store(old)


def test_tables_of_the_ledger_are_made_in_one_file_alone() -> None:
    making = {place.name for place in (ROOT / "pipelines").rglob("*.py") if "TABLE IF NOT EXISTS" in place.read_text()}
    assert making == {"ledger_schema.py", "pseudonyms.py"}  # the latter's is a file of its own
