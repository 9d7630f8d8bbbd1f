"""A person with every odd id in every table, and then in no file at all."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from features.errors import DataError, IntegrityError
from features.tables import TABLES
from pipelines import run as stages
from pipelines.data.landing.ingest import ingest
from pipelines.data.privacy import erase as erasing
from pipelines.data.privacy.erase import erase
from pipelines.foundation.ledger.score_store import ScoreStore
from pipelines.foundation.settings.settings import FILE_NAME, load
from pipelines.foundation.settings.template import render
from pipelines.foundation.simulation.simulate import simulate
from pipelines.foundation.storage import csv_file, rewriting
from pipelines.foundation.storage.store import Store
from pipelines.foundation.workspace.console import Console
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.foundation.workspace.workspace import open_workspace
from pipelines.prediction.training.task import tasks_of
from tests.pipelines.data.landing.landing_case import HEADER, LANDED_ON, UNNAMED, files_of, settings, source

NOW = datetime(2030, 1, 1, tzinfo=UTC)
PLAIN = "CANARY-0042"
IDS = (PLAIN, "=CANARY('1\"x", "0007-CANÄRY", "CANARY'; DROP TABLE scores; --")


def job(folder: Path) -> RunContext:
    return RunContext(open_workspace(folder, now=NOW), Console(quiet=True), NOW)


def texts(root: Path, *, beside: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Every file below a workspace as text: raw bytes, and what a Parquet file holds decoded."""
    for place in sorted(root.rglob("*")):
        name = place.relative_to(root).as_posix()
        if place.is_file() and name not in beside:
            yield name, place.read_bytes().decode("utf-8", "replace")
            if place.suffix == ".parquet":
                yield name, "\n".join(json.dumps(row, default=str) for row in pq.read_table(place).to_pylist())


def hits(root: Path, *, beside: tuple[str, ...] = ()) -> set[str]:
    """Files in which any canary is found, whole or by the part that no escape changes."""
    return {
        name
        for name, text in texts(root, beside=beside)
        if "CANARY" in text or "CANÄRY" in text or "CAN\\u00c4RY" in text
    }


# Landed files


def shop(root: Path, rows: str, *, more: str = "") -> Path:
    root.mkdir()
    (root / "orders.csv").write_text(HEADER.strip() + ",note\n" + rows, encoding="utf-8")
    (root / "orders-2.csv").write_text(HEADER + "B-1,C-1,2024-01-05,2\n" + more, encoding="utf-8")
    (root / FILE_NAME).write_text(render(WANTED), encoding="utf-8")
    return root


WANTED = settings(source("orders*.csv"))


def lines(*customers: str) -> str:
    cells = [customer.replace('"', '""') for customer in customers]
    good = [f'A-{n},"{cell}",2024-01-{n % 28 + 1:02d},{n},\n' for n, cell in enumerate(cells)]
    bad = [f'A-X{n},"{cell}",soon,{n},\nA-Y{n},C-1,soon,1,"as ""{cell}"" said"\n' for n, cell in enumerate(cells)]
    ragged = [f'A-R{n},"{cell}",2024-01-01\n' for n, cell in enumerate(cells)]
    return "".join([*good, *bad, *ragged])


def state(root: Path) -> Any:
    store = Store(root)
    ledger = [
        (file.path, file.sequence, file.sha256, file.detail)
        for kind in ("landed", "rejected")
        for file in store.files(kind)
    ]
    return ledger, {
        name: content for name, content in files_of(root).items() if name.startswith(("landed", "rejected"))
    }


@pytest.mark.parametrize("who", IDS)
def test_landed_files_become_those_that_landing_without_the_person_gives_byte_for_byte(
    tmp_path: Path, who: str
) -> None:
    rows = lines("C-1", who, "C-2", who, "C-3")
    erased, fresh = shop(tmp_path / "erased", rows), shop(tmp_path / "fresh", rows)
    ingest(Store(erased), WANTED, today=LANDED_ON)
    assert hits(erased) - {"orders.csv"}
    erase(job(erased), [who])
    assert hits(erased, beside=("orders.csv",)) == set()
    with Store(erased).transaction() as known, Store(fresh).transaction() as ledger:
        for name in ("keys", "erasures"):
            kept = [tuple(row) for row in known.execute(f"SELECT * FROM {name}").fetchall()]
            ledger.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(kept[0]))})", kept)
    shutil.copy(erased / ".attrition-erased.key", fresh)
    ingest(Store(fresh), WANTED, today=LANDED_ON)
    assert state(erased) == state(fresh)
    again = ingest(Store(erased), WANTED, today=LANDED_ON)
    assert [result.status for result in again] == ["unchanged", "unchanged"]
    assert sum(result.rejected for result in again) > 0


