from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from features.errors import IntegrityError
from pipelines.cli import app
from pipelines.foundation.identity import erased_list
from pipelines.foundation.identity.erased_list import FILE
from pipelines.foundation.storage.store import Store
from pipelines.foundation.storage.workspace_paths import FOLDERS, LEDGER, PAGES
from tests.pipelines.shop_case import FIRST, make_shop, order

ROWS = [order(n, f"C-{n % 5}", FIRST, 10.0 + n) for n in range(40)]
GONE, KEY = "C-3", ".attrition-erased.key"


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    code: int
    text: str


def run(shop: Path, *command: str) -> Said:
    found = CliRunner().invoke(app, [*command, "--project", str(shop)])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return Said(found.exit_code, found.stderr)


def refused(shop: Path, command: str, said: str) -> None:
    found = run(shop, *command.split())
    assert found.code == 2, found.text
    assert said in found.text.replace("\n", " ")


def landed(shop: Path) -> set[str]:
    return {
        name
        for file in (shop / "landed").rglob("*.parquet")
        for name in pq.read_table(file, columns=["customer_id"])["customer_id"].to_pylist()
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    shop = make_shop(folder / "shop", rows=ROWS)
    assert run(shop, "ingest").code == 0
    shutil.copy(shop / LEDGER, folder / "older.sqlite")
    assert run(shop, "erase", GONE).code == 0
    assert landed(shop) == {"C-0", "C-1", "C-2", "C-4"}
    return folder


@pytest.fixture
def shop(made: Path, tmp_path: Path) -> Path:
    """Somebody was erased in it. Beside it lies its ledger of before that."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path / "shop"


def move_out(shop: Path, *names: str) -> None:
    """As a message says."""
    for name in names or (*FOLDERS, *PAGES):
        if name != "receipts" and (shop / name).exists():
            (away := shop.parent / "away").mkdir(exist_ok=True)
            shutil.move(shop / name, away / name)


@pytest.mark.parametrize("lost", ["missing", "empty"])
@pytest.mark.parametrize("command", ["ingest", "score", "deliver", "report", "check", "models", "kpis", "erase C-1"])
def test_without_its_ledger_a_workspace_says_so_and_does_nothing(shop: Path, lost: str, command: str) -> None:
    (shop / LEDGER).unlink()
    if lost == "empty":
        (shop / LEDGER).touch()
    refused(shop, command, f"attrition.sqlite is {lost}, and only it says what landed/, rejected/ hold")
    assert not (shop / LEDGER).exists() or not (shop / LEDGER).stat().st_size


def test_the_remedy_for_a_lost_ledger_brings_nobody_back(shop: Path) -> None:
    (shop / LEDGER).unlink()
    move_out(shop)
    assert run(shop, "ingest").code == 0
    assert landed(shop) == {"C-0", "C-1", "C-2", "C-4"}
    again = run(shop, "erase", GONE)
    assert again.code == 0
    assert "erased before, on " in again.text
    # The new ledger knows of them too, and is as good as the old one.
    (shop / FILE).unlink()
    assert run(shop, "ingest").code == 0
    assert (shop / FILE).exists()
    assert landed(shop) == {"C-0", "C-1", "C-2", "C-4"}


@pytest.mark.parametrize("lost", [(FILE,), (KEY,), (FILE, KEY), (FILE, "receipts")], ids="+".join)
def test_where_it_is_not_known_who_was_erased_nothing_lands_anew(shop: Path, lost: tuple[str, ...]) -> None:
    (shop / LEDGER).unlink()
    move_out(shop)
    for name in lost:
        (shutil.rmtree if (shop / name).is_dir() else Path.unlink)(shop / name)
    remedy = f"{KEY} is missing" if lost == (KEY,) else "run `attrition erase` for each of them"
    refused(shop, "ingest", remedy)
    assert landed(shop) == set()


def test_whoever_says_who_was_erased_may_land_again(shop: Path) -> None:
    (shop / LEDGER).unlink()
    (shop / FILE).unlink()
    move_out(shop)
    refused(shop, "ingest", "They would land again")
    assert run(shop, "erase", GONE).code == 0
    assert run(shop, "ingest").code == 0
    assert landed(shop) == {"C-0", "C-1", "C-2", "C-4"}


def test_a_workspace_in_which_nobody_was_erased_starts_again_without_its_ledger(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "shop", rows=ROWS)
    assert run(shop, "ingest").code == 0
    assert not (shop / FILE).exists()
    (shop / LEDGER).unlink()
    refused(shop, "ingest", "attrition.sqlite is missing")
    move_out(shop)
    assert run(shop, "ingest").code == 0
    assert len(landed(shop)) == 5


@pytest.mark.parametrize("command", ["score", "deliver", "report", "check", "models", "kpis", "train", "explain C-1"])
def test_a_ledger_of_before_an_erasure_is_refused(shop: Path, command: str) -> None:
    shutil.copy(shop.parent / "older.sqlite", shop / LEDGER)
    refused(shop, command, "does not know of 1 customer who was erased (first: on 20")


def test_erasing_again_mends_an_older_ledger(shop: Path) -> None:
    shutil.copy(shop.parent / "older.sqlite", shop / LEDGER)
    refused(shop, f"erase {GONE}", "is not the file that was written")  # the landed file lost rows since
    shutil.rmtree(shop / "landed")
    shutil.rmtree(shop / "rejected")
    assert run(shop, "ingest").code == 0
    assert landed(shop) == {"C-0", "C-1", "C-2", "C-4"}
    assert run(shop, "erase", GONE).code == 0
    assert run(shop, "check").code == 0


def test_the_other_remedy_for_an_older_ledger_brings_nobody_back_either(shop: Path) -> None:
    shutil.copy(shop.parent / "older.sqlite", shop / LEDGER)
    move_out(shop, LEDGER, *FOLDERS)
    assert run(shop, "ingest").code == 0
    assert landed(shop) == {"C-0", "C-1", "C-2", "C-4"}
    assert run(shop, "check").code == 0


def test_the_list_is_written_before_the_ledger(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.data.privacy import erase

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(erase, "_note", dies)
        assert run(shop, "erase", "C-4").code == 130
    assert len(erased_list.listed(Store(shop))[1]) == 2
    refused(shop, "check", "run the same `attrition erase` again")
    assert run(shop, "erase", "C-4").code == 0
    assert run(shop, "check").code == 0


def test_the_list_of_a_workspace_of_an_earlier_release_is_made(shop: Path) -> None:
    (shop / FILE).unlink()
    assert run(shop, "ingest").code == 0
    assert erased_list.listed(Store(shop))[1].keys() == {_receipt(shop)["customer"]}


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "5", '{"key": 5, "erased": {}, "sha256": ""}', "[" * 100_000, "a date moved", "a name more"],
    ids=lambda text: text[:12],
)
def test_a_list_that_was_altered_is_refused_and_can_be_written_again(shop: Path, text: str) -> None:
    content = json.loads((shop / FILE).read_text())
    if text == "a date moved":
        content["erased"] = dict.fromkeys(content["erased"], "2020-01-01")
    elif text == "a name more":
        content["erased"]["a" * 64] = "2020-01-01"
    (shop / FILE).write_text(json.dumps(content) if " " in text and "{" not in text else text)
    with pytest.raises(IntegrityError, match=r"\.attrition-erased\.list is damaged, and it keeps out who was erased"):
        erased_list.listed(Store(shop))
    refused(shop, "ingest", f"{FILE} is damaged")
    (shop / FILE).unlink()
    assert run(shop, "ingest").code == 0
    assert len(erased_list.listed(Store(shop))[1]) == 1


def test_a_list_of_another_workspace_is_refused(shop: Path, tmp_path: Path) -> None:
    other = make_shop(tmp_path / "other", rows=ROWS)
    assert run(other, "erase", GONE).code == 0
    shutil.copy(other / FILE, shop / FILE)
    refused(shop, "ingest", "name erased customers with different keys")
    assert landed(shop) == {"C-0", "C-1", "C-2", "C-4"}


def _receipt(shop: Path) -> dict[str, str]:
    (place,) = (shop / "receipts").iterdir()
    found: dict[str, str] = json.loads(place.read_text())
    return found
