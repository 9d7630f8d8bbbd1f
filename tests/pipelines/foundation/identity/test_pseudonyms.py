from __future__ import annotations

import csv
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from features.errors import DataError, IntegrityError, SettingsError
from pipelines import run as stages
from pipelines.data.landing.ingest import ingest
from pipelines.data.privacy.erase import erase
from pipelines.foundation.identity.pseudonyms import FILE, VARIABLE, Identities, Pseudonyms
from pipelines.foundation.ledger.score_store import ScoreStore
from pipelines.foundation.settings.privacy import Privacy
from pipelines.foundation.settings.settings import FILE_NAME, Settings
from pipelines.foundation.settings.template import render
from pipelines.foundation.storage.store import Store
from pipelines.foundation.workspace.console import Console
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.foundation.workspace.workspace import open_workspace
from pipelines.prediction.scoring.explain import explain
from tests.pipelines import shop_case
from tests.pipelines.data.landing.landing_case import HEADER, LANDED_ON, newest, source, table

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WANTED = Settings(
    currency="EUR",
    sources=(
        source(),
        source("customers.csv", table="customers", columns={"customer_id": "id", "signed_up_at": "since"}),
    ),
    privacy=Privacy(pseudonymise=True),
)
ROWS = (
    HEADER
    + "A-1,CANARY-1,2024-01-02,1\nA-2,É'\"2,2024-01-02,1\nA-3,CANARY-3,soon CANARY-3,1\nA-1,CANARY-1,2024-01-02,1\n"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "orders.csv").write_text(ROWS, encoding="utf-8")
    (tmp_path / "customers.csv").write_text("id,since\nCANARY-1,2023-01-01\n")
    (tmp_path / FILE_NAME).write_text(render(WANTED), encoding="utf-8")
    return tmp_path


def found_in(root: Path, text: str) -> set[str]:
    """Files that hold a text, Parquet decoded."""
    return {
        place.name
        for place in root.rglob("*")
        if place.is_file()
        and (
            text.encode() in place.read_bytes()
            or (place.suffix == ".parquet" and text in json.dumps(pq.read_table(place).to_pylist(), default=str))
        )
    }


def test_a_customer_has_one_name_in_every_table_and_no_id_is_kept_but_among_the_identities(root: Path) -> None:
    store = Store(root)
    ingest(store, WANTED, today=LANDED_ON)
    (customer,) = table(store, "customers")
    names = {row["order_id"]: row["customer_id"] for row in table(store)}
    assert names["A-1"] == customer["customer_id"] != names["A-2"]
    assert all(len(name) == 32 for name in names.values())
    assert found_in(root, "CANARY") == {"orders.csv", "customers.csv", FILE}
    assert (root / FILE).stat().st_mode & 0o777 == 0o600
    assert (root / ".attrition-pseudonyms.key").stat().st_mode & 0o777 == 0o600
    assert Identities(root).own(names[order] for order in ("A-2", "A-1")) == ["É'\"2", "CANARY-1"]


def test_of_a_rejected_row_its_number_and_what_is_wrong_are_kept(root: Path) -> None:
    store = Store(root)
    ingest(store, WANTED, today=LANDED_ON)
    rows = pq.read_table(store.verified(store.files("rejected")[0])).to_pylist()
    assert [(row["source_row"], row["reason"], row["raw_row"]) for row in rows] == [
        (3, "ordered_at is not a date written as %Y-%m-%d", None),
        (4, "repeats an earlier row", None),
    ]


def test_the_key_of_the_environment_gives_the_same_names_in_another_workspace(
    root: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "a secret of the company")
    other = tmp_path_factory.mktemp("other")
    for name in ("orders.csv", "customers.csv"):
        shutil.copy(root / name, other)
    for folder in (root, other):
        ingest(Store(folder), WANTED, today=LANDED_ON)
    assert newest(Store(root), "landed") == newest(Store(other), "landed")
    assert not (root / ".attrition-pseudonyms.key").exists()
    assert found_in(root, "a secret of the company") == set()
    monkeypatch.setenv(VARIABLE, "another secret of theirs")
    with pytest.raises(IntegrityError, match="the key of pseudonyms is not the one"):
        ingest(Store(root), WANTED, today=LANDED_ON)
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(IntegrityError, match=r"\.attrition-pseudonyms\.key is missing"):
        ingest(Store(root), WANTED, today=LANDED_ON)