def test_what_is_known_of_an_erased_row_is_its_number(tmp_path: Path) -> None:
    root = shop(tmp_path / "shop", lines("C-1", PLAIN))
    ingest(Store(root), WANTED, today=LANDED_ON)
    erase(job(root), [PLAIN])
    (_, file) = Store(root).files("rejected")
    rows = pq.read_table(root / file.path).to_pylist()
    assert {row["source_row"]: row["raw_row"] for row in rows if row["reason"] == "erased"} == dict.fromkeys(
        [2, 5, 6, 8]
    )
    assert [row["source_row"] for row in rows if row["reason"] != "erased"] == [3, 4, 7]


def test_later_files_keep_the_person_out_and_do_not_count_towards_the_share(tmp_path: Path) -> None:
    root = shop(tmp_path / "shop", lines("C-1"))
    strict = settings(
        source("orders*.csv", max_rejected_share=0.0), source("late.csv", columns=UNNAMED, max_rejected_share=0.0)
    )
    document = erase(job(root), [PLAIN])
    assert not document["receipts"][0]["found"]
    (root / "orders.csv").write_text(HEADER + "A-1,C-1,2024-01-02,1\n")
    (root / "late.csv").write_text(HEADER + f"A-1,{PLAIN},2024-01-02,1\n" * 9 + "A-1,C-9,2024-01-02,1\n")
    results = ingest(Store(root), strict, today=LANDED_ON)
    assert [(result.landed, result.rejected) for result in results] == [(1, 0), (1, 0), (1, 9)]
    assert hits(root, beside=("late.csv",)) == set()


def test_a_list_of_refused_keptdoes_not_name_the_person(tmp_path: Path) -> None:
    root = shop(tmp_path / "shop", lines("C-1"))
    erase(job(root), [PLAIN])
    strict = settings(source("orders.csv", max_rejected_share=0.0))
    (root / "orders.csv").write_text(HEADER + f"A-1,{PLAIN},soon,1\nA-1,C-9,soon,1\n")
    with pytest.raises(DataError, match=r"1 of 2 rows"):
        ingest(Store(root), strict, today=LANDED_ON)
    assert [name for name in files_of(root) if name.endswith(".refused.csv")]
    assert hits(root, beside=("orders.csv",)) == set()


def test_erasing_twice_gives_the_same_receipt_and_changes_nothing(tmp_path: Path) -> None:
    root = shop(tmp_path / "shop", lines("C-1", PLAIN))
    ingest(Store(root), WANTED, today=LANDED_ON)
    first = erase(job(root), [PLAIN, "nobody"])
    before = state(root)
    later = RunContext(job(root).workspace, Console(quiet=True), datetime(2031, 1, 1, tzinfo=UTC))
    assert erase(later, ["nobody", f" {PLAIN} "]) == {"receipts": first["receipts"][::-1]}
    assert state(root) == before
    assert [receipt["found"] for receipt in first["receipts"]] == [True, False]


def test_the_receipt_tells_what_was_removed_and_what_is_for_the_company_to_change(tmp_path: Path) -> None:
    # The files share an order, so that what counts of the later one is a file of its own.
    more = f"A-0,C-1,2024-01-01,0\nB-2,{PLAIN},2024-01-06,2\n"
    root = shop(tmp_path / "shop", lines("C-1", PLAIN), more=more)
    ingest(Store(root), WANTED, today=LANDED_ON)
    (receipt,) = erase(job(root), [PLAIN])["receipts"]
    assert receipt == {
        "customer": receipt["customer"],
        "erased_at": "2030-01-01T00:00:00+00:00",
        "found": True,
        "removed": {
            "counted": {"files": 1, "rows": 1},
            "landed": {"files": 2, "rows": 2},
            "rejected": {"files": 1, "rows": 3},
        },
        "models": [],
        "still_held_by": [{"path": "orders-2.csv", "rows": 1}, {"path": "orders.csv", "rows": 4}],
        "sent_to": [],
    }
    assert len(receipt["customer"]) == 64
    (place,) = (root / "receipts").iterdir()
    assert json.loads(place.read_text()) == receipt


def test_of_an_export_that_landed_only_the_customers_own_rows_are_counted(tmp_path: Path) -> None:
    root = shop(tmp_path / "shop", lines("C-1"), more="B-2,2,2024-01-06,7\n")  # every row has the amount 2
    ingest(Store(root), WANTED, today=LANDED_ON)
    (root / "notes.txt").write_text("call 2\n", encoding="utf-8")
    (receipt,) = erase(job(root), ["2"])["receipts"]
    assert receipt["still_held_by"] == [{"path": "notes.txt", "rows": 1}, {"path": "orders-2.csv", "rows": 1}]


