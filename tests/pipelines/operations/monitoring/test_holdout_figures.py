"""Who stands in for customers whom plays may have kept, and which figures of the model that leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.realised import RATIO, realised
from pipelines.foundation.ledger.recommendations import Recommended
from pipelines.operations.monitoring.holdout_figures import around, count, stand_ins
from tests.models.model_case import QUESTION
from tests.pipelines.operations.monitoring.company_case import job_of
from tests.pipelines.operations.plays.impact_case import TODAY, recommend, recommended
from tests.pipelines.shop_case import make_shop


def near(treated: list[str], held: list[str]) -> pd.DataFrame:
    groups = ["treatment"] * len(treated) + ["holdout"] * len(held)
    return pd.DataFrame({"customer_id": treated + held, "treatment_group": groups})


def scored(customers: list[str], left: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": customers, "label": left})


def test_the_held_out_stand_for_those_recommended_a_play_and_the_others_for_themselves() -> None:
    rows = scored(["A", "B", "C", "D", "E", "F"], [0, 0, 0, 1, 0, 1])
    found = stand_ins(near(["A", "B", "C"], ["D", "Z"]), rows)
    assert found is not None
    assert found.weights.tolist() == [0, 0, 0, 4, 1, 1]
    assert (found.recommended, found.held_out, found.held_out_left) == (3, 1, 1)
    assert not found.enough


def test_where_nobody_was_recommended_anything_nobody_needs_a_stand_in() -> None:
    assert stand_ins(near([], ["A"]), scored(["A", "B"], [0, 1])) is None
    assert stand_ins(near(["Z"], []), scored(["A", "B"], [0, 1])) is None


def test_without_anybody_held_out_there_is_no_stand_in() -> None:
    found = stand_ins(near(["A"], []), scored(["A", "B"], [0, 1]))
    assert found is not None
    assert found.weights.tolist() == [0, 1]
    assert not found.enough


@pytest.mark.parametrize(("held", "left", "enough"), [(30, 5, True), (29, 5, False), (30, 4, False)])
def test_thirty_held_out_of_whom_five_left_are_enough(held: int, left: int, *, enough: bool) -> None:
    names = [f"C{number}" for number in range(held)]
    happened = [1.0] * left + [0.0] * (held - left + 1)
    found = stand_ins(near(["T"], names), scored([*names, "T"], happened))
    assert found is not None
    assert found.enough is enough


def test_kept_customers_are_no_error_of_a_model_that_is_right() -> None:
    random = np.random.default_rng(2)
    chance = random.beta(1, 6, 6_000)
    names = np.array([f"C{number}" for number in range(6_000)])
    risky = chance > np.quantile(chance, 0.8)
    held = risky & (random.random(6_000) < 0.2)
    treated = risky & ~held
    left = (random.random(6_000) < np.where(treated, 0.3 * chance, chance)).astype(np.float64)
    others = stand_ins(near(list(names[treated]), list(names[held])), scored(list(names), list(left)))
    assert others is not None
    assert others.enough
    arguments = left, chance, names.astype(object)
    everybody = realised(*arguments, samples=200, seed=1)
    fair = realised(*arguments, samples=200, seed=1, weights=others.weights)
    assert everybody["intervals"][RATIO][1] < 0.8
    low, high = fair["intervals"][RATIO]
    assert low < 1 < high
    low, high = fair["intervals"]["calibration_slope"]
    assert low < 1 < high
    untouched = (random.random(6_000) < chance).astype(np.float64)
    area = realised(untouched, *arguments[1:], samples=2, seed=1)["roc_auc"]
    assert everybody["roc_auc"] < area - 0.03
    low, high = fair["intervals"]["roc_auc"]
    assert low < area < high
    assert fair["n"] == 6_000


def test_recommendations_that_may_touch_the_window_count_by_the_first(tmp_path: Path) -> None:
    workspace = job_of(make_shop(tmp_path / "shop"), TODAY).workspace
    span = timedelta(days=workspace.settings.outcome.horizon_days)
    day = date(2024, 3, 1)
    recommend(
        workspace.root,
        recommended(["A", "B"], play="call", day=day - span, held_out=1),
        recommended(["C", "B"], play="call", day=day + span - timedelta(days=1), held_out=0),
        recommended(["D"], play="call", day=day - span - timedelta(days=1), held_out=0),
        recommended(["E"], play="call", day=day + span, held_out=0),
    )
    found = (
        around(Recommended(workspace.store).read(), workspace.settings.question, day)
        .set_index("customer_id")["treatment_group"]
        .to_dict()
    )
    assert found == {"A": "treatment", "B": "holdout", "C": "treatment"}


@given(
    asked=st.lists(
        st.tuples(st.sampled_from("ABCDEFGH"), st.integers(-70, 70), st.sampled_from(["treatment", "holdout"])),
        max_size=20,
    ),
    left=st.lists(st.sampled_from([0.0, 1.0]), min_size=8, max_size=8),
    lead=st.sampled_from([0, 5]),
)
def test_who_counts_for_how_many_is_what_the_words_say(
    asked: list[tuple[str, int, str]], left: list[float], lead: int
) -> None:
    """Each by the first recommendation within lead and horizon (30 days) before the day, or before the window's end."""
    day, reach = date(2024, 3, 1), lead + 30
    ordered = sorted(asked, key=lambda each: (each[1], each[0]))
    rows = pd.DataFrame(
        {
            "customer_id": [name for name, _, _ in ordered],
            "recommended_on": [str(day + timedelta(days=after)) for _, after, _ in ordered],
            "treatment_group": [group for _, _, group in ordered],
        },
        dtype="str",
    )
    group: dict[str, str] = {}
    for name, after, each in ordered:
        if -reach <= after < reach:
            group.setdefault(name, each)
    people = scored(list("ABCDEFGH"), left)
    around_it = around(rows, replace(QUESTION, lead_days=lead, horizon_days=30), day)
    found = stand_ins(around_it, people)
    counts = {each: [name for name in "ABCDEFGH" if group.get(name) == each] for each in ("treatment", "holdout")}
    assert count(around_it, people) == len(counts["holdout"])
    if not counts["treatment"]:
        assert found is None
        return
    assert found is not None
    right = {"treatment": 0.0, "holdout": len(group) / len(counts["holdout"]) if counts["holdout"] else 0.0}
    assert found.weights.tolist() == pytest.approx([right.get(group.get(name, ""), 1.0) for name in "ABCDEFGH"])
    assert (found.recommended, found.held_out) == (len(counts["treatment"]), len(counts["holdout"]))
    gone = {name for name, happened in zip("ABCDEFGH", left, strict=True) if happened}
    assert found.held_out_left == len(gone & set(counts["holdout"]))
