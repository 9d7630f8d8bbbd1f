from __future__ import annotations

import ast
import os
import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from features.errors import IntegrityError
from pipelines.foundation.storage.lock import FILE_NAME, held
from pipelines.foundation.storage.rewriting import delete_file, settle
from pipelines.foundation.storage.store import Store
from pipelines.foundation.storage.workspace_paths import FOLDERS, is_ours, place_of, refuse_leading_out

ROOT = Path(__file__).parents[4]
CANARY = "somebody else's, and not to be touched"


def writer(text: str) -> Callable[[Path], None]:
    def write(place: Path) -> None:
        place.write_text(text)

    return write


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder beside the workspace, with a file; afterwards both are as they were."""
    folder = tmp_path / "outside"
    folder.mkdir()
    place = folder / "canary.txt"
    place.write_text(CANARY)
    os.utime(place, ns=(10**18, 10**18))
    return folder


def untouched(outside: Path) -> bool:
    place = outside / "canary.txt"
    same = place.read_text() == CANARY and place.stat().st_mtime_ns == 10**18
    return same and [each.name for each in outside.iterdir()] == ["canary.txt"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    Store(root).put("results/a.txt", writer("one"), kind="x")
    return root


OTHER_PATHS = [
    "../outside/canary.txt",
    "results/../../outside/canary.txt",
    "/etc/hostname",
    "landed",
    "results/",
    "results//a.txt",
    "./results/a.txt",
    "orders.csv",
    "attrition.toml",
    "attrition.sqlite",
    ".attrition-erased.key",
    "mlflow_artifacts/a",
    ".dagster/dagster.yaml",
    "results/a\0.txt",
    "",
    "..",
]


@pytest.mark.parametrize("path", OTHER_PATHS)
def test_a_path_that_is_none_of_ours_leads_nowhere(root: Path, outside: Path, path: str) -> None:
    store = Store(root)
    with pytest.raises(IntegrityError, match="lists a file where attrition keeps none"):
        place_of(root, path)
    with store.transaction() as ledger:
        ledger.execute("UPDATE files SET path = ?", (path,))
        ledger.execute("INSERT INTO rewrites VALUES (?, '', 0, '{}')", (path,))
    for act in (
        lambda: store.files("x"),
        lambda: store.find(path),
        lambda: store.present(path),
        lambda: delete_file(store, path),
        lambda: settle(store),
        lambda: store.put(path, writer("over it"), kind="x"),
    ):
        with pytest.raises(IntegrityError, match=r"attrition\.sqlite"):
            act()
    assert untouched(outside)


@pytest.mark.parametrize("path", ["report.html", "summary.json", "landed/orders/a.parquet", "monitoring/profiles/x"])
def test_a_path_of_ours_is_below_the_workspace(root: Path, path: str) -> None:
    assert place_of(root, path) == root / path


def link_file(place: Path, outside: Path) -> None:
    place.symlink_to(outside / "canary.txt")


def link_folder(place: Path, outside: Path) -> None:
    place.symlink_to(outside, target_is_directory=True)


def link_nowhere(place: Path, outside: Path) -> None:
    place.symlink_to(outside / "new.txt")


def pipe(place: Path, _: Path) -> None:
    os.mkfifo(place)


def socketed(place: Path, _: Path) -> None:
    here = Path.cwd()
    os.chdir(place.parent)  # the name of a socket may not be long
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(place.name)
    finally:
        os.chdir(here)


def second_name(place: Path, outside: Path) -> None:
    place.hardlink_to(outside / "canary.txt")


FILES = [
    ".attrition.lock", ".attrition-schedule.lock", "attrition.sqlite", "attrition.sqlite-wal", "attrition.sqlite-shm",
    "mlflow.sqlite", "mlflow.sqlite-journal", ".attrition-erased.key", ".attrition-erased.list", "report.html",
    ".attrition-identities.sqlite", ".report.html.99999999.attrition-tmp-0123456789abcdef", ".a.1.attrition-tmp",
]  # fmt: skip
WRITTEN_IN_PLACE = [name for name in FILES if name.endswith((".lock", ".sqlite", "-wal", "-shm", "-journal"))]


def refused(root: Path, outside: Path, place: Path, found: str) -> None:
    """Whoever looks, writes or reads is told by name, and nothing outside changes."""

    def hold() -> None:
        with held(root):
            pytest.fail("it was taken to write")

    for act in (lambda: refuse_leading_out(root), hold, lambda: Store(root)):
        with pytest.raises(IntegrityError, match=f"^{re.escape(str(place))} {found}"):
            act()
    assert untouched(outside)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("plant", "found"),
    [
        (link_file, "is a link"),
        (link_folder, "is a link"),
        (link_nowhere, "is a link"),
        (pipe, "is a device, pipe or socket"),
        (socketed, "is a device, pipe or socket"),
    ],
)
def test_a_file_of_ours_that_is_none_is_refused(
    root: Path, outside: Path, name: str, plant: Callable[[Path, Path], None], found: str
) -> None:
    place = root / name
    place.unlink(missing_ok=True)
    plant(place, outside)
    refused(root, outside, place, found)


@pytest.mark.parametrize("name", WRITTEN_IN_PLACE)
def test_a_file_that_is_written_in_place_has_no_second_name(root: Path, outside: Path, name: str) -> None:
    (root / name).unlink(missing_ok=True)
    second_name(root / name, outside)
    refused(root, outside, root / name, "has a second name")


def test_a_file_that_is_replaced_may_have_a_second_name_as_backups_give_it(root: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup.txt"
    backup.hardlink_to(root / "results/a.txt")
    Store(root).put("results/a.txt", writer("two"), kind="x")
    assert (backup.read_text(), (root / "results/a.txt").read_text()) == ("one", "two")


@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.parametrize("plant", [link_folder, link_file, pipe])
def test_a_folder_of_ours_that_is_none_is_refused(
    root: Path, outside: Path, name: str, plant: Callable[[Path, Path], None]
) -> None:
    (root / "results/a.txt").unlink()
    (root / "results").rmdir()
    plant(root / name, outside)
    refused(root, outside, root / name, "is a ")


@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.parametrize("plant", [link_folder, link_file, link_nowhere, pipe])
def test_nothing_within_a_folder_of_ours_leads_out(
    root: Path, outside: Path, name: str, plant: Callable[[Path, Path], None]
) -> None:
    (root / name / "deep").mkdir(parents=True)
    plant(root / name / "deep" / "b", outside)
    refused(root, outside, root / name / "deep" / "b", "is a ")


def test_a_file_in_place_of_a_folder_and_a_folder_in_place_of_a_file_are_told(root: Path, outside: Path) -> None:
    (root / "landed").write_text("")
    refused(root, outside, root / "landed", "is a file, where attrition keeps a folder")
    (root / "landed").unlink()
    (root / FILE_NAME).mkdir()
    refused(root, outside, root / FILE_NAME, "is a folder, where attrition keeps a file")
    (root / FILE_NAME).rmdir()
    (root / "landed").mkdir()
    (root / "landed" / "orders").write_text("")
    with pytest.raises(IntegrityError, match="orders is a file, where attrition keeps a folder"):
        place_of(root, "landed/orders/a.parquet")
    (root / "landed" / "deep.parquet").mkdir()
    with pytest.raises(IntegrityError, match=r"deep\.parquet is a folder, where attrition keeps a file"):
        place_of(root, "landed/deep.parquet")


def test_what_is_not_ours_may_be_a_link(root: Path, outside: Path) -> None:
    (root / "notes").symlink_to(outside, target_is_directory=True)
    (root / "attrition.sqlite.bak").symlink_to(outside / "canary.txt")
    (root / "plan.html").symlink_to(outside / "canary.txt")
    refuse_leading_out(root)
    with held(root):
        Store(root)
    assert untouched(outside)
    assert not is_ours(Path("notes/canary.txt"))


def joined_to_root(source: str) -> set[str]:
    """Where something that may come from a ledger is put below a workspace past `place_of`."""
    return {
        ast.unparse(node)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Div)
        and re.search(r"\broot$", ast.unparse(node.left))
        and re.search(r"\b(path|history|listed)\b", ast.unparse(node.right))
    }


def test_no_path_of_the_ledger_becomes_a_place_elsewhere() -> None:
    assert joined_to_root("store.root / file.path") == {"store.root / file.path"}
    found = {path.name: joined for path in sources() if (joined := joined_to_root(path.read_text()))}
    assert found == {
        "workspace_paths.py": {"root / path"},
        "objections.py": {"root / path"},  # the settings'
        "run.py": {"job.workspace.root / path"},  # told
    }


def sources() -> list[Path]:
    return sorted((ROOT / "pipelines").rglob("*.py"))
