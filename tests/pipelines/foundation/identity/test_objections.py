from __future__ import annotations

import csv
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa
import pytest

from features.errors import DataError, SettingsError
from pipelines import run as stages
from pipelines.data.privacy.enforce import taken_to_write
from pipelines.data.privacy.hand_over import hand_over
from pipelines.data.snapshots.workspace_snapshots import snapshots_of
from pipelines.foundation.identity.objections import Refusals, read
from pipelines.foundation.ledger.score_store import ScoreStore
from pipelines.foundation.settings.privacy import Privacy
from pipelines.foundation.settings.settings import FILE_NAME, load
from pipelines.foundation.settings.template import render
from pipelines.foundation.storage.store import Store
from pipelines.foundation.workspace.console import Console
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.foundation.workspace.workspace import open_workspace
from pipelines.prediction.scoring.explain import explain
from pipelines.prediction.training.promotion import rollback

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LISTS = Privacy(objections="objections.csv", consent="consent.csv")


def objected(root: Path, text: str) -> set[str]:
    (root / "objections.csv").write_text(text, encoding="utf-8")
    return set(read(root, Privacy(objections="objections.csv")).objected)


def test_where_no_list_is_named_everybody_may_be_processed(tmp_path: Path) -> None:
    found = read(tmp_path, Privacy())
    assert not found
    assert found.allows(["C-1"]).tolist() == [True]


def test_each_line_is_a_customer_however_the_id_is_written(tmp_path: Path) -> None:
    text = '\ufeffcustomer_id,objected_on\r\n007,2024-01-02\r\n"a ""b"", c",\r\n\r\n=1+1,\r\n \xa0É-1\u200b ,\r\n'
    assert objected(tmp_path, text) == {"007", 'a "b", c', "=1+1", "É-1"}


def test_semicolons_do_as_well(tmp_path: Path) -> None:
    assert objected(tmp_path, "objected_on;customer_id\n2024-01-02;A,1\n") == {"A,1"}


def test_a_heading_alone_says_that_nobody_objected(tmp_path: Path) -> None:
    assert objected(tmp_path, "customer_id\n") == set()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "which cannot be read (No such file or directory); put the list there"),
        ("", "does not begin with the heading customer_id"),
        ("id\nA\n", "does not begin with the heading customer_id"),
        ("customer_id,customer_id\nA,A\n", "does not begin with the heading customer_id"),
        ("customer_id,note\nA-SECRET\n", "line 2: a value is missing or too many"),
        ("customer_id,note\n,x\n", "line 2: a value is missing or too many"),
        ('customer_id\n"A-SECRET\n', "its quotes do not close"),
        (b"customer_id\nA-SECRET\xe9\n", "is not UTF-8 text (byte 20)"),
    ],
)
def test_a_list_that_cannot_be_read_is_not_one_in_which_nobody_stands(
    tmp_path: Path, text: str | bytes | None, words: str
) -> None:
    if text is not None:
        (tmp_path / "objections.csv").write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(DataError) as refused:
        read(tmp_path, Privacy(objections="objections.csv"))
    assert words in str(refused.value)
    assert "SECRET" not in str(refused.value)


def test_only_who_agreed_and_did_not_object_may_be_processed(tmp_path: Path) -> None:
    (tmp_path / "objections.csv").write_text("customer_id\nB\n")
    (tmp_path / "consent.csv").write_text("customer_id;given\nA;yes\nB;OUI\nC;no\nA;true\n")
    assert read(tmp_path, LISTS).allows(["A", "B", "C", "D"]).tolist() == [True, False, False, False]


@pytest.mark.parametrize(
    ("rows", "words"),
    [("A,perhaps\n", "line 2: given is none of true"), ("A,yes\nA,no\n", "lines 2 and 3 say yes and no")],
)
def test_consent_that_says_neither_or_both_is_refused(tmp_path: Path, rows: str, words: str) -> None:
    (tmp_path / "consent.csv").write_text("customer_id,given\n" + rows)
    with pytest.raises(DataError, match=words):
        read(tmp_path, Privacy(consent="consent.csv"))