def test_an_empty_id_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="an empty id names nobody"):
        erase(job(shop(tmp_path / "shop", "")), [" "])


def test_a_key_that_is_lost_or_another_is_noticed_before_the_person_comes_back(tmp_path: Path) -> None:
    root = shop(tmp_path / "shop", lines("C-1"))
    erase(job(root), [PLAIN])
    secret = root / ".attrition-erased.key"
    assert secret.stat().st_mode & 0o777 == 0o600
    content = secret.read_text()
    secret.write_text("00" * 32)
    with pytest.raises(IntegrityError, match="the key of erased is not the one"):
        ingest(Store(root), WANTED, today=LANDED_ON)
    secret.unlink()
    with pytest.raises(IntegrityError, match=r"\.attrition-erased\.key is missing"):
        ingest(Store(root), WANTED, today=LANDED_ON)
    secret.write_text(content)
    ingest(Store(root), WANTED, today=LANDED_ON)


class DiedError(BaseException):
    """A process that ends here."""


def test_the_entry_of_a_file_whose_removal_was_broken_off_goes_with_the_next_erasure(tmp_path: Path) -> None:
    root = shop(tmp_path / "shop", lines("C-1", PLAIN, "C-2"))
    store = Store(root)
    ingest(store, WANTED, today=LANDED_ON)
    name = "snapshots/2024-01-01-0.parquet"
    store.put(name, Path.touch, kind="snapshot", day="2024-01-01")
    store.place(name).unlink()
    erase(job(root), [PLAIN])
    assert store.files("snapshot") == []


@pytest.mark.parametrize("last", range(1, 10))
def test_broken_off_anywhere_the_same_command_finishes_and_nothing_runs_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: int
) -> None:
    rows = lines("C-1", PLAIN, "C-2")
    broken, whole = shop(tmp_path / "broken", rows), shop(tmp_path / "whole", rows)
    for root in (broken, whole):
        ingest(Store(root), WANTED, today=LANDED_ON)
    erase(job(whole), [PLAIN])
    steps = iter(range(1, 100))

    def dies(name: str, original: Any) -> Any:
        def step(*arguments: Any, **named: Any) -> Any:
            if next(steps) == last:
                raise DiedError
            return original(*arguments, **named)

        return step

    with monkeypatch.context() as patched:
        patched.setattr(rewriting, "settle", dies("settle", rewriting.settle))  # between a file and its entry
        patched.setattr(Path, "replace", dies("replace", Path.replace))
        patched.setattr(erasing, "scrub", dies("scrub", rewriting.scrub))
        patched.setattr(erasing, "_finish", dies("finish", erasing._finish))
        with pytest.raises(DiedError):
            erase(job(broken), [PLAIN])
    rewriting.settle(Store(broken))  # as whoever takes the workspace does
    if last > 2:  # otherwise it died while its key, or the list, was made, and nothing was erased
        with pytest.raises(DataError, match="an erasure was broken off"):
            ingest(Store(broken), WANTED, today=LANDED_ON)
    erase(job(broken), [PLAIN])
    assert hits(broken, beside=("orders.csv",)) == set()
    assert state(broken)[0] == state(whole)[0]
    ingest(Store(broken), WANTED, today=LANDED_ON)


