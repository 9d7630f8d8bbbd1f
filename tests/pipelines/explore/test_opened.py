"""What a data scientist gets is what the commands have."""

from __future__ import annotations

import doctest
import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import cross_val_score

from features import purchases
from features.asof import AsOf
from features.catalog import Lookbacks
from features.errors import AttritionError, DataError, TrainingError
from pipelines.explore import OpenedWorkspace, open_workspace
from pipelines.foundation.workspace.init import default_plays
from tests.pipelines.explore.plays_case import with_plays
from tests.pipelines.shop_case import FORMULA, attrition

DAY = "2025-01-10"


@pytest.fixture(scope="module")
def ws(finished_workspace: Path) -> OpenedWorkspace:
    return open_workspace(finished_workspace)


def document(root: Path, *words: str) -> dict[str, Any]:
    done = attrition(*words, "--json", "--project", str(root))
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_few_names_and_each_is_explained() -> None:
    names = [name for name in vars(OpenedWorkspace) if not name.startswith("_")]
    assert len(names) <= 20
    assert [name for name in names if not getattr(OpenedWorkspace, name).__doc__] == []


def test_the_examples_run(ws: OpenedWorkspace) -> None:
    found = doctest.DocTestFinder(recurse=False).find(OpenedWorkspace, globs={"ws": ws})
    results = [doctest.DocTestRunner().run(each) for each in found]
    assert [(each.failed, each.attempted > 5) for each in results] == [(0, True)]


def test_it_tells_where_the_workspace_stands(ws: OpenedWorkspace) -> None:
    said = repr(ws)
    (champion,) = ws.models().query("champion").index
    assert f"champion  {champion} of 20" in said
    assert "inactivity within 60 days" in said
    assert f"{len(ws.days)} snapshots to learn from" in said
    assert f"{len(ws.scores())} customers at 2025-06-01" in said


def test_tables_are_typed_and_known_by_name(ws: OpenedWorkspace) -> None:
    assert list(ws.tables) == ["orders"]
    orders = ws.tables["orders"]
    assert {str(orders[name].dtype) for name in ("amount", "refunded_amount")} == {"float64"}
    assert {orders[name].dtype.kind for name in ("ordered_at", "ordered_on", "known_at")} == {"M"}
    assert "landed_order" not in orders
    with pytest.raises(KeyError, match="There are orders"):
        ws.tables["order"]


def test_a_snapshot_holds_what_the_catalog_names(ws: OpenedWorkspace) -> None:
    known, newest = ws.snapshot(DAY), ws.snapshot("2025-06-20")
    assert list(known.columns) == [*ws.indicators().index, "inactivity"]
    assert list(newest.columns) == list(ws.indicators().index)  # the data end before its outcome is known
    assert set(known["inactivity"].dropna().unique()) == {0, 1}
    assert {day.date() for day in known.index.get_level_values("snapshot_on")} == {date(2025, 1, 10)}


def test_folds_by_scikit_learn_are_those_of_the_backtest(ws: OpenedWorkspace) -> None:
    """Rows of a customer stay together, and later days judge, without being told so: the index says whose they are."""
    X, y, groups = ws.training_set(ws.splits().days)  # noqa: N806 - scikit-learn's name
    found = cross_val_score(ws.classifier(), X, y, groups=groups, cv=ws.splits(), scoring="neg_log_loss")
    tested = ws.backtest().xs("attrition", level="model")
    assert (-found).tolist() == pytest.approx(tested["log_loss"].tolist(), abs=1e-12)
    assert len(found) == 2


def test_the_champion_gives_the_scores_to_the_last_bit(ws: OpenedWorkspace) -> None:
    X = ws.model_input()  # noqa: N806
    probability = pd.Series(ws.model().predict_proba(X)[:, 1], index=X.index.get_level_values("customer_id"))
    scores = ws.scores(holdout=True)["churn_probability"]
    assert len(scores) > 100
    assert probability.loc[scores.index].tolist() == scores.tolist()


