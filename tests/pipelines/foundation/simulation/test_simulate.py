"""The simulated company keeps its contracts, is the same every time, and keeps its truth apart."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from features.errors import SettingsError
from features.tables import TABLES
from pipelines.data.landing.ingest import ingest
from pipelines.foundation.settings import settings
from pipelines.foundation.simulation.people import FAMILIES
from pipelines.foundation.simulation.simulate import SHOP_FILE, simulate
from pipelines.foundation.workspace.workspace import open_workspace

CUSTOMERS, MONTHS = 400, 14


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated") / "company"
    simulate(folder, customers=CUSTOMERS, months=MONTHS, seed=5)
    return folder


def test_every_table_of_the_contracts_lands_whole(company: Path) -> None:
    workspace = open_workspace(company, now=datetime(2030, 1, 1, tzinfo=UTC))
    results = ingest(workspace.store, workspace.settings, today=workspace.today)
    assert {result.table for result in results} == set(TABLES)
    assert all(result.landed == result.rows_in > 0 for result in results)


def test_the_same_arguments_give_the_same_bytes_and_another_seed_gives_others(company: Path, tmp_path: Path) -> None:
    again, other = tmp_path / "again", tmp_path / "other"
    simulate(again, customers=CUSTOMERS, months=MONTHS, seed=5)
    simulate(other, customers=CUSTOMERS, months=MONTHS, seed=6)
    files = sorted(path.relative_to(company) for path in company.rglob("*.parquet") if ".parquet" in path.name)
    own = [path for path in files if path.parts[0] in ("truth", path.name)]
    assert all((company / path).read_bytes() == (again / path).read_bytes() for path in own)
    assert (company / "orders.parquet").read_bytes() != (other / "orders.parquet").read_bytes()


def test_the_truth_is_kept_apart_and_no_source_reads_it(company: Path) -> None:
    assert sorted(path.name for path in (company / "truth").iterdir()) == [
        "effects.json",
        "hazard.parquet",
        "treatments.parquet",
    ]
    for name in (settings.FILE_NAME, SHOP_FILE):
        assert not [source for source in settings.load(company / name).sources if "truth" in str(source)]
    assert "SIMULATED" in (company / "README.txt").read_text()


def test_the_true_hazard_ranks_who_leaves(company: Path) -> None:
    hazard = pd.read_parquet(company / "truth" / "hazard.parquet")
    day = sorted(hazard["day"].unique())[40]
    mine = hazard[(hazard["day"] == day) & (hazard["cohort"] == "contract")].set_index("customer_id")["hazard"]
    ended = pd.read_parquet(company / "subscriptions.parquet").groupby("customer_id")["ended_at"].first()
    left = ended.reindex(mine.index) < pd.Timestamp(day) + pd.Timedelta(days=60)
    assert 0.05 < left.mean() < 0.5
    assert roc_auc_score(left, mine) > 0.65


def test_some_rows_become_known_late_and_none_after_the_end(company: Path) -> None:
    messages = pd.read_parquet(company / "messages.parquet")
    late = messages["known_at"] > messages["sent_at"]
    assert 0.01 < late.mean() < 0.06
    end = settings.load(company / settings.FILE_NAME).as_of
    assert end is not None
    assert messages["known_at"].max() < pd.Timestamp(end)


def test_treated_and_held_out_customers_are_others(company: Path) -> None:
    drawn = pd.read_parquet(company / "truth" / "treatments.parquet")
    by_week = drawn.groupby(["customer_id", "week"])["group"].nunique()
    assert set(drawn["group"]) == {"treated", "holdout"}
    assert by_week.max() == 1
    assert len(pd.read_parquet(company / "treatments.parquet")) == (drawn["group"] == "treated").sum()


def test_some_give_notice_weeks_ahead_and_are_no_longer_at_risk(company: Path) -> None:
    every = pd.read_parquet(company / "subscriptions.parquet").drop_duplicates("customer_id").set_index("customer_id")
    notice = every["ended_at"] - every["cancel_requested_at"]
    ahead = every[notice >= pd.Timedelta(days=7)]
    assert 0.2 < len(ahead) / notice.notna().sum() < 0.5
    assert notice.max() <= pd.Timedelta(days=21)
    hazard = pd.read_parquet(company / "truth" / "hazard.parquet")
    bound = hazard[hazard["cohort"] == "contract"].groupby("customer_id")["day"].max()
    assert (pd.to_datetime(bound.reindex(ahead.index).dropna()) <= ahead["cancel_requested_at"].dropna()).all()


def test_a_family_without_effect_leaves_its_own_events_as_they_are(company: Path, tmp_path: Path) -> None:
    folder = tmp_path / "without"
    simulate(folder, customers=CUSTOMERS, months=MONTHS, seed=5, effects={"support": 0.0})
    assert json.loads((folder / "truth" / "effects.json").read_text()) == dict.fromkeys(FAMILIES, 1.0) | {
        "support": 0.0
    }
    mine, other = (pd.read_parquet(place / "truth" / "hazard.parquet")["hazard"].mean() for place in (company, folder))
    assert other < mine  # trouble with support no longer drives anybody away
    assert len(pd.read_parquet(folder / "support_contacts.parquet")) > 100


def test_a_messy_export_lands_but_for_its_broken_rows(tmp_path: Path) -> None:
    folder = tmp_path / "messy"
    simulate(folder, customers=200, months=8, seed=5, messy=True)
    workspace = open_workspace(folder, now=datetime(2030, 1, 1, tzinfo=UTC))
    results = ingest(workspace.store, workspace.settings, today=workspace.today)
    assert sum(result.rejected for result in results) > 20
    assert all(result.landed >= 0.95 * result.rows_in for result in results)


@pytest.mark.parametrize(("customers", "months", "seed"), [(20, 6, 1), (100, 6, 13)])
def test_a_company_so_small_that_some_things_never_happen_has_every_table(
    tmp_path: Path, customers: int, months: int, seed: int
) -> None:
    made = simulate(tmp_path / "small", customers=customers, months=months, seed=seed)
    assert set(made.rows) == set(TABLES)
    assert 0 in made.rows.values()
    open_workspace(tmp_path / "small", now=datetime(2030, 1, 1, tzinfo=UTC))


def test_a_folder_that_holds_something_and_an_unknown_family_are_refused(company: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="not empty"):
        simulate(company, customers=10, months=6, seed=1)
    with pytest.raises(SettingsError, match=r"no family 'suport'. Did you mean 'support'"):
        simulate(tmp_path / "x", customers=10, months=6, seed=1, effects={"suport": 0.0})