# A whole company


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated company that ran, with the canaries in each of its eighteen tables."""
    folder: Path = tmp_path_factory.mktemp("erase") / "company"
    simulate(folder, customers=600, months=20, seed=6)
    found = load(folder / FILE_NAME)
    assert {each.table for each in found.sources} == set(TABLES)
    changed = {
        "lookback_days": (30,),
        "outcome": found.outcome.model_copy(update={"also": ()}),
        "sources": tuple(each.model_copy(update={"max_rejected_share": 1.0}) for each in found.sources),
        "snapshots": found.snapshots.model_copy(update={"min_history_days": 450, "at_most": 2}),
        "training": found.training.model_copy(update={"min_positives": 2, "min_customers": 50}),
        "backtest": found.backtest.model_copy(update={"folds": 1, "bootstrap_samples": 5}),
    }
    (folder / FILE_NAME).write_text(render(found.model_copy(update=changed)), encoding="utf-8")
    shutil.rmtree(folder / "truth")
    plant(folder)
    stages.everything(job(folder))
    return folder


def plant(folder: Path) -> None:
    """Each canary does what one simulated customer did, and is named in a broken row of every table."""
    frames = {name: pd.read_parquet(folder / f"{name}.parquet") for name in TABLES}
    running = frames["subscriptions"].groupby("customer_id")["ended_at"].apply(lambda ends: bool(ends.isna().all()))
    noted = (
        frames["subscriptions"].groupby("customer_id")["cancel_requested_at"].apply(lambda at: bool(at.isna().all()))
    )
    often = frames["support_contacts"]["customer_id"].value_counts()
    first = frames["subscriptions"].groupby("customer_id")["started_at"].min().sort_values()
    model = next(name for name in first.index if running[name] and noted[name] and name in often)
    for name, frame in frames.items():
        parts = [frame.assign(seen_by="nobody")]
        for number, who in enumerate(IDS):
            mine = frame[frame["customer_id"] == model] if "customer_id" in frame else frame.head(0)
            mine = mine.assign(customer_id=who) if "customer_id" in frame else mine.copy()
            broken = frame.head(1).assign(seen_by=who)
            broken[TABLES[name].happened_at] = broken[TABLES[name].happened_at].shift()
            for key in {str(column) for column in frame if str(column).endswith("_id")} - {"customer_id", "product_id"}:
                mine[key] = [f"{value}-of-{number}" for value in mine[key]]
            parts += [mine.assign(seen_by=who), broken]
        pd.concat(parts, ignore_index=True).to_parquet(folder / f"{name}.parquet")


SOURCES = tuple(f"{name}.parquet" for name in TABLES)


def scores(folder: Path) -> pd.DataFrame:
    found = ScoreStore(Store(folder)).current()
    assert found is not None
    return found[1].set_index("customer_id")


@pytest.fixture(scope="module")
def erased(company: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    before = hits(company, beside=SOURCES)
    current = scores(company)
    delivered = {place.name: place.read_bytes() for place in company.glob("delivery/*.csv")}
    assert set(IDS) <= set(current.index)
    document = erase(job(company), IDS)
    return {"before": before, "scores": current, "delivery": delivered, **document}


def test_the_canaries_had_been_everywhere(erased: dict[str, Any]) -> None:
    kinds = {name.split("/")[0] for name in erased["before"]}
    assert kinds >= {"landed", "rejected", "snapshots", "outcomes", "results", "scores", "delivery", "attrition.sqlite"}
    tables = {name.split("/")[1] for name in erased["before"] if name.startswith(("landed", "rejected"))}
    assert tables == set(TABLES)


def test_after_erase_no_file_holds_them_but_the_companys_exports(company: Path, erased: dict[str, Any]) -> None:
    assert hits(company, beside=SOURCES) == set()
    reader = sqlite3.connect(company / "attrition.sqlite")
    assert reader.execute("PRAGMA quick_check").fetchone() == ("ok",)
    reader.close()


def test_each_receipt_names_the_models_and_the_exports(company: Path, erased: dict[str, Any]) -> None:
    versions = {task.versions.champion().version for task in tasks_of(job(company).workspace)}
    for who, receipt in zip(IDS, erased["receipts"], strict=True):
        assert {model["version"] for model in receipt["models"] if model["certain"]} == versions
        assert all(model["champion"] and model["snapshots"] for model in receipt["models"])
        assert {held["path"] for held in receipt["still_held_by"]} == set(SOURCES)
        rows = pd.read_parquet(company / "orders.parquet")
        held = next(each["rows"] for each in receipt["still_held_by"] if each["path"] == "orders.parquet")
        assert held == (rows["seen_by"] == who).sum()
        assert receipt["removed"]["current_scores"] == {"files": 1, "rows": 1}


def test_what_all_others_have_is_unchanged_value_for_value(company: Path, erased: dict[str, Any]) -> None:
    pd.testing.assert_frame_equal(scores(company), erased["scores"].drop(index=list(IDS)))
    for name, content in erased["delivery"].items():
        after = (company / "delivery" / name).read_bytes()
        gone = set(csv_lines(content)) - set(csv_lines(after))
        assert {csv_file.defused(who) for who in IDS} >= {row[0] for row in gone}
        assert [line for line in csv_lines(content) if line not in gone] == csv_lines(after)


def csv_lines(content: bytes) -> list[tuple[str, ...]]:
    return [tuple(row) for row in csv.reader(content.decode("utf-8-sig").splitlines())]


def test_a_run_afterwards_works_and_its_models_never_saw_them(company: Path, erased: dict[str, Any]) -> None:
    document = stages.everything(job(company))
    learned = {model["version"] for receipt in erased["receipts"] for model in receipt["models"]}
    assert document["train"]["version"] not in learned
    assert hits(company, beside=SOURCES) == set()
    assert not set(IDS) & set(scores(company).index)
    workspace = job(company).workspace
    restored = ScoreStore(workspace.store).restore(next(iter(scores(company)["model_version"])))
    assert restored is not None