def test_every_version_can_be_had(ws: OpenedWorkspace) -> None:
    (version,) = ws.models().index
    X = ws.model_input()  # noqa: N806
    expected = ws.model().predict_proba(X)
    for name in (version, "challenger"):
        assert (ws.model(name).predict_proba(X) == expected).all()
    with pytest.raises(TrainingError):
        ws.model("0123456789ab")


def test_an_explanation_is_that_of_the_command(ws: OpenedWorkspace, finished_workspace: Path) -> None:
    customer = ws.scores().index[3]
    found, told = ws.explain(customer), document(finished_workspace, "explain", customer)
    assert found.churn_probability == told["churn_probability"] == ws.scores()["churn_probability"][customer]
    assert list(found.reasons) == [reason["text"] for reason in told["reasons"]]
    assert found.contributions["log_odds"].to_dict() == {
        each["code"]: each["log_odds"] for each in told["contributions"]
    }
    assert repr(found).startswith(f"{customer} at 2025-06-01: ")
    with pytest.raises(DataError, match="is not at risk"):
        ws.explain("nobody")


def test_contributions_add_up_to_each_prediction(ws: OpenedWorkspace) -> None:
    found, model = ws.contributions(), ws.model()
    X = ws.model_input()  # noqa: N806
    log_odds = found.values.sum(axis=1) + found.base_values
    calibrated = model.predict_proba(X)[:, 1]
    assert found.shape == (len(X), len(found.feature_names))
    assert list(found.feature_names) == list(X.columns.drop("level_log_odds"))
    order = np.argsort(log_odds, kind="stable")
    assert (np.diff(calibrated[order]) >= -1e-9).all()  # calibration keeps the order
    some = ws.contributions(at_most=20)
    assert len(some) == 20
    assert np.isclose(some.values[0], found.values).all(axis=1).any()
    assert np.isclose(some.values, ws.contributions(at_most=20).values).all()


def test_figures_by_month_are_those_of_the_command(ws: OpenedWorkspace, finished_workspace: Path) -> None:
    found = ws.kpis()
    told = document(finished_workspace, "kpis")["months"]
    assert [month for month, _ in found.index] == [each["month"] for each in told]
    assert found["customers_start"].tolist() == [each["customers_start"] for each in told]
    assert set(map(str, found.drop(columns="provisional").dtypes)) <= {"float64", "int64"}


def test_what_plays_changed_is_what_the_command_says(finished_workspace: Path, tmp_path: Path) -> None:
    root = with_plays(finished_workspace, tmp_path)
    found, told = open_workspace(root).impact(), document(root, "impact")
    assert found.index.tolist() == [*(each["play"] for each in told["plays"]), "all plays"]
    for name, each in [*((each["play"], each) for each in told["plays"]), ("all plays", told["overall"])]:
        row = found.loc[name]
        assert [row[column] for column in ("verdict", "treatment", "holdout", "unknown")] == [
            each[column] for column in ("verdict", "treatment", "holdout", "unknown")
        ]
        if each["customers"] is None:
            assert row.drop(["verdict", "treatment", "holdout", "unknown"]).isna().all()
        else:
            assert [row["kept_low"], row["kept"], row["kept_high"]] == [
                each["customers"][end] for end in ("low", "estimate", "high")
            ]
            assert row["left_holdout"] == each["left"]["holdout"] > 0
            assert row["judged_treatment"] == each["judged"]["treatment"]


def test_without_plays_there_is_nothing_that_they_changed(ws: OpenedWorkspace) -> None:
    assert ws.impact().empty


def test_whoever_is_held_out_is_shown_only_when_asked_for(finished_workspace: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(finished_workspace, tmp_path / "shop"))
    for name, content in default_plays().items():
        (root / name).write_bytes(content)
    opened = open_workspace(root)
    everybody, shown = opened.scores(holdout=True), opened.scores()
    hidden = everybody.index.difference(shown.index)
    assert 0 < len(hidden) < len(everybody) / 2
    with pytest.raises(DataError, match="held out by chance"):
        opened.explain(hidden[0])
    assert opened.explain(hidden[0], holdout=True).customer_id == hidden[0]


