"""Workspaces that somebody tampered with: refused by name or made again right, and nothing beside them is touched.

`make tampered` tries 2,000; here as many as the variable TAMPERED says.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.tampered.tampering import ALL, cases, kind_of
from tests.tampered.trial import Outcome, Whole, make, trial

COUNT = int(os.environ.get("TAMPERED", "60"))


@pytest.fixture(scope="module")
def whole(finished_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    return make(tmp_path_factory.mktemp("tampered"), finished_workspace)


@pytest.fixture(scope="module")
def outcomes(whole: Whole, tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    folder = tmp_path_factory.mktemp("trials")
    return [trial(whole, case, folder / str(case.number), commands=1) for case in cases(whole.root, COUNT)]


def test_no_tampered_workspace_ends_in_a_traceback_or_hangs(outcomes: list[Outcome]) -> None:
    assert [(each.case, each.crashes) for each in outcomes if each.crashes] == []


def test_nothing_outside_of_a_tampered_workspace_is_touched(outcomes: list[Outcome]) -> None:
    assert [(each.case, each.touched) for each in outcomes if each.touched] == []


def test_what_a_tampered_workspace_gives_out_is_what_a_whole_one_does(outcomes: list[Outcome]) -> None:
    assert [(each.case, each.altered) for each in outcomes if each.altered] == []


def test_what_refuses_names_the_file_and_says_what_to_do(outcomes: list[Outcome]) -> None:
    refusals = [said for each in outcomes for said in each.said]
    assert len(refusals) > COUNT / 4
    assert [said for said in refusals if ": attrition: " not in said or len(said) > 2000] == []


def test_the_2000_cases_are_of_every_kind_and_way(whole: Whole) -> None:
    every = {(kind_of(each.target), each.way) for each in cases(whole.root, 2000)}
    assert {way for _, way in every} == set(ALL)
    kinds = {kind for kind, _ in every}
    assert {place.name for place in whole.root.iterdir()} == kinds
    assert {"landed", "rejected", "snapshots", "models", "scores", "delivery", "receipts", "attrition.sqlite"} <= kinds
    assert {".attrition.lock", ".attrition-erased.key", ".attrition-erased.list", "mlflow.sqlite"} <= kinds
