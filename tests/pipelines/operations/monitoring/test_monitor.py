"""A small simulated company, monitored after its scores' outcomes are known, as it is and with planted changes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from features.errors import TrainingError
from models import realised
from models.drift import grid
from models.evaluation import metrics
from pipelines import run as stages
from pipelines.cli import app
from pipelines.foundation.ledger.recommendations import Recommended
from pipelines.foundation.ledger.score_store import ScoreStore
from pipelines.foundation.settings.settings import FILE_NAME, load
from pipelines.foundation.settings.template import render
from pipelines.foundation.workspace.workspace import open_workspace
from pipelines.operations.monitoring import matured
from pipelines.operations.monitoring.cohorts import compared
from pipelines.operations.monitoring.drifting import described
from pipelines.operations.monitoring.monitor import matured_plan, monitor, monitored, newest
from pipelines.operations.monitoring.profiles import Profiles
from pipelines.operations.monitoring.webhook import VARIABLE
from pipelines.prediction.training.task import main_task
from tests.models.oracles import drift, quality
from tests.pipelines.operations.monitoring.company_case import FEW, NOW, SCORED, TODAY, TRAINED, job_of, make_company
from tests.pipelines.operations.monitoring.test_webhook import listening
from tests.pipelines.operations.plays.impact_case import recommend, recommended
from tests.pipelines.oracles import company as files
from tests.pipelines.oracles import monitoring as oracle

SIGN_UPS_END = {"customers", "subscriptions"}  # nobody signs up in the company's last months


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_company(tmp_path_factory.mktemp("monitored") / "company")


@pytest.fixture(scope="module")
def document(company: Path) -> dict[str, Any]:
    return monitor(job_of(company, TODAY))


@pytest.fixture
def copy(company: Path, document: dict[str, Any], tmp_path: Path) -> Path:
    """Of the company, to change: what was computed of it is there already."""
    return Path(shutil.copytree(company, tmp_path / "company"))


def checks(found: dict[str, Any]) -> set[str]:
    return {alert["check"] for alert in found["alerts"]}


def altered(folder: Path, table: str, moment: str, change: Callable[[pd.DataFrame, Any], pd.DataFrame]) -> Any:
    """Monitored after a source was exported anew, with `change` made to rows of the last six weeks."""
    place = folder / f"{table}.parquet"
    rows = pd.read_parquet(place)
    late = pd.to_datetime(rows[moment]) >= pd.Timestamp(TODAY - timedelta(days=42))
    change(rows, late).to_parquet(place, index=False)
    settings = load(folder / FILE_NAME)
    always = tuple(source.model_copy(update={"corrects_past": source.table == table}) for source in settings.sources)
    (folder / FILE_NAME).write_text(render(settings.model_copy(update={"sources": always})), encoding="utf-8")
    stages.ingest(job_of(folder, TODAY))
    return monitor(job_of(folder, TODAY))


def test_where_nothing_changed_there_is_no_alert_but_of_sign_ups_that_did_end(document: dict[str, Any]) -> None:
    assert checks(document) <= {"freshness", "volume"}
    assert {alert["what"].split(":")[0] for alert in document["alerts"]} <= SIGN_UPS_END
    found = document["drift"]
    assert found["p_value"] > found["level"]
    assert found["statistic"] < found["threshold"]
    assert {each["family"] for each in found["families"]} >= {"purchases", "subscription", "churn_probability"}
    assert found["scores"]["column"] == "churn_probability"
    assert all(row["distance"] <= row["limit"] for row in found["indicators"])


def test_what_came_of_past_scores_is_there_with_intervals_and_without_those_treated(document: dict[str, Any]) -> None:
    assert [each["as_of"] for each in document["matured"]] == [str(day) for day in SCORED]
    for each in document["matured"]:
        assert not each["hindsight"]
        for name in ("roc_auc", "log_loss", "observed_over_expected"):
            low, high = each["intervals"][name]
            assert low <= each[name] <= high
        assert each["n"] == each["treated"] + each["untreated"]["n"]
        assert each["promised"]["all"]["log_loss"] > 0
        assert each["holdout"] is None
        assert each["judged_on"] == "everybody"
        assert each["holdout_reason"]
        assert sum(band["n"] for band in each["bands"]) == each["n"]
    pooled = document["calibration"]
    assert pooled["n"] == sum(each["n"] for each in document["matured"])
    assert pooled["happened"] == sum(each["positives"] for each in document["matured"])


@pytest.mark.parametrize("held", [True, False])
def test_a_customer_saved_by_a_play_is_never_an_alert_on_the_model(
    copy: Path, monkeypatch: pytest.MonkeyPatch, *, held: bool
) -> None:
    """Whom a play was recommended all stay; of all others as many leave as the model said."""
    workspace, random = job_of(copy, TODAY).workspace, np.random.default_rng(8)
    run = ScoreStore(workspace.store).newest_runs()[-1]
    rows = pd.concat([matured.joined(main_task(workspace), run)] * 12).sort_values("churn_probability", ascending=False)
    rows["customer_id"] = [f"C{number}" for number in range(len(rows))]
    rows["label"] = (random.random(len(rows)) < rows["churn_probability"]).astype(float)
    rows["treated"] = 0
    usual = metrics(rows["label"].to_numpy(), rows["churn_probability"].to_numpy())
    promise = {"log_loss": usual.log_loss, "roc_auc": usual.roc_auc}
    asked = recommended(list(rows["customer_id"][: len(rows) // 4]), play="call", day=SCORED[1], held_out=0)
    asked["treatment_group"] = np.where((np.arange(len(asked)) % 4 == 0) & held, "holdout", "treatment")
    recommend(copy, asked)
    saved = asked["customer_id"][asked["treatment_group"] == "treatment"]
    rows["label"] = rows["label"].where(~rows["customer_id"].isin(saved), 0.0)
    monkeypatch.setattr(matured, "joined", lambda *_: rows)
    monkeypatch.setattr(realised, "promised", lambda *_: promise)
    noted = Recommended(workspace.store).read()
    last = matured.matured(main_task(workspace), matured_plan(workspace.settings), noted)[-1]
    assert last["recommended"] == len(saved)
    assert last["intervals"]["observed_over_expected"][1] < 0.8
    assert last["intervals"]["roc_auc"][1] < promise["roc_auc"] - 0.02
    assert last["clearly_worse"] == []
    if held:
        low, high = last["holdout"]["intervals"]["observed_over_expected"]
        assert low < 1 < high
        assert (last["judged_on"], last["holdout_reason"]) == ("holdout", None)
        assert sum(band["n"] for band in last["bands"]) == pytest.approx(last["n"])
    else:
        assert (last["judged_on"], last["holdout"], last["held_out"]) == ("everybody", None, 0)


def test_nothing_is_known_of_scores_before_their_time(copy: Path) -> None:
    assert monitor(job_of(copy, SCORED[0] + timedelta(days=43)))["matured"] == []
    assert len(monitor(job_of(copy, SCORED[0] + timedelta(days=44)))["matured"]) == 1


def test_scores_by_a_model_that_knew_what_came_are_marked_and_never_judged(copy: Path) -> None:
    past = date(2024, 3, 18)
    stages.scores(job_of(copy, past))
    found = monitor(job_of(copy, TODAY))
    assert {each["as_of"]: each["hindsight"] for each in found["matured"]} == {
        str(past): True,
        **{str(day): False for day in SCORED},
    }
    assert found["matured"][0]["clearly_worse"] == []
    assert found["calibration"]["runs"] == 2


def test_the_same_data_scores_and_code_are_one_document_written_once(copy: Path, document: dict[str, Any]) -> None:
    def files() -> dict[str, int]:
        return {str(place): place.stat().st_mtime_ns for place in copy.rglob("*") if "sqlite" not in place.name}

    before = files()
    assert monitor(job_of(copy, TODAY)) == document
    assert files() == before
    assert newest(job_of(copy, TODAY).workspace.store, TODAY) == document


def test_the_newest_document_is_that_of_no_later_day(copy: Path) -> None:
    earlier = monitor(job_of(copy, TODAY - timedelta(days=7)))
    store = open_workspace(copy, now=NOW).store
    assert [each["as_of"] for each in monitored(store, TODAY, at_most=2)] == [
        str(TODAY - timedelta(days=7)),
        str(TODAY),
    ]
    assert newest(store, TODAY - timedelta(days=1)) == earlier
    assert newest(store, TRAINED) is None


def test_amounts_in_cents_are_found(copy: Path) -> None:
    def in_cents(rows: pd.DataFrame, late: Any) -> pd.DataFrame:
        return rows.assign(amount=rows["amount"].where(~late, rows["amount"] * 100))

    found = altered(copy, "orders", "ordered_at", in_cents)
    (alert,) = [alert for alert in found["alerts"] if alert["check"] == "drift"]
    assert "amount" in alert["evidence"] or "value" in alert["evidence"]
    assert found["retrain"][0] == "data are no longer as the champion knew them"


def test_no_document_names_a_customer(document: dict[str, Any], company: Path) -> None:
    customers = pd.read_parquet(company / "customers.parquet")["customer_id"].astype(str)
    text = json.dumps(document)
    assert not [customer for customer in customers if f'"{customer}"' in text or f"{customer} " in text]


def test_an_alert_is_exit_code_1_a_line_and_a_post_and_a_quiet_day_is_0(
    copy: Path, document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening() as (address, posted):
        monkeypatch.setenv(VARIABLE, address)
        loud = CliRunner().invoke(app, ["monitor", "--project", str(copy), "--as-of", str(TODAY)])
        assert loud.exit_code == 1
        lines = [line for line in loud.stderr.splitlines() if line.startswith("alert ")]
        assert len(lines) == len(document["alerts"]) > 0
        for line, alert in zip(lines, document["alerts"], strict=True):
            assert line == f"alert [{alert['check']}] {alert['what']}: {alert['evidence']}; {alert['remedy']}"
        assert [each["alerts"] for each in posted] == [document["alerts"]]
        again = CliRunner().invoke(app, ["monitor", "--project", str(copy), "--as-of", str(TODAY), "--json"])
        assert (again.exit_code, again.stderr) == (1, "")
        assert json.loads(again.stdout) == document
        assert len(posted) == 1
        quiet = CliRunner().invoke(app, ["monitor", "--project", str(copy), "--as-of", str(SCORED[0]), "--json"])
        assert json.loads(quiet.stdout)["alerts"] == []
        assert quiet.exit_code == 0
        assert len(posted) == 1


def test_without_a_champion_the_remedy_is_told_with_exit_code_2(tmp_path: Path, company: Path) -> None:
    folder = tmp_path / "untrained"
    folder.mkdir()
    for place in company.glob("*.parquet"):
        shutil.copy(place, folder)
    shutil.copy(company / FILE_NAME, folder)
    stages.ingest(job_of(folder, TODAY))
    with pytest.raises(TrainingError, match="run `attrition train` first"):
        monitor(job_of(folder, TODAY))
    done = CliRunner().invoke(app, ["monitor", "--project", str(folder), "--as-of", str(TODAY)])
    assert done.exit_code == 2
    assert "attrition train" in done.stderr


def test_on_a_day_that_the_champion_had_learned_from_drift_is_unknown_with_its_reason(copy: Path) -> None:
    found = monitor(job_of(copy, date(2024, 2, 1)))["drift"]
    assert (found["p_value"], found["threshold"], found["indicators"]) == ("unknown", None, [])
    assert "which is not before 2024-02-01" in found["reason"]


def test_with_few_snapshots_drift_is_unknown_and_what_is_needed_is_said(company: Path) -> None:
    workspace = job_of(company, TODAY).workspace
    fitted = workspace.versions.load(workspace.versions.champion().version)
    few = replace(fitted, snapshots=fitted.snapshots[-4:])
    snapshots = main_task(workspace).snapshots
    found = described(
        compared(Profiles(snapshots, few, champion="few"), TODAY),
        fitted=few,
        definition=snapshots.definition,
        as_of=TODAY,
        level=workspace.settings.monitoring.level,
    )
    assert found["p_value"] == "unknown"
    assert found["reason"].startswith("the champion learned from 4 snapshots, and 6 are needed")
    assert len(found["indicators"]) > 10
    assert not [row for row in found["indicators"] if row["drifted"]]


HAPPENED = {
    "customers": "signed_up_at", "subscriptions": "started_at", "subscription_changes": "changed_at",
    "payments": "attempted_at", "orders": "ordered_at", "support_contacts": "opened_at", "treatments": "treated_at",
}  # fmt: skip


def test_arrivals_are_what_the_files_say(company: Path, document: dict[str, Any]) -> None:
    level, volumes = 0.05 / len(FEW), {row["table"]: row for row in document["volume"]}
    freshness = {row["table"]: row for row in document["freshness"]}
    assert set(freshness) == set(FEW) == set(volumes) - {"cohort"}
    for name, moment in HAPPENED.items():
        rows = files.rows(company, name)
        right = oracle.volume(oracle.spans([row["known_at"] for row in rows], TODAY, 28), level)
        assert {key: volumes[name][key] for key in right} == pytest.approx(right), name
        told = [row for row in rows if row["known_at"].date() < TODAY]
        days = {row[moment].date() for row in told if name != "orders" or row["amount"] >= 0}
        if name == "subscriptions":  # that one ended, or is to end, tells of them, too
            ends = [row[end] for row in told for end in ("ended_at", "cancel_requested_at")]
            days |= {end.date() for end in ends if end is not None}
        right = oracle.pause(sorted(day for day in days if day < TODAY), TODAY, level)
        assert {key: freshness[name][key] for key in right} == right, name


def test_drift_is_what_the_snapshots_say(company: Path, document: dict[str, Any]) -> None:
    """The champion is asked for its probabilities, and all else is computed of the columns as they were stored."""
    workspace, found = job_of(company, TODAY).workspace, document["drift"]
    fitted = workspace.versions.load(document["model_version"])
    learned = [date.fromordinal(day) for day in fitted.snapshots]
    reference, earlier, lag = oracle.pairs(learned, TODAY, 28)
    assert (found["reference"], found["pairs"], found["reference_learned"]) == (str(reference), len(earlier), False)
    days = sorted({day for pair in earlier for day in pair} | {reference, TODAY, learned[-1]})
    cohorts = {day: oracle.columns(company, day) for day in days}
    for day, columns in cohorts.items():
        chances = fitted.day_probability(main_task(workspace).snapshots.at(day).matrix())
        columns["churn_probability"] = chances.tolist()
    numbers = [name for name, values in cohorts[TODAY].items() if not oracle.is_text(values)]
    newest = cohorts[learned[-1]]
    ranked = {name: grid(np.array(newest[name], dtype=np.float64)[:, None])[0].tolist() for name in numbers}
    points = {name: [each for each in mine if not np.isnan(each)] for name, mine in ranked.items()}
    words = [name for name in cohorts[TODAY] if name not in numbers]

    def seen(until: date, known: list[date]) -> dict[str, set[str]]:
        return {name: {text for day in known if day <= until for text in cohorts[day][name] if text} for name in words}

    told = sorted({day for pair in earlier for day in pair} | {reference})
    rows = [oracle.apart(cohorts[a], cohorts[b], points, seen(a, told)) for a, b in earlier]
    trained = {name: set(shares) for name, shares in fitted.encoder.shares.items()}
    today = oracle.apart(cohorts[reference], cohorts[TODAY], points, trained)
    entries = {row["column"]: row for row in [*found["indicators"], found["scores"]]}
    assert set(entries) == set(cohorts[TODAY])
    places: dict[str, list[tuple[str, str]]] = {}
    for place in today:
        places.setdefault(entries[place[0]]["family"], []).append(place)
    judged = drift.families(
        {name: [today[place] for place in mine] for name, mine in places.items()},
        {name: [[row[place] for place in mine] for row in rows] for name, mine in places.items()},
        least=drift.noise(*(len(cohorts[day]["churn_probability"]) for day in (reference, TODAY))),
        overlap=max(lag, 2),
        level=found["level"],
    )
    families = {row["family"]: row for row in found["families"]}
    for name, (whole, usual, scaled) in judged.items():
        assert whole.threshold is not None
        right = {"statistic": whole.statistic, "threshold": whole.threshold, "p_value": whole.p_value}
        assert {key: families[name][key] for key in right} == pytest.approx(right), name
        assert families[name]["drifted"] == (whole.statistic > whole.threshold)
        for (column, part), mine, over in zip(places[name], usual, scaled, strict=True):
            assert (part in entries[column]["drifted"]) == (over > whole.threshold)
            if part == "values":
                limit = drift.unstretched(mine * whole.threshold)
                right = {"distance": today[column, part], "usual": drift.unstretched(mine), "limit": limit}
                assert {key: entries[column][key] for key in right} == pytest.approx(right), column
    index = oracle.stability(cohorts[reference], cohorts[TODAY], points)
    for column, row in entries.items():
        before, after = cohorts[reference][column], cohorts[TODAY][column]
        right = {"psi": index[column], "missing": drift.nulls(after), "missing_before": drift.nulls(before)}
        assert {key: row[key] for key in right} == pytest.approx(right, abs=1e-9), column
    largest = max(whole.statistic / whole.threshold for whole, *_ in judged.values() if whole.threshold)
    least = min(whole.p_value for whole, *_ in judged.values() if whole.p_value is not None)
    assert found["statistic"] == pytest.approx(largest)
    assert found["p_value"] == pytest.approx(min(1.0, len(judged) * least))
    sizes = [tuple(len(cohorts[day]["churn_probability"]) for day in pair) for pair in [*earlier, (reference, TODAY)]]
    right = oracle.cohort([(a, b) for a, b in sizes], max(lag, 2), found["level"])
    assert {key: document["volume"][0][key] for key in right} == pytest.approx(right)


def test_what_came_of_past_scores_is_what_scores_and_files_say(company: Path, document: dict[str, Any]) -> None:
    pooled: dict[str, list[float]] = {}
    for day, found in zip(SCORED, document["matured"], strict=True):
        rows, bands = oracle.scored(company, day)
        end = day + timedelta(days=30)
        touched = {row["customer_id"] for row in files.treatments(company, first=day, after=end)}
        alone = [row for row in rows if row.customer not in touched]
        for figures, mine in ((found, rows), (found["untreated"], alone)):
            right = quality.figures(mine)
            assert {name: figures[name] for name in right} == pytest.approx(right, rel=1e-9)
            rest = quality.unexplained(mine, figures["calibration_slope"], figures["calibration_intercept"])
            assert rest == pytest.approx((0, 0), abs=1e-6)
        assert found["treated"] == len(rows) - len(alone)
        assert [band["band"] for band in found["bands"]] == sorted(set(bands))
        for band in found["bands"]:
            mine = [row for row, name in zip(rows, bands, strict=True) if name == band["band"]]
            sums = [float(len(mine)), sum(row.probability for row in mine), float(sum(row.left for row in mine))]
            assert [band["n"], band["expected"], band["happened"]] == pytest.approx(sums, rel=1e-9)
            before = pooled.setdefault(band["band"], [0.0, 0.0, 0.0])
            pooled[band["band"]] = [a + b for a, b in zip(before, sums, strict=True)]
    together = document["calibration"]
    sums = [sum(each[place] for each in pooled.values()) for place in range(3)]
    assert [together["n"], together["expected"], together["happened"]] == pytest.approx(sums)
    assert together["observed_over_expected"] == pytest.approx(sums[2] / sums[1])
    assert {band["band"]: band["expected"] for band in together["bands"]} == pytest.approx(
        {name: each[1] for name, each in pooled.items()}
    )