def test_a_key_that_could_be_guessed_is_refused_and_not_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "hunter2")
    with pytest.raises(SettingsError, match="is shorter than 16 characters") as refused:
        ingest(Store(root), WANTED, today=LANDED_ON)
    assert "hunter2" not in str(refused.value)


def test_the_key_and_the_identities_are_not_the_names_of_each_other() -> None:
    assert Pseudonyms(b"one").of("C-17") != Pseudonyms(b"two").of("C-17")


@pytest.mark.parametrize("first", [True, False])
def test_ids_and_pseudonyms_are_never_mixed(root: Path, first: bool) -> None:
    def settings(pseudonymise: bool) -> Settings:
        return WANTED.model_copy(update={"privacy": Privacy(pseudonymise=pseudonymise)})

    ingest(Store(root), settings(first), today=LANDED_ON)
    with pytest.raises(DataError, match="the two are never mixed, so make a new workspace"):
        ingest(Store(root), settings(not first), today=LANDED_ON)
    (root / FILE_NAME).write_text(render(settings(not first)), encoding="utf-8")
    with pytest.raises(DataError, match="the two are never mixed"):
        _ = open_workspace(root, now=NOW).tables
    ingest(Store(root), settings(first), today=LANDED_ON)


def test_a_person_is_erased_by_their_own_id(root: Path) -> None:
    ingest(Store(root), WANTED, today=LANDED_ON)
    name = open_workspace(root, now=NOW).permissions.name_of("CANARY-1")
    document = erase(RunContext(open_workspace(root, now=NOW), Console(quiet=True), NOW), ["CANARY-1"])
    assert document["receipts"][0]["removed"] == {
        "landed": {"files": 2, "rows": 2},
        "identities": {"files": 1, "rows": 1},
    }
    assert found_in(root, name) == set()
    assert found_in(root, "CANARY-1") == {"orders.csv", "customers.csv"}
    assert [each.status for each in ingest(Store(root), WANTED, today=LANDED_ON)] == ["unchanged"] * 2


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated shop that ran under pseudonyms, without the parts that no name passes through."""
    plan = Privacy(pseudonymise=True, objections="objections.csv")
    small = shop_case.SETTINGS.model_copy(
        update={
            "privacy": plan,
            "lookback_days": (30,),
            "snapshots": shop_case.SETTINGS.snapshots.model_copy(update={"at_most": 2}),
            "backtest": shop_case.SETTINGS.backtest.model_copy(update={"folds": 1, "bootstrap_samples": 5}),
        }
    )
    folder = shop_case.make_shop(tmp_path_factory.mktemp("pseudonyms") / "shop", settings=small)
    (folder / "objections.csv").write_text("customer_id\nC-0001\n")
    job = RunContext(open_workspace(folder, now=NOW), Console(quiet=True), NOW)
    stages.ingest(job)
    stages.train_(job)
    stages.score_(job)
    return folder


def test_what_is_handed_over_has_the_companys_own_ids_and_nothing_else_has(shop: Path) -> None:
    found = ScoreStore(Store(shop)).current()
    assert found is not None
    names, workspace = set(found[1]["customer_id"]), open_workspace(shop, now=NOW)
    (place,) = shop.glob("delivery/*.csv")
    rows = list(csv.DictReader(place.read_text(encoding="utf-8-sig").splitlines()))
    own = {row["customer_id"].removeprefix("'") for row in rows}
    assert {workspace.permissions.name_of(customer) for customer in own} == names
    assert shop_case.FORMULA in own
    some = next(customer for customer in sorted(own) if customer.startswith("C-"))
    assert found_in(shop, some) == {place.name, "commandes-1.csv", FILE}


def test_objections_and_explanations_take_the_companys_own_ids(shop: Path) -> None:
    job = RunContext(open_workspace(shop, now=NOW), Console(quiet=True), NOW)
    scored = ScoreStore(job.workspace.store).current()
    assert scored is not None
    assert job.workspace.permissions.name_of("C-0001") not in set(scored[1]["customer_id"])
    with pytest.raises(DataError, match="customer 'C-0001' has objected"):
        explain(job, "C-0001")
    document = explain(job, shop_case.FORMULA)
    assert document["customer_id"] == shop_case.FORMULA
    probability = scored[1].set_index("customer_id")["churn_probability"][
        job.workspace.permissions.name_of(shop_case.FORMULA)
    ]
    assert document["churn_probability"] == probability
