"""What the plays changed, from recommendations, outcomes and actions in a workspace to a document and sentences."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from features.errors import SettingsError
from pipelines.cli import app
from pipelines.data.landing.ingest import ingest
from pipelines.data.snapshots.workspace_snapshots import snapshots_of
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.operations.plays.impact import first_of_each, impact, plays, recommended_any, with_actions
from tests.models.oracles import impact as effects
from tests.pipelines.operations.monitoring.company_case import job_of
from tests.pipelines.operations.plays.impact_case import (
    DAY,
    LATER,
    TODAY,
    at_risk,
    make_company,
    recommend,
    recommended,
)
from tests.pipelines.oracles import impact as oracle
from tests.pipelines.stage_case import measured


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_company(tmp_path_factory.mktemp("impact") / "company")


@pytest.fixture
def copy(company: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(company, tmp_path / "company"))


def workspace_of(folder: Path, day: date = TODAY) -> Workspace:
    return job_of(folder, day).workspace


def rows(**changes: Any) -> pd.DataFrame:
    """100 customers of a play, 60 of them treated, of whom 6 left; 20 of the 40 held out left."""
    left = [*[1.0] * 6, *[0.0] * 54, *[1.0] * 20, *[0.0] * 20]
    found = {
        "customer_id": [f"C{number}" for number in range(100)],
        "play": "call",
        "recommended_on": "2024-01-01",
        "treatment_group": ["treatment"] * 60 + ["holdout"] * 40,
        "churn_probability": 0.3,
        "value": 50.0,
        "left": left,
        "matured": True,
        "actions": [1.0] * 45 + [0.0] * 55,
        "cost": [4.0] * 45 + [0.0] * 55,
        "without_cost": 0.0,
    }
    return pd.DataFrame(found | changes)


def test_customers_and_money_kept_what_it_cost_and_what_remains() -> None:
    (play,) = plays(rows())["plays"]
    assert play["verdict"] == "kept"
    assert play["customers"]["estimate"] == pytest.approx(60 * (0.5 - 0.1), abs=0.01)
    assert play["money"]["estimate"] == pytest.approx(50 * 24, abs=0.5)
    assert play["left"] == {"treatment": 6, "holdout": 20}
    assert play["judged"] == {"treatment": 60, "holdout": 40}
    assert (play["actions"], play["cost"]) == (45, 180.0)
    assert play["net"]["low"] == play["money"]["low"] - 180.0
    assert play["done"] == {"treatment": 0.75, "holdout": 0.0}


def test_one_play_alone_is_all_of_them() -> None:
    found = plays(rows())
    assert found["overall"]["customers"] == found["plays"][0]["customers"]
    assert found["overall"]["p_value"] == found["plays"][0]["p_value_adjusted"]


def test_of_several_plays_the_verdict_counts_all() -> None:
    faint = [*[1.0] * 9, *[0.0] * 51, *[1.0] * 13, *[0.0] * 27]
    alone = plays(rows(left=faint))["plays"][0]
    assert alone["verdict"] == "kept"
    assert 0.02 < alone["p_value"] < 0.05
    names = [f"D{number}" for number in range(100)]
    nothing = rows(left=[*[1.0] * 18, *[0.0] * 42, *[1.0] * 12, *[0.0] * 28], play="letter", customer_id=names)
    found = plays(pd.concat([rows(left=faint), nothing], ignore_index=True))
    first = found["plays"][0]
    assert first["customers"] == alone["customers"]
    assert first["verdict"] == "not_shown"
    assert first["p_value_adjusted"] == pytest.approx(2 * alone["p_value"])
    assert found["overall"]["judged"] == {"treatment": 120, "holdout": 80}


def test_a_cost_that_is_not_recorded_leaves_no_net() -> None:
    (play,) = plays(rows(without_cost=[1.0] + [0.0] * 99))["plays"]
    assert (play["actions"], play["cost"], play["net"]) == (45, None, None)
    (unread,) = plays(rows(actions=np.nan, cost=np.nan, without_cost=np.nan))["plays"]
    assert (unread["actions"], unread["cost"], unread["net"], unread["done"]) == (None, None, None, None)
    (undone,) = plays(rows(actions=0.0, cost=0.0))["plays"]
    assert (undone["actions"], undone["cost"], undone["net"]) == (0, None, None)


def test_outcomes_not_known_yet_are_left_out_and_with_too_few_nothing_is_told() -> None:
    late = np.arange(100) % 3 == 0
    some = rows(matured=~late, left=np.where(late, np.nan, rows()["left"]))
    (play,) = plays(some)["plays"]
    assert (play["verdict"], play["unknown"]) == ("kept", 34)
    assert play["judged"] == {"treatment": 40, "holdout": 26}
    late = np.arange(100) % 3 > 0
    (play,) = plays(rows(matured=~late, left=np.where(late, np.nan, rows()["left"])))["plays"]
    assert (play["verdict"], play["unknown"], play["customers"]) == ("too_early", 66, None)


def test_who_has_no_outcome_is_counted_apart() -> None:
    left = rows()["left"].where(np.arange(100) != 7)
    (play,) = plays(rows(left=left))["plays"]
    assert (play["unknown"], play["without_outcome"]) == (0, 1)
    assert play["judged"] == {"treatment": 59, "holdout": 40}


def test_without_anybody_held_out_that_is_the_verdict_and_others_are_judged() -> None:
    alone = rows(treatment_group="treatment", play="letter", customer_id=[f"D{number}" for number in range(100)])
    found = plays(pd.concat([rows(), alone], ignore_index=True))
    assert [play["verdict"] for play in found["plays"]] == ["kept", "no_holdout"]
    assert found["overall"]["customers"] == found["plays"][0]["customers"]
    assert plays(alone)["overall"] is None
    assert plays(rows(treatment_group="holdout"))["plays"][0]["verdict"] == "no_treatment"


def test_a_customer_counts_once_with_the_first_recommendation() -> None:
    found = pd.DataFrame(
        {
            "customer_id": ["A", "B", "A", "C", "B"],
            "play": ["call", "call", "letter", "letter", "call"],
            "recommended_on": ["2024-02-01", "2024-02-01", "2024-01-01", "2024-03-01", "2024-05-01"],
        }
    )
    first = first_of_each(found)
    assert list(first.itertuples(index=False, name=None)) == [
        ("A", "letter", "2024-01-01"),
        ("B", "call", "2024-02-01"),
        ("C", "letter", "2024-03-01"),
    ]


def test_outcomes_are_those_of_the_day_of_the_recommendation(copy: Path) -> None:
    first, second = at_risk(copy, DAY), at_risk(copy, LATER)
    early = list(first["customer_id"][:100])
    late = [name for name in second["customer_id"] if name not in set(early)][:60]
    assert len(late) == 60
    recommend(
        copy,
        recommended(early, play="letter", day=DAY, held_out=40),
        recommended(late + early[:10], play="letter", day=LATER, held_out=20),
    )
    document = measured(workspace_of(copy))
    (play,) = document["plays"]
    gone = first.set_index("customer_id")["churn"].loc[early], second.set_index("customer_id")["churn"].loc[late]
    # Of the later seventy the last ten were recommended something before, so that ten of the held-out remain.
    assert play["left"]["treatment"] == gone[0][:60].sum() + gone[1][:50].sum()
    assert play["left"]["holdout"] == gone[0][60:].sum() + gone[1][50:].sum()
    assert (document["recommended"], document["repeated"]) == (170, 10)
    assert document["horizon_days"] == 30


def test_what_is_not_known_by_the_day_is_not_used(copy: Path) -> None:
    recommend(copy, recommended(list(at_risk(copy, DAY)["customer_id"][:80]), play="letter", day=DAY, held_out=30))
    assert measured(workspace_of(copy, DAY + timedelta(days=43)))["plays"][0]["verdict"] == "too_early"
    assert measured(workspace_of(copy, DAY + timedelta(days=44)))["plays"][0]["unknown"] == 0
    assert measured(workspace_of(copy, DAY - timedelta(days=1)))["plays"] == []
    assert [recommended_any(workspace_of(copy).store, day) for day in (DAY, DAY - timedelta(days=1))] == [True, False]


def test_actions_count_that_were_this_play_from_the_day_until_the_windows_end(copy: Path) -> None:
    names = ["A", "B", "C", "D", "E"]
    place = copy / "treatments.parquet"
    made = pd.DataFrame(
        {
            "treatment_id": [f"X{number}" for number in range(7)],
            "customer_id": ["A", "A", "B", "C", "C", "D", "D"],
            "treated_at": pd.to_datetime(
                ["2024-04-29 09:00", "2024-05-28 21:00", "2024-05-02 09:00", "2024-04-28 09:00", "2024-05-30 09:00",
                 "2024-05-03 09:00", "2024-05-04 09:00"]
            ),
            "play": ["call", "call", "letter", "call", "call", "call", "call"],
            "cost": [12.0, 8.0, 1.0, 1.0, 1.0, 5.0, None],
        }
    )  # fmt: skip
    made = made.assign(known_at=made["treated_at"])
    made.assign(currency="EUR").to_parquet(place, index=False)
    workspace = workspace_of(copy)
    ingest(workspace.store, workspace.settings, today=workspace.today)
    found = with_actions(snapshots_of(workspace_of(copy)), recommended(names, play="call", day=DAY, held_out=0))
    assert found["actions"].tolist() == [2, 0, 0, 2, 0]
    assert found["cost"].tolist() == [20.0, 0.0, 0.0, 5.0, 0.0]
    assert found["without_cost"].tolist() == [0, 0, 0, 1, 0]


def test_the_same_is_written_once_and_names_nobody(copy: Path) -> None:
    names = list(at_risk(copy, DAY)["customer_id"][:80])
    recommend(copy, recommended(names, play="letter", day=DAY, held_out=30))
    document = impact(job_of(copy, TODAY))
    files = {place: place.stat().st_mtime_ns for place in (copy / "impact").iterdir()}
    assert len(files) == 1
    assert impact(job_of(copy, TODAY)) == document
    assert {place: place.stat().st_mtime_ns for place in (copy / "impact").iterdir()} == files
    assert not [name for name in names if name in json.dumps(document)]


def test_the_command_speaks_to_people_and_to_programs(copy: Path) -> None:
    nothing = CliRunner().invoke(app, ["impact", "--project", str(copy), "--as-of", str(TODAY)])
    assert (nothing.exit_code, nothing.stdout) == (0, "")
    assert "No play was recommended to anybody yet" in nothing.stderr
    recommend(copy, recommended(list(at_risk(copy, DAY)["customer_id"][:80]), play="letter", day=DAY, held_out=30))
    said = CliRunner().invoke(app, ["impact", "--project", str(copy), "--as-of", str(TODAY)])
    assert said.exit_code == 0
    assert "letter" in said.stderr
    found = CliRunner().invoke(app, ["impact", "--project", str(copy), "--as-of", str(TODAY), "--json"])
    assert (found.exit_code, found.stderr) == (0, "")
    document = json.loads(found.stdout)
    assert document == measured(workspace_of(copy))
    for sentence in document["said"]["en"]:
        assert sentence in said.stderr


def test_an_outcome_that_nobody_wants_to_prevent_is_refused(copy: Path) -> None:
    workspace = workspace_of(copy)
    outcome = workspace.settings.outcome.model_copy(update={"kind": "expansion"})
    grown = Workspace(copy, workspace.settings.model_copy(update={"outcome": outcome}), TODAY, TODAY)
    with pytest.raises(SettingsError, match="needs an outcome of loss"):
        measured(grown)


def several_plays(folder: Path) -> None:
    """Calls and letters on two days, some twice; values and outcomes that are not known, and what was done of it."""
    random = np.random.default_rng(12)
    first, second = (list(at_risk(folder, day)["customer_id"]) for day in (DAY, LATER))
    asked = []
    for place, (names, play, day) in enumerate(
        [
            (first[:80], "call", DAY),
            (first[80:140], "letter", DAY),
            (["nobody", *second[-90:]], "letter", LATER),
            (first[140:155], "visit", DAY),
        ]
    ):
        group = np.where(random.random(len(names)) < (0.0 if play == "visit" else 0.4), "holdout", "treatment")
        part = recommended(names, play=play, day=day, held_out=0)
        value = np.where(random.random(len(names)) < 0.1, np.nan, random.lognormal(4, 1, len(names)).round(2))
        chance = random.beta(2, 8, len(names))
        asked.append(part.assign(treatment_group=group, churn_probability=chance, value=value if place else 50.0))
    recommend(folder, *asked)
    done = pd.concat(asked).iloc[::3]
    at = pd.to_datetime(done["recommended_on"]) + pd.to_timedelta(random.integers(-60, 40 * 24, len(done)), unit="h")
    costs = np.where(done["play"] == "call", 12.35, 1.0)
    made = pd.DataFrame(
        {
            "treatment_id": [f"X{number}" for number in range(len(done))],
            "customer_id": done["customer_id"].to_numpy(),
            "treated_at": at.to_numpy().astype("datetime64[us]"),
            "play": np.where(random.random(len(done)) < 0.1, "call", done["play"]),
            "cost": np.where((done["play"] == "letter") & (random.random(len(done)) < 0.2), np.nan, costs),
        }
    )
    export = folder / "treatments.parquet"
    before = pd.read_parquet(export)
    pd.concat([before, made.assign(known_at=made["treated_at"])]).to_parquet(export, index=False)
    workspace = workspace_of(folder)
    ingest(workspace.store, workspace.settings, today=workspace.today)


def agrees(found: dict[str, Any], right: dict[str, Any], *, name: str) -> None:
    """Customers to a millionth, money to the cent, and all else exactly."""
    for key, value in right.items():
        mine = found[key]
        if isinstance(mine, dict) and "estimate" in mine:
            mine = tuple(mine[end] for end in ("estimate", "low", "high"))
        near = 0.005 if key in ("money", "net", "cost") else 1e-6
        exact = value is None or isinstance(value, int)
        assert mine == (value if exact else pytest.approx(value, abs=near)), (name, key)


def test_the_document_is_what_the_files_and_the_ledger_say(copy: Path) -> None:
    """Everything but p-values is computed anew; these are where the interval's end touches 0."""
    several_plays(copy)
    for today in (TODAY, LATER + timedelta(days=43)):
        document, parts = measured(workspace_of(copy, today)), oracle.judged(copy, today)
        assert document["recommended"] == document["repeated"] + sum(len(part) for part in parts.values())
        shown = {play["play"]: play for play in document["plays"]}
        assert list(shown) == ["call", "letter", "visit"]
        for name, part in parts.items():
            agrees(shown[name], oracle.figures([part]) if name != "visit" else {"customers": None}, name=name)
        told = [name for name in parts if shown[name]["customers"] is not None]
        agrees(document["overall"], oracle.figures([parts[name] for name in told]), name="overall")
        for name in told:
            estimate, tail = shown[name]["customers"]["estimate"], shown[name]["p_value"] / 2
            low, high = effects.ends([oracle.persons(parts[name])], tail)
            assert (low if estimate > 0 else high) == pytest.approx(0, abs=1e-5)
        adjusted = effects.holm([shown[name]["p_value"] for name in told])
        assert [shown[name]["p_value_adjusted"] for name in told] == pytest.approx(adjusted)
        for play in (shown[name] for name in told):
            right = "kept" if play["customers"]["estimate"] > 0 else "harmed"
            assert play["verdict"] == (right if play["p_value_adjusted"] <= 0.05 else "not_shown")
        assert shown["visit"]["verdict"] == "no_holdout"
