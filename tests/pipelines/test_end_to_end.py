from __future__ import annotations

import csv
import hashlib
import html
import json
import math
import re
import shutil
import sqlite3
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit
from typer.testing import CliRunner

from features.errors import OutdatedModelError
from pipelines import run as stages
from pipelines.cli import app
from pipelines.data.snapshots.learned import learned_rows
from pipelines.data.snapshots.workspace_snapshots import snapshots_of
from pipelines.foundation.settings.delivered_fields import COLUMNS
from pipelines.foundation.storage.csv_file import defused
from pipelines.foundation.storage.store import Store
from pipelines.foundation.workspace.console import Console
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.foundation.workspace.workspace import Workspace, open_workspace
from pipelines.prediction.scoring.explain import explain
from pipelines.prediction.scoring.forecast import horizon_forecast
from pipelines.prediction.scoring.score import rows_at_risk
from pipelines.prediction.training.champion import answering
from pipelines.prediction.training.task import main_task, tasks_of
from pipelines.report import write
from tests.pipelines.shop_case import AS_OF, FORMULA, SETTINGS, make_shop, order, orders, write_orders

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIGURES = {
    "n", "positives", "roc_auc", "pr_auc", "log_loss", "brier", "calibration_slope", "calibration_intercept",
    "top_decile_lift", "top_decile_recall",
}  # fmt: skip


@pytest.fixture
def copy(finished_workspace: Path, tmp_path: Path) -> Path:
    """The finished workspace, to be changed."""
    return Path(shutil.copytree(finished_workspace, tmp_path / "shop"))


def job(root: Path, *, as_of: date | None = None, now: datetime = NOW) -> RunContext:
    return RunContext(open_workspace(root, now=now, as_of=as_of), Console(quiet=True), now)


def query(root: Path, sql: str) -> list[tuple]:
    with sqlite3.connect(root / "attrition.sqlite") as ledger:
        return ledger.execute(sql).fetchall()


def current_scores(root: Path) -> pd.DataFrame:
    rows = query(root, f"SELECT {', '.join(COLUMNS)} FROM scores ORDER BY customer_id")
    return pd.DataFrame(rows, columns=list(COLUMNS))


def hashes(root: Path) -> dict[str, str]:
    """Of every file, but the lock and the databases, whose bytes say nothing of their content."""
    files = [place for place in sorted(root.rglob("*")) if place.is_file() and place.name != ".attrition.lock"]
    return {
        place.relative_to(root).as_posix(): hashlib.sha256(place.read_bytes()).hexdigest()
        for place in files
        if ".sqlite" not in place.name
    }


def at_risk() -> set[str]:
    """Who ordered in the 365 days before the snapshot, from the rows of the file in plain Python."""
    found = set()
    for _, customer, day, amount in orders():
        days = (AS_OF - date(*map(int, reversed(day.split("/"))))).days
        if 1 <= days <= 365 and not amount.startswith("-"):
            found.add(customer)
    return found


def test_the_summary_holds_what_is_documented(finished_workspace: Path) -> None:
    summary = json.loads((finished_workspace / "summary.json").read_text())
    assert set(summary) == {
        "as_of", "outcomes", "intervals", "baselines", "evaluated_on", "references", "champion", "scored", "report",
    }  # fmt: skip
    assert set(summary["outcomes"]) == {"churn"}
    assert set(summary["outcomes"]["churn"]) == FIGURES
    assert set(summary["baselines"]) == {"recency", "logistic_regression", "bg_nbd"}
    assert all(set(figures) == FIGURES for figures in summary["baselines"].values())
    assert set(summary["champion"]) == {"version", "trained_at", "verdict"}
    assert summary["scored"] == len(at_risk())
    assert (finished_workspace / summary["report"]).is_file()


def test_the_model_learns_something(finished_workspace: Path) -> None:
    figures = json.loads((finished_workspace / "summary.json").read_text())["outcomes"]["churn"]
    assert figures["roc_auc"] > 0.7
    assert 0 < figures["positives"] < figures["n"]