@pytest.mark.parametrize("path", ["/etc/passwd", "../objections.csv", "a/../../b.csv", ""])
def test_a_list_outside_of_the_workspace_cannot_be_named(path: str) -> None:
    with pytest.raises(ValueError, match="leaves the workspace"):
        Privacy(objections=path)


def test_a_link_that_leads_out_of_the_workspace_is_refused(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "objections.csv").write_text("customer_id\n")
    (tmp_path / "shop/objections.csv").symlink_to(tmp_path / "objections.csv")
    with pytest.raises(SettingsError, match="is a link that leads out of"):
        read(tmp_path / "shop", LISTS)


@pytest.mark.parametrize(
    "refusals", [Refusals(frozenset({"A", "x'y"})), Refusals(frozenset({"A"}), frozenset({"A", "B"}))]
)
def test_tables_lose_the_rows_of_those_who_may_not_be_processed_and_nothing_else(refusals: Refusals) -> None:
    engine = ibis.duckdb.connect()
    tables = {
        "orders": ibis.memtable(pa.table({"customer_id": ["A", "B", "x'y"], "amount": [1, 2, 3]})),
        "incidents": ibis.memtable(pa.table({"incident_id": ["A"]})),
    }
    found = refusals.applied(tables, engine)
    assert engine.to_pyarrow(found["orders"]).to_pylist() == [{"customer_id": "B", "amount": 2}]
    assert engine.to_pyarrow(found["incidents"]).to_pylist() == [{"incident_id": "A"}]


# A whole workspace