def test_whoever_objected_is_in_no_frame(finished_workspace: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(finished_workspace, tmp_path / "shop"))
    gone = open_workspace(root).scores().index[0]
    (root / "objections.csv").write_text(f"customer_id\n{gone}\n")
    settings = root / "attrition.toml"
    text = settings.read_text()
    assert text.count("\n[privacy]\n") == 1
    settings.write_text(text.replace("\n[privacy]\n", '\n[privacy]\nobjections = "objections.csv"\n'))
    opened = open_workspace(root)
    assert gone not in opened.scores(holdout=True).index
    assert gone not in set(opened.tables["orders"]["customer_id"])
    for frame in (opened.snapshot(DAY), opened.model_input(), opened.training_set(opened.days[:2])[0]):
        assert gone not in set(frame.index.get_level_values("customer_id"))
    with pytest.raises(DataError, match="has objected"):
        opened.explain(gone)


def test_days_of_which_nothing_is_known_are_told(ws: OpenedWorkspace, finished_workspace: Path) -> None:
    with pytest.raises(DataError, match=r"no outcome of 2025-06-20 is known"):
        ws.training_set(["2025-06-20"])
    with pytest.raises(DataError, match="no past day has both"):
        open_workspace(finished_workspace, as_of="2024-03-10").backtest()


# Indicators of one's own


def weekend(view: AsOf, at_risk: ir.Table, lookbacks: Lookbacks) -> ir.Table:
    orders = view["orders"]
    return orders.group_by("customer_id").agg(weekend_share=(orders.ordered_on.day_of_week.index() >= 5).mean())


def test_what_is_tried_stands_beside_the_training_set(ws: OpenedWorkspace) -> None:
    X, _, _ = ws.training_set(ws.days[-2:])  # noqa: N806
    found = ws.try_indicator(weekend, ws.days[-2:])
    joined = X.join(found)
    assert len(joined) == len(X)
    assert joined["weekend_share"].between(0, 1).all()
    orders = ws.tables["orders"]
    customer, day = joined.index[-1]
    mine = orders[(orders["customer_id"] == customer) & (orders["ordered_on"] < day)]
    assert joined["weekend_share"].iloc[-1] == (mine["ordered_on"].dt.day_of_week >= 5).mean()


def test_the_catalogs_own_computation_gives_the_snapshots_columns(ws: OpenedWorkspace) -> None:
    group = purchases.GROUP
    names = group.columns((30, 90))
    found = ws.try_indicator(group.compute, DAY)[names]
    expected = ws.snapshot(DAY)[names]
    same = (found == expected) | (found.isna() & (expected.isna() | (expected == 0)))  # the catalog says where 0 stands
    assert same.all().all()


@pytest.mark.parametrize(
    ("compute", "said"),
    [
        (lambda view, _, __: view["orders"].amount.sum(), "a table with customer_id, and gave a DecimalScalar"),
        (lambda view, _, __: view["orders"].select("amount"), "a table with customer_id"),
        (lambda view, _, __: view["orders"].select("customer_id", "amount"), "customers several rows at 2025-06-01"),
        (
            lambda *_: ibis.memtable({"customer_id": ["C-0001"], "left": [1]}),
            "rows that are not of this day's as-of view",
        ),
        (lambda _, cohort, __: cohort.mutate(now=ibis.now()), "asks the clock"),
    ],
)
def test_what_is_no_indicator_is_told(ws: OpenedWorkspace, compute: Any, said: str) -> None:
    with pytest.raises(AttritionError, match=said):
        ws.try_indicator(compute)


def test_whoever_has_no_id_that_a_spreadsheet_runs_is_found_by_it(ws: OpenedWorkspace) -> None:
    assert FORMULA in set(ws.tables["orders"]["customer_id"])