def test_a_second_run_changes_no_file_and_fits_nothing(finished_workspace: Path) -> None:
    before, tables = hashes(finished_workspace), [query(finished_workspace, sql) for sql in _TOLD]
    started = job(finished_workspace)
    documents = stages.everything(started)
    assert started.workspace.fits == {}  # nothing was fitted again, which is what takes the time
    assert [file["status"] for file in documents["ingest"]["files"]] == ["unchanged"]
    assert (documents["train"]["unchanged"], documents["score"]["unchanged"]) == (True, True)
    assert hashes(finished_workspace) == before
    assert [query(finished_workspace, sql) for sql in _TOLD] == tables


_TOLD = (
    "SELECT * FROM scores ORDER BY customer_id",
    "SELECT * FROM score_runs",
    "SELECT * FROM versions",
    "SELECT * FROM champions",
    "SELECT path, kind, sha256, bytes, detail FROM files ORDER BY path",
)


def test_everybody_at_risk_has_one_score_with_band_and_reasons(finished_workspace: Path) -> None:
    scores = current_scores(finished_workspace)
    assert set(scores["customer_id"]) == at_risk()
    assert scores["customer_id"].is_unique
    assert scores["churn_probability"].between(0, 1).all()
    high, medium = SETTINGS.bands.high, SETTINGS.bands.medium
    wanted = ["high" if p >= high else "medium" if p >= medium else "low" for p in scores["churn_probability"]]
    assert scores["churn_risk_band"].tolist() == wanted
    risky = scores[scores["churn_risk_band"] == "high"]
    assert len(risky) > 10
    assert (risky["reason_1"].str.len() > 0).all()
    assert (risky["reason_1_code"].str.len() > 0).all()
    assert (
        not scores[["reason_1", "reason_2", "reason_3"]]
        .apply(lambda text: text.str.contains("{", regex=False))
        .any()
        .any()
    )


def test_the_sum_of_the_probabilities_is_one_number_wherever_it_stands(finished_workspace: Path) -> None:
    """Added up from the ledger, and found in the file that is handed over, the forecast and the page."""
    rows = query(finished_workspace, "SELECT churn_probability, churn_risk_band FROM scores")
    expected = math.fsum(probability for probability, _ in rows)
    (delivered,) = (finished_workspace / "delivery").glob("*.csv")
    with delivered.open(encoding="utf-8-sig", newline="") as handle:
        handed_over = [float(row["churn_probability"]) for row in csv.DictReader(handle)]
    assert math.fsum(handed_over) == pytest.approx(expected, rel=1e-12)
    workspace = open_workspace(finished_workspace, now=NOW)
    ahead = horizon_forecast(tasks_of(workspace))["next"]
    assert ahead is not None
    assert set(ahead) == {"customers_lost"}
    assert ahead["customers_lost"]["expected"] == pytest.approx(expected, rel=1e-12)
    drawn = (finished_workspace / "report.html").read_text(encoding="utf-8")
    text = " ".join(html.unescape(re.sub(r"<(style|script|svg).*?</\1>|<[^>]+>", " ", drawn, flags=re.DOTALL)).split())
    whole, customers = round(expected), len(rows)
    assert f"{whole} expected to leave {whole / customers:.0%} of all" in text
    assert f"Added up, their probabilities expect {whole} of them not to order" in text
    assert f"Customers lost {whole} " in text
    told = 0
    for band in ("High", "Medium", "Low"):
        mine = [probability for probability, name in rows if name == band.lower()]
        (found,) = re.findall(rf"{band} (?:from|under)? ?[\d%\u2013]+ (\d+) (\d+) ", text)
        assert int(found[0]) == len(mine), band
        assert abs(int(found[1]) - math.fsum(mine)) < 1, band
        told += int(found[1])
    assert told == whole