@pytest.fixture(scope="module")
def shop(finished_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that has scored everybody, of whom the one most at risk then objects."""
    folder = Path(shutil.copytree(finished_workspace, tmp_path_factory.mktemp("objections") / "shop"))
    settings = load(folder / FILE_NAME)
    plan = settings.privacy.model_copy(update={"objections": "objections.csv"})
    (folder / FILE_NAME).write_text(render(settings.model_copy(update={"privacy": plan})), encoding="utf-8")
    return folder


def job(folder: Path) -> RunContext:
    return RunContext(open_workspace(folder, now=NOW), Console(quiet=True), NOW)


def scored(folder: Path) -> dict[str, Any]:
    found = ScoreStore(Store(folder)).current()
    assert found is not None
    rows: dict[Any, Any] = found[1].drop(columns="run_id").set_index("customer_id").to_dict("index")
    return rows


def delivered(folder: Path) -> set[str]:
    rows = [
        row["customer_id"]
        for place in folder.glob("delivery/*.csv")
        for row in csv.DictReader(place.read_text(encoding="utf-8-sig").splitlines())
    ]
    return set(rows)


@pytest.fixture(scope="module")
def who(shop: Path) -> str:
    assert scored(shop)
    return str(pd.DataFrame(scored(shop)).T["churn_probability"].astype(float).idxmax())


def test_a_list_that_is_named_and_missing_stops_the_run(shop: Path) -> None:
    with pytest.raises(DataError, match=r"privacy\.objections names objections\.csv, which cannot be read"):
        stages.score_(job(shop))


@pytest.fixture(scope="module")
def objection(shop: Path, who: str) -> dict[str, Any]:
    """Delivered once more after the objection, without anything being scored again; what was scored before."""
    before = scored(shop)
    assert who in delivered(shop)
    (shop / "objections.csv").write_text(f"customer_id\n{who}\n", encoding="utf-8")
    started = job(shop)
    with taken_to_write(started.workspace):
        stages.deliver(started)
    return before


def test_delivery_takes_an_objector_out_of_what_was_scored_before(
    shop: Path, who: str, objection: dict[str, Any]
) -> None:
    after = scored(shop)
    assert who not in after
    assert after == {customer: row for customer, row in objection.items() if customer != who}
    assert who not in delivered(shop)
    assert len(delivered(shop)) == len(after)
    assert not (shop / "report.html").exists()
    assert who.encode() not in (shop / "attrition.sqlite").read_bytes()


def test_an_objector_is_in_no_table_snapshot_outcome_or_score(shop: Path, who: str, objection: dict[str, Any]) -> None:
    workspace = job(shop).workspace
    orders = workspace.tables["orders"]
    assert workspace.engine.to_pyarrow(orders.filter(orders.customer_id == who).count()).as_py() == 0
    day = workspace.calendar.training_days(workspace.as_of)[-1]
    outcomes = snapshots_of(workspace).at(day).outcomes()
    assert outcomes is not None
    for frame in (
        snapshots_of(workspace).at(day).frame(),
        outcomes,
        snapshots_of(workspace).at(workspace.as_of).frame(),
    ):
        assert len(frame) > 50
        assert who not in set(frame["customer_id"])
    document = stages.score_(job(shop))
    assert document["scored"] == len(objection) - 1
    assert who not in delivered(shop)
    stages.report(job(shop))
    assert who not in (shop / "report.html").read_text(encoding="utf-8")


def test_an_objector_is_not_explained(shop: Path, who: str, objection: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=rf"customer '{who}' has objected to being scored \(objections\.csv\)"):
        explain(job(shop), who)


def test_a_list_that_changes_while_a_run_computes_holds_for_what_it_hands_over(
    shop: Path, objection: dict[str, Any], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(shop, tmp_path / "shop"))
    started = job(folder)
    late = min(snapshots_of(started.workspace).at(started.workspace.as_of).frame()["customer_id"])
    with taken_to_write(started.workspace):
        (folder / "objections.csv").write_text(f"customer_id\n{late}\n", encoding="utf-8")
        stages.scores(started)
    assert scored(folder)
    assert late not in scored(folder)
    hand_over(
        started.workspace.store,
        started.workspace.permissions,
        "delivery/test.csv",
        pd.DataFrame({"customer_id": [late, "C-0000"]}),
    )
    assert (folder / "delivery/test.csv").read_text(encoding="utf-8-sig") == '"customer_id"\n"C-0000"\n'
    stages.deliver(started)
    assert len(delivered(folder)) > 100
    assert late not in delivered(folder)


def test_what_was_computed_under_another_list_is_not_used(
    shop: Path, objection: dict[str, Any], tmp_path: Path
) -> None:
    folder, paths = Path(shutil.copytree(shop, tmp_path / "shop")), set[str]()
    for text in ("", "C-0001\n", "C-0002\n", "C-0001\nC-0002\n"):
        (folder / "objections.csv").write_text(f"customer_id\n{text}", encoding="utf-8")
        workspace = job(folder).workspace
        paths.add(snapshots_of(workspace).at(workspace.as_of).file.path)
    assert len(paths) == 4


def test_an_objection_that_is_withdrawn_is_scored_again_with_everybody_else_as_before(
    shop: Path, who: str, objection: dict[str, Any], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(shop, tmp_path / "shop"))
    (folder / "objections.csv").write_text("customer_id\n")
    stages.score_(job(folder))
    probabilities = {customer: row["churn_probability"] for customer, row in scored(folder).items()}
    assert probabilities == {customer: row["churn_probability"] for customer, row in objection.items()}
    assert who in delivered(folder)


def test_a_rollback_does_not_bring_an_objector_back(
    shop: Path, who: str, objection: dict[str, Any], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(shop, tmp_path / "shop"))
    (folder / "objections.csv").write_text("customer_id\n")
    started = job(folder)
    with taken_to_write(started.workspace):  # the objection was withdrawn
        stages.score_(started)
    started = job(folder)
    versions = started.workspace.versions
    with started.workspace.store.transaction() as ledger:  # another version, which then was champion
        ledger.execute(
            "INSERT INTO versions (outcome, version, made_from, trained_at, promoted, verdict, record, published) "
            "SELECT outcome, 'bbb', 'bbb', trained_at, promoted, verdict, record, 1 FROM versions LIMIT 1"
        )
        ledger.execute("UPDATE versions SET published = 1")
    versions.promote("bbb", now=NOW, why="a test")
    with started.workspace.store.transaction() as ledger:
        ledger.execute("UPDATE versions SET published = 1")
    assert who in scored(folder)
    (folder / "objections.csv").write_text(f"customer_id\n{who}\n", encoding="utf-8")
    again = job(folder)
    with taken_to_write(again.workspace):
        found = rollback(again, None)
    assert found["scores_of"] is not None
    assert scored(folder)
    assert who not in scored(folder)
