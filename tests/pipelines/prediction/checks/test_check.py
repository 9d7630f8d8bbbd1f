"""What `check` says of a workspace: what there is, what is odd or missing, and what to type next."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from features.cohort import Cohort
from models.matrix import model_columns
from models.question import Question
from pipelines.data.landing.ingest import ingest
from pipelines.data.snapshots.workspace_snapshots import snapshots_of
from pipelines.foundation.settings.sources import DatabaseSource, QuerySource
from pipelines.foundation.workspace.console import Console
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.foundation.workspace.workspace import Workspace, open_workspace
from pipelines.prediction.checks.check import OF_RHYTHM, check, untold_columns
from pipelines.prediction.checks.rejects import LOST
from tests.pipelines.foundation.workspace.test_workspace import (
    CONTACTS,
    MOMENTS,
    NOON,
    ORDERS,
    SHOP,
    changed,
    daily,
    made,
    opened,
)

ROOT = Path(__file__).parents[4]
REVERSALS = "orders.cancelled_at|orders.refunded_at|orders.amount<0|order_lines.quantity<0"
YEAR = [
    row.replace(",A,", f",c{number % 40},") for number, row in enumerate(daily(date(2023, 6, 1), date(2024, 6, 30)))
]
HEAVY = ("mlflow", "lightgbm", "sklearn", "shap", "matplotlib", "scipy", "pandas", "optuna")


def looked(workspace: Workspace) -> dict[str, Any]:
    return check(RunContext(workspace, Console(quiet=True), NOON))


def test_families_that_lack_columns_are_named_with_these_as_far_as_is_known_that_day(tmp_path: Path) -> None:
    orders = ["1,ann,2024-05-01 12:00,10", "2,ben,2024-05-02 12:00,10", "3,ann,2024-05-20 12:00,-10"]
    contacts = ["1,ann,2024-05-03 12:00"]
    of = snapshots_of(
        opened(tmp_path, changed(SHOP, sources=(ORDERS, CONTACTS)), orders=orders, support_contacts=contacts)
    )
    before, after = (untold_columns(of, day) for day in (date(2024, 5, 10), date(2024, 6, 1)))
    assert before[0] == {"family": "purchases", "indicators": 3, "for_want_of": [REVERSALS]}
    assert [each["family"] for each in before] == ["purchases", "support"]
    assert after == before[1:]
    assert after[0]["indicators"] == 10
    assert "support_contacts.resolved_at" in after[0]["for_want_of"]


# The document


def test_an_empty_workspace_is_told_to_land_its_files(tmp_path: Path) -> None:
    found = looked(open_workspace(made(tmp_path, SHOP, orders=YEAR), now=NOON))
    assert found["tables"] == {}
    assert found["notes"] == ["nothing has landed yet: run `attrition ingest`"]
    assert found["next"] == f"attrition ingest --project {tmp_path}"


def test_a_table_is_told_with_its_period_its_age_and_its_rejects(tmp_path: Path) -> None:
    source = ORDERS.model_copy(update={"max_rejected_share": 0.5, "guests": ("guest",)})
    orders = [*YEAR, "x1,ann,2024-06-30 12:00,abc", "x2,,2024-06-30 12:00,9", "x3,ann,2024-06-30 12:00,"]
    orders += ["x4,guest,2024-06-30 12:00,9", YEAR[0], "x5,ann,2024-06-30 12:00,xyz"]
    found = looked(opened(tmp_path, changed(SHOP, sources=(source,)), orders=orders))
    assert found["tables"] == {"orders": len(YEAR)}
    assert found["seen"] == {
        "orders": {
            "rows": len(YEAR),
            "first": "2023-06-01",
            "last": "2024-06-30",
            "days_since_newest": 1,
            "rejected": 6,
            "reasons": {
                "amount is not a number": 2,
                "amount is empty": 1,
                "customer_id is empty": 1,
                "of guests": 1,
                "repeats an earlier row": 1,
            },
        }
    }


def test_rejects_whose_file_is_gone_are_counted_as_such_until_it_is_there_again(tmp_path: Path) -> None:
    workspace = opened(tmp_path, orders=[*YEAR, "bad,ann,2024-06-30 12:00,x", "worse,ann,never,1"])
    before = looked(workspace)["seen"]["orders"]
    (file,) = (tmp_path / "rejected" / "orders").iterdir()
    file.unlink()
    found = looked(open_workspace(tmp_path, now=NOON))["seen"]["orders"]
    assert found == before | {"reasons": {LOST: 2}}
    ingest(workspace.store, workspace.settings, today=workspace.today)
    assert looked(open_workspace(tmp_path, now=NOON))["seen"]["orders"] == before


def test_rejects_under_pseudonyms_have_the_same_reasons(tmp_path: Path) -> None:
    source = ORDERS.model_copy(update={"max_rejected_share": 0.5})
    private = SHOP.privacy.model_copy(update={"pseudonymise": True})
    orders = [*YEAR, "x1,ann,2024-06-30 12:00,abc"]
    found = looked(opened(tmp_path, changed(SHOP, sources=(source,), privacy=private), orders=orders))
    assert found["seen"]["orders"]["reasons"] == {"amount is not a number": 1}


def test_freshness_is_of_the_day_looked_from_and_never_below_0(tmp_path: Path) -> None:
    opened(tmp_path, orders=YEAR)
    for day, age in ((date(2024, 1, 1), 0), (date(2024, 7, 11), 11)):
        found = looked(open_workspace(tmp_path, now=NOON, as_of=day))
        assert found["seen"]["orders"]["days_since_newest"] == age


def test_what_is_odd_is_in_the_document_and_not_said_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = opened(tmp_path, orders=[*YEAR, "x,ann,2042-01-01 12:00,10"])
    found = check(RunContext(workspace, Console(), NOON))
    (odd,) = found["odd"]
    assert (odd["kind"], odd["table"], odd["column"], odd["rows"]) == ("after_today", "orders", "ordered_at", 1)
    assert any("dated on the day of this run or later" in note for note in found["notes"])
    said = capsys.readouterr().err
    assert "odd: orders: 1 row dated after today (first 2042-01-01)" in said
    assert "dated on the day of this run" not in said


def test_a_pause_is_odd_in_orders_alone(tmp_path: Path) -> None:
    busy = [row for row in YEAR if not "2024-01-10" <= row.split(",")[2] < "2024-03-01"]
    contacts = [",".join(row.split(",")[:3]) for row in busy]
    settings = changed(SHOP, sources=(ORDERS, CONTACTS))
    found = looked(opened(tmp_path / "a", settings, orders=YEAR, support_contacts=contacts))
    assert found["odd"] == []
    found = looked(opened(tmp_path / "b", settings, orders=busy, support_contacts=contacts))
    assert [(each["kind"], each["table"]) for each in found["odd"]] == [("pause", "orders")]


# When there is enough to train


def test_before_anything_has_matured_the_first_snapshot_and_its_day_are_told(tmp_path: Path) -> None:
    found = looked(opened(tmp_path, orders=daily(date(2024, 5, 1), date(2024, 6, 30))))
    first = date.fromisoformat(found["first_snapshot"])
    assert first >= date(2024, 5, 1) + timedelta(days=SHOP.snapshots.min_history_days)
    assert found["training_snapshots"] == []
    assert found["enough"] is False
    assert found["more_from"] == {
        "snapshot_on": str(first),
        "day": str(first + timedelta(days=SHOP.question.maturity_days)),
    }
    assert found["next"] == f"attrition ingest --project {tmp_path}"


def test_outcomes_are_counted_where_they_are_computed_and_nothing_is_computed(tmp_path: Path) -> None:
    workspace = opened(tmp_path, orders=YEAR)
    before = looked(workspace)
    assert (before["matured"], before["enough"]) == (None, None)
    assert workspace.store.files("outcome") == []
    assert before["next"] == f"attrition train --project {tmp_path}"
    newest = date.fromisoformat(before["training_snapshots"][-1])
    outcomes = snapshots_of(workspace).at(newest).outcome_file
    assert outcomes is not None
    found = looked(workspace)
    assert found["matured"]["snapshot_on"] == str(newest)
    assert found["matured"]["happened"] + found["matured"]["not_happened"] == outcomes.detail["rows"]
    assert found["matured"]["complete"] is False
    assert found["enough"] is None  # few customers, and the other snapshots may have more
    assert len(workspace.store.files("outcome")) == 1


# The next command


def test_a_new_or_changed_file_has_to_land_first(tmp_path: Path) -> None:
    opened(tmp_path, orders=YEAR)
    assert not any("not landed" in note for note in looked(open_workspace(tmp_path, now=NOON))["notes"])
    made(tmp_path, SHOP, orders=[*YEAR, "new,ann,2024-06-30 12:00,10"])
    found = looked(open_workspace(tmp_path, now=NOON))
    assert found["next"] == f"attrition ingest --project {tmp_path}"
    assert found["notes"][0] == "1 file has not landed, and nothing here counts it: orders.csv"


def test_rows_are_those_that_hold(tmp_path: Path) -> None:
    """A new amount of an order is another version of it, and no other order."""
    workspace = opened(tmp_path, orders=YEAR)
    made(tmp_path, SHOP, orders=[row.replace(",10", ",11") for row in YEAR])
    ingest(workspace.store, workspace.settings, today=date(2024, 7, 8))
    found = looked(open_workspace(tmp_path, now=NOON))
    assert found["tables"]["orders"] == found["seen"]["orders"]["rows"] == len(YEAR)


def test_a_database_that_has_landed_is_not_asked_for_again(tmp_path: Path) -> None:
    """Whether it holds anything new, only the next `ingest` can tell."""
    columns = [name for name in ORDERS.columns if name != "amount"]
    query = f"SELECT {', '.join(columns)}, summe AS amount FROM shop"
    source = DatabaseSource(table="orders", url="sqlite:///shop.db", query=query, dialect=MOMENTS)
    made(tmp_path, changed(SHOP, sources=(source,)))
    with closing(sqlite3.connect(tmp_path / "shop.db")) as shop:
        shop.execute(f"CREATE TABLE shop ({', '.join(columns)}, summe)")
        shop.executemany("INSERT INTO shop VALUES (?, ?, ?, ?)", [row.split(",") for row in YEAR])
        shop.commit()
    workspace = open_workspace(tmp_path, now=NOON)
    assert looked(workspace)["next"] == f"attrition ingest --project {tmp_path}"
    ingest(workspace.store, workspace.settings, today=workspace.today)
    assert looked(open_workspace(tmp_path, now=NOON))["next"] == f"attrition train --project {tmp_path}"


def test_another_day_to_look_from_stands_in_the_command(tmp_path: Path) -> None:
    opened(tmp_path, orders=YEAR)
    for day, more in ((date(2024, 7, 1), ""), (date(2024, 6, 1), " --as-of 2024-06-01")):
        found = looked(open_workspace(tmp_path, now=NOON, as_of=day))
        assert found["next"] == f"attrition train --project {tmp_path}{more}"


def test_an_export_of_long_ago_is_to_be_looked_at_from_its_end(tmp_path: Path) -> None:
    opened(tmp_path, orders=YEAR)  # to 2024-06-30, and 31 days without news are allowed
    for day, typed in ((1, "train --project {}"), (2, "run --project {} --as-of 2024-07-01")):
        found = looked(open_workspace(tmp_path, now=datetime(2024, 8, day, 12, tzinfo=UTC)))
        assert found["next"] == f"attrition {typed.format(tmp_path)}"


@pytest.mark.parametrize("kind", ["ever_ordered", "subscribed"])
def test_the_start_model_adds_as_many_columns_as_are_counted(kind: Any) -> None:
    by_contract = kind == "subscribed"
    asked = Question.of(
        "churn" if by_contract else "inactivity",
        lead_days=0,
        horizon_days=90,
        cohort=Cohort(kind=kind),
        endings=SHOP.endings,
        price_rise_is_expansion=False,
    )
    own = ("orders_30d", "orders_90d")
    assert model_columns(own, asked, start_model=False) == own
    found = model_columns(own, asked, start_model=True)
    assert found[: len(own)] == own
    assert len(found) == len(own) + (0 if asked.by_contract else OF_RHYTHM)


# What is not loaded


def loaded(folder: Path, *words: str) -> set[str]:
    """What of HEAVY a command has loaded in a process of its own, once it has ended well."""
    asked = (
        "import sys; from pipelines.cli import main; sys.argv = ['attrition', *sys.argv[1:]]\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code\n"
        f"print('loaded', *[each for each in {HEAVY!r} if each in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked, *words],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *_, last = done.stdout.splitlines()
    assert last.startswith("loaded")
    return set(last.split()[1:])


def test_help_loads_no_library_that_only_models_need(tmp_path: Path) -> None:
    assert loaded(tmp_path, "--help") == set()


@pytest.mark.parametrize("state", ["empty", "landed", "computed"])
def test_check_loads_none_either(tmp_path: Path, state: str) -> None:
    asked = "SELECT contact_id, customer_id, opened_at FROM 'contacts.csv'"
    contacts = QuerySource(table="support_contacts", query=asked, dialect=MOMENTS)
    settings = changed(SHOP, sources=(ORDERS, contacts))
    made(tmp_path, settings, orders=YEAR)
    (tmp_path / "contacts.csv").write_text("contact_id,customer_id,opened_at\n1,c1,2024-06-03 12:00\n")
    if state != "empty":
        workspace = opened(tmp_path, settings, orders=YEAR)
        if state == "computed":
            day = workspace.calendar.training_days(workspace.as_of)[-1]
            assert snapshots_of(workspace).at(day).outcome_file is not None
    assert loaded(tmp_path, "check", "--as-of", "2024-07-01") == set()