def test_the_report_waits_for_scores_of_the_champion_whose_forecast_it_tells(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store(copy).transaction() as ledger:
        ledger.execute("UPDATE score_runs SET detail = json_set(detail, '$.model_version', 'aaaaaaaaaaaa')")
    monkeypatch.setattr(write, "_refuse_other_question", lambda *_: None)  # it reads the model, which is not there
    with pytest.raises(OutdatedModelError, match=r"are of model aaaaaaaaaaaa, and [0-9a-f]{12} is.*attrition score"):
        write.write_report(open_workspace(copy, now=NOW))


def test_each_score_says_from_what_and_until_when(finished_workspace: Path) -> None:
    scores = current_scores(finished_workspace)
    champion = query(finished_workspace, "SELECT version FROM champions")[0][0]
    assert set(scores["model_version"]) == {champion}
    assert set(scores["data_as_of"]) == {str(AS_OF - timedelta(days=1))}
    assert set(scores["valid_until"]) == {str(AS_OF + timedelta(days=SETTINGS.delivery.valid_days))}
    assert scores["run_id"].nunique() == scores["scored_at"].nunique() == 1


def test_history_store_and_csv_hold_the_same_scores(finished_workspace: Path) -> None:
    scores = current_scores(finished_workspace)
    (history,) = (finished_workspace / "scores").glob("*.parquet")
    (delivered,) = (finished_workspace / "delivery").glob("*.csv")
    pd.testing.assert_frame_equal(pd.read_parquet(history), scores, check_dtype=False)
    with delivered.open(encoding="utf-8-sig", newline="") as handle:
        rows = {row["customer_id"]: row for row in csv.DictReader(handle)}
    assert rows.keys() == {defused(customer) for customer in scores["customer_id"]}
    for score in scores.to_dict("records"):
        row = rows[defused(score["customer_id"])]
        assert float(row["churn_probability"]) == score["churn_probability"]
        assert [row[name] for name in COLUMNS if name.startswith("reason")] == [
            defused(score[name]) for name in COLUMNS if name.startswith("reason")
        ]
    assert defused(FORMULA) != FORMULA


def test_a_snapshot_for_scoring_is_the_training_set_s_file_byte_for_byte(
    finished_workspace: Path, tmp_path: Path
) -> None:
    trained = open_workspace(finished_workspace, now=NOW)
    day = trained.calendar.training_days(AS_OF)[-1]
    serving = job(make_shop(tmp_path / "serving"), as_of=day)
    stages.ingest(serving)
    theirs, ours = snapshots_of(trained).at(day).file, snapshots_of(serving.workspace).at(day).file
    assert (ours.path, ours.sha256) == (theirs.path, theirs.sha256)
    assert (tmp_path / "serving" / ours.path).read_bytes() == (finished_workspace / theirs.path).read_bytes()


def test_what_scoring_saw_on_the_day_is_what_training_sees_later(finished_workspace: Path, tmp_path: Path) -> None:
    trained = open_workspace(finished_workspace, now=NOW)
    day = trained.calendar.training_days(AS_OF)[-1]
    known = [row for row in orders() if date(*map(int, reversed(row[2].split("/")))) < day]
    serving = job(make_shop(tmp_path / "serving", rows=known), as_of=day)
    stages.ingest(serving)
    theirs, ours = snapshots_of(trained).at(day).frame(), snapshots_of(serving.workspace).at(day).frame()
    assert list(ours) == list(theirs)
    assert ours["customer_id"].tolist() == theirs["customer_id"].tolist()
    numbers = list(ours)[1:]
    assert ours[numbers].to_numpy(np.float64).tobytes() == theirs[numbers].to_numpy(np.float64).tobytes()


def test_the_model_is_given_the_same_numbers_in_training_and_in_scoring(finished_workspace: Path) -> None:
    training = open_workspace(finished_workspace, now=NOW)
    days = training.calendar.training_days(AS_OF)
    later = open_workspace(finished_workspace, now=NOW, as_of=days[-1])
    scored, _ = rows_at_risk(snapshots_of(later).at(days[-1]))
    stacked = learned_rows(snapshots_of(training), days)
    assert stacked is not None
    trained = stacked.only(stacked.snapshots == days[-1].toordinal())
    assert trained.columns == scored.columns
    assert trained.customers.tolist() == scored.customers.tolist()
    for name in ("values", "start"):
        assert getattr(trained, name).tobytes() == getattr(scored, name).tobytes()


def test_training_looks_at_no_outcome_that_ended_after_the_snapshot(finished_workspace: Path) -> None:
    model = json.loads(next((finished_workspace / "models").glob("*/model.json")).read_text())
    ends = [date.fromordinal(day) + timedelta(days=SETTINGS.outcome.horizon_days) for day in model["snapshots"]]
    assert max(ends) <= AS_OF
    assert len(ends) == SETTINGS.snapshots.at_most


def test_contributions_and_average_add_up_to_the_prediction(finished_workspace: Path) -> None:
    calibrator = json.loads(next((finished_workspace / "models").glob("*/model.json")).read_text())["calibrator"]
    stored = current_scores(finished_workspace).set_index("customer_id")
    assert calibrator["slope"] > 0
    for customer in [FORMULA, *stored.sort_values("churn_probability").index[[0, -1]]]:
        document = explain(job(finished_workspace), customer)
        total = document["average_log_odds"] + sum(part["log_odds"] for part in document["contributions"])
        calibrated = calibrator["intercept"] + calibrator["slope"] * total
        assert calibrated + document["level_log_odds"] == pytest.approx(logit(document["churn_probability"]), abs=1e-6)
        assert document["churn_probability"] == pytest.approx(stored["churn_probability"][customer], abs=1e-12)
        assert document["churn_risk_band"] == stored["churn_risk_band"][customer]
        told = [stored[f"reason_{n + 1}"][customer] for n in range(3) if stored[f"reason_{n + 1}"][customer]]
        assert [reason["text"] for reason in document["reasons"]] == told


def test_an_unknown_customer_is_refused_without_the_id_of_another(finished_workspace: Path) -> None:
    known = current_scores(finished_workspace)["customer_id"].iloc[-1]
    done = CliRunner().invoke(app, ["explain", f"{known}x", "--project", str(finished_workspace)])
    assert done.exit_code == 2
    assert done.stdout == ""
    assert f"customer '{known}x' is not at risk" in done.stderr
    assert "C-" not in done.stderr.replace(f"{known}x", "")
    assert "Traceback" not in done.stderr


def test_an_order_placed_later_changes_no_score(copy: Path) -> None:
    before = current_scores(copy)
    late = [order(900_000 + n, customer, AS_OF + timedelta(days=n % 40), 250.0) for n, customer in enumerate(at_risk())]
    write_orders(copy / "commandes-2.csv", late)
    again = job(copy, now=NOW)
    assert sum(file["landed"] for file in stages.ingest(again)["files"]) >= len(late)
    assert stages.score_(again)["unchanged"] is True
    task = main_task(again.workspace)
    _, fitted = answering(task)
    rows, _ = rows_at_risk(task.snapshots.at(again.workspace.as_of))
    computed = dict(zip(rows.customers, fitted.day_probability(rows), strict=True))
    assert computed == dict(zip(before["customer_id"], before["churn_probability"], strict=True))
    pd.testing.assert_frame_equal(current_scores(copy), before, check_exact=True)


def test_an_order_placed_before_changes_the_scores(copy: Path) -> None:
    before = current_scores(copy).sort_values("churn_probability").iloc[-1]
    quiet = str(before["customer_id"])
    write_orders(copy / "commandes-2.csv", [order(900_000, quiet, AS_OF - timedelta(days=1), 80.0)])
    again = job(copy)
    stages.ingest(again)
    stages.score_(again)
    after = current_scores(copy).set_index("customer_id")["churn_probability"]
    assert after[quiet] < before["churn_probability"]


def test_without_mlflow_training_and_scoring_go_on_and_a_later_run_publishes(copy: Path) -> None:
    here = job(copy)
    away = _tracked(here, uri="http://127.0.0.1:9")
    trained = stages.train_(away)
    assert trained["unchanged"] is False
    assert trained["published"] is False
    scored = stages.score_(_later(away, AS_OF + timedelta(days=1)))
    assert scored["scored"] > 0
    assert stages.train_(_tracked(here, uri=None)) == trained | {"unchanged": True, "published": True}


def _tracked(found: RunContext, *, uri: str | None) -> RunContext:
    """The same job with other seeds to train on, so that there is a new version, and and MLflow at `uri`."""
    settings: Any = found.workspace.settings
    changed = settings.model_copy(
        update={
            "training": settings.training.model_copy(update={"seed": 8}),
            "backtest": settings.backtest.model_copy(update={"folds": 1}),
            "tracking": settings.tracking.model_copy(update={"uri": uri}),
        }
    )
    return replace(
        found, workspace=Workspace(found.workspace.root, changed, found.workspace.as_of, found.workspace.today)
    )


def _later(found: RunContext, as_of: date) -> RunContext:
    return replace(found, workspace=replace(found.workspace, as_of=as_of))
