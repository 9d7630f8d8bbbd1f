from __future__ import annotations

import tempfile
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from models import economics
from pipelines.data.landing.ingest import ingest
from pipelines.foundation.ledger.recommendations import COLUMNS, Recommended
from pipelines.foundation.ledger.score_store import ScoreRun
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.operations.plays.recommend import DAYS
from tests.pipelines.data.landing.landing_case import HEADER, ROW, source
from tests.pipelines.operations.plays.recommend_case import (
    CUSTOMERS,
    DAY,
    HELD_OUT,
    TREATED,
    done,
    noted,
    on,
    play,
    scored,
    workspace,
)
from tests.pipelines.stage_case import recommend

CALL, MESSAGE = play("call", capacity_per_week=2, cool_down_days=10), play("message", success_rate=0.2)
ONE, TWO, THREE = TREATED[:3]


def later(days: int) -> date:
    return DAY + timedelta(days=days)


def shown(found: Workspace, run: ScoreRun) -> dict[str, str]:
    rows = recommend(found, run)
    told = zip(rows["customer_id"], rows["recommended_play_code"], strict=True)
    return {customer: code for customer, code in told if code}


def test_without_plays_there_is_nothing_to_show_and_nothing_is_noted(tmp_path: Path) -> None:
    found = workspace(tmp_path)
    rows = recommend(found, scored(found, {ONE: 100.0, HELD_OUT[0]: 100.0}))
    assert rows.to_dict("list") == {
        "customer_id": [ONE, HELD_OUT[0]],
        "treatment_group": ["", ""],
        "recommended_play_code": ["", ""],
        "recommended_play": ["", ""],
    }
    assert noted(found) == []


@pytest.mark.parametrize(("language", "said"), [("en", "Call: Do it."), ("fr", "Le call\u00a0: Faire.")])
def test_a_play_is_shown_in_the_language_of_the_workspace_but_not_for_the_held_out(
    tmp_path: Path, language: str, said: str
) -> None:
    found = workspace(tmp_path, CALL, language=language)
    rows = recommend(found, scored(found, {ONE: 100.0, HELD_OUT[0]: 120.0}))
    assert rows.to_dict("list") == {
        "customer_id": [ONE, HELD_OUT[0]],
        "treatment_group": ["treatment", "holdout"],
        "recommended_play_code": ["call", ""],
        "recommended_play": [said, ""],
    }


def test_both_groups_are_noted_with_what_was_expected(tmp_path: Path) -> None:
    found = workspace(tmp_path, CALL)
    run = scored(found, {ONE: 100.0, HELD_OUT[0]: 120.0})
    recommend(found, run)
    rows = Recommended(found.store).read().set_index("customer_id")
    assert list(rows.loc[ONE]) == ["call", "2025-06-02", "treatment", 0.5, 200.0, pytest.approx(49.0), run.run_id]
    assert list(rows.loc[HELD_OUT[0]])[2:6] == ["holdout", 0.5, 240.0, pytest.approx(59.0)]
    assert ["customer_id", *rows.columns] == list(COLUMNS)


def test_the_expected_profit_is_that_of_the_report(tmp_path: Path) -> None:
    offer = play("offer", contact_cost=3.0, offer_cost=20.0, success_rate=0.4)
    found = workspace(tmp_path, offer, kept_months=12.0)
    recommend(found, scored(found, {ONE: 90.0}, churn_probability=[0.3]))
    kept = np.array([90.0 / 0.3]) * 12 * economics.DAYS_PER_MONTH / 60
    wanted = economics.profit(np.array([0.3]), kept, offer.economics)
    assert Recommended(found.store).read()["expected_profit"].tolist() == pytest.approx(wanted.tolist())


@pytest.mark.parametrize("place", [0, 1, 2])
def test_any_of_the_three_reasons_calls_for_a_play(tmp_path: Path, place: int) -> None:
    found = workspace(tmp_path, CALL)
    codes = ["tenure", "nps", "country"]
    codes[place] = "support_speed"
    assert shown(found, scored(found, {ONE: 100.0}, *codes)) == {ONE: "call"}


def test_other_reasons_do_not(tmp_path: Path) -> None:
    found = workspace(tmp_path, CALL)
    assert shown(found, scored(found, {ONE: 100.0}, "tenure", "nps")) == {}


def test_of_plays_that_bring_the_same_it_is_the_one_for_the_stronger_reason(tmp_path: Path) -> None:
    found = workspace(tmp_path, play("one", ("nps",)), play("other", ("tenure",)))
    assert shown(found, scored(found, {ONE: 100.0}, "tenure", "nps")) == {ONE: "other"}


def test_the_money_decides_between_reasons(tmp_path: Path) -> None:
    found = workspace(tmp_path, play("one", ("nps",), success_rate=0.6), play("other", ("tenure",)))
    assert shown(found, scored(found, {ONE: 100.0}, "tenure", "nps")) == {ONE: "one"}


def test_bands_and_value_at_risk_say_who_may_get_it(tmp_path: Path) -> None:
    found = workspace(tmp_path, play("call", bands=["medium"], min_value_at_risk=50.0))
    run = scored(
        found, {ONE: 100.0, TWO: 49.99, THREE: 50.0, TREATED[3]: 100.0},
        churn_risk_band=["high", "medium", "medium", "medium"],
    )  # fmt: skip
    assert shown(found, run) == {THREE: "call", TREATED[3]: "call"}


NEEDS = {"customer_age_days|subscription_age_days": 365, "loyalty_points": 1}


def test_a_play_goes_only_to_those_of_whom_what_it_says_is_known_to_be_true(tmp_path: Path) -> None:
    found = workspace(tmp_path, play("thanks", needs=NEEDS))
    names = TREATED[:7]
    indicators = pd.DataFrame(
        {
            "customer_id": [*names[:6], "C-of-nobody"],
            "customer_age_days": [365, 364, 7, None, None, 365, 365],
            "subscription_age_days": [None, None, 400, 900, None, 900, 900],
            "loyalty_points": [1, 50, 3, None, 9, 0, 1],
        }
    )
    rows = recommend(found, scored(found, dict.fromkeys(names, 100.0)), indicators=indicators)
    told = rows["customer_id"][rows["recommended_play_code"] == "thanks"]
    assert sorted(told) == sorted([names[0], names[2]])


def test_where_no_indicators_are_known_a_play_that_needs_some_is_not_recommended(tmp_path: Path) -> None:
    found = workspace(tmp_path, play("thanks", needs={"loyalty_points": 0}), play("call", contact_cost=30.0))
    assert shown(found, scored(found, {ONE: 100.0})) == {ONE: "call"}


def test_a_table_that_is_not_there_has_nothing_that_a_play_needs(tmp_path: Path) -> None:
    found = workspace(tmp_path, play("thanks", needs={"loyalty_points": 0}))
    indicators = pd.DataFrame({"customer_id": [ONE], "customer_age_days": [700]})
    rows = recommend(found, scored(found, {ONE: 100.0}), indicators=indicators)
    assert rows["recommended_play_code"].tolist() == [""]


def test_where_nothing_is_known_of_value_or_nothing_is_won_nothing_is_recommended(tmp_path: Path) -> None:
    found = workspace(tmp_path, play("free", contact_cost=0.0), play("call", contact_cost=1.0))
    run = scored(found, {ONE: None, TWO: 0.0, THREE: 10.0}, churn_probability=[0.9, 0.0, 0.5])
    assert shown(found, run) == {THREE: "free"}


def test_those_who_bring_most_get_the_places_and_the_others_another_play(tmp_path: Path) -> None:
    found = workspace(tmp_path, CALL, MESSAGE)
    run = scored(found, {ONE: 10.0, TWO: 30.0, THREE: 20.0})
    assert shown(found, run) == {TWO: "call", THREE: "call", ONE: "message"}


def test_of_customers_who_bring_the_same_the_first_by_name_goes_first(tmp_path: Path) -> None:
    found = workspace(tmp_path, play("call", capacity_per_week=1))
    assert shown(found, scored(found, {THREE: 10.0, ONE: 10.0, TWO: 10.0})) == {ONE: "call"}


def test_a_recommendation_is_shown_for_a_week_and_keeps_its_customer_and_its_place(tmp_path: Path) -> None:
    found = workspace(tmp_path, CALL)
    assert shown(found, scored(found, {ONE: 10.0, TWO: 30.0, THREE: 20.0})) == {TWO: "call", THREE: "call"}
    for days in (1, 6):
        again = on(found, later(days))
        assert shown(again, scored(again, {ONE: 10.0, TWO: 1.0, THREE: 20.0})) == {TWO: "call", THREE: "call"}
    after = on(found, later(7))
    assert shown(after, scored(after, {ONE: 10.0, TWO: 30.0, THREE: 20.0})) == {ONE: "call"}  # the others are cooling
    assert [day for _, _, day, _ in noted(found)] == ["2025-06-02", "2025-06-02", "2025-06-09"]


def test_who_is_no_longer_scored_has_no_row_and_keeps_the_place(tmp_path: Path) -> None:
    found = workspace(tmp_path, play("call", capacity_per_week=1))
    recommend(found, scored(found, {ONE: 10.0}))
    tomorrow = on(found, later(1))
    assert recommend(tomorrow, scored(tomorrow, {TWO: 10.0}))["customer_id"].tolist() == [TWO]
    assert [customer for customer, *_ in noted(found)] == [ONE]


def test_the_cool_down_counts_from_the_last_recommendation_of_the_same_play(tmp_path: Path) -> None:
    found = workspace(tmp_path, CALL, MESSAGE)
    recommend(found, scored(found, {ONE: 10.0}))
    ninth, tenth = on(found, later(9)), on(found, later(10))
    assert shown(tenth, scored(tenth, {ONE: 10.0})) == {ONE: "call"}
    Recommended(found.store).replace(str(later(10)), Recommended(found.store).read().head(0))
    assert shown(ninth, scored(ninth, {ONE: 10.0})) == {ONE: "message"}


def test_the_cool_down_counts_from_what_was_really_done(tmp_path: Path) -> None:
    found = workspace(tmp_path, CALL)
    done(found, (ONE, "call", later(-9)), (TWO, "call", later(-10)), (THREE, "other", later(-1)))
    run = scored(found, {ONE: 10.0, TWO: 10.0, THREE: 5.0})
    assert shown(found, run) == {TWO: "call", THREE: "call"}


def test_what_is_done_on_the_day_itself_is_not_known_yet(tmp_path: Path) -> None:
    found = workspace(tmp_path, CALL)
    done(found, (ONE, "call", DAY))
    assert shown(found, scored(found, {ONE: 10.0})) == {ONE: "call"}


def test_treatments_count_as_they_land_and_only_from_when_they_were_known(tmp_path: Path) -> None:
    columns = {name: name for name in ("treatment_id", "customer_id", "treated_at", "play", "known_at")}
    late = f"3,{THREE},2025-05-30,call,2025-06-02\n"
    (tmp_path / "done.csv").write_text(
        f"{','.join(columns)}\n1,{ONE},2025-05-24,call,2025-05-24\n2,{TWO},2025-05-23,call,2025-05-24\n{late}"
    )
    (tmp_path / "orders.csv").write_text(HEADER + ROW)
    plain = workspace(tmp_path, CALL)
    sources = (source(), source("done.csv", table="treatments", columns=columns))
    plan = plain.settings.model_copy(update={"sources": sources, "time_zone": "UTC"})
    ingest(plain.store, plan, today=DAY)
    found = Workspace(tmp_path, plan, DAY, DAY, plain.plays)
    assert shown(found, scored(found, {ONE: 10.0, TWO: 10.0, THREE: 5.0})) == {TWO: "call", THREE: "call"}


def test_once_done_a_play_is_shown_no_more_and_no_other_takes_its_week(tmp_path: Path) -> None:
    found = workspace(tmp_path, CALL, MESSAGE)
    recommend(found, scored(found, {ONE: 10.0, TWO: 10.0}))
    tomorrow = on(found, later(1))
    done(tomorrow, (ONE, "call", DAY), (TWO, "message", DAY))
    assert shown(tomorrow, scored(tomorrow, {ONE: 10.0, TWO: 10.0})) == {TWO: "call"}


def test_a_play_that_is_no_longer_in_the_file_is_shown_no_more(tmp_path: Path) -> None:
    found = workspace(tmp_path, CALL)
    recommend(found, scored(found, {ONE: 10.0}))
    changed = workspace(tmp_path, MESSAGE, day=later(1))
    assert shown(changed, scored(changed, {ONE: 10.0})) == {}


def test_whom_a_larger_share_holds_out_is_shown_nothing_from_then_on(tmp_path: Path) -> None:
    found = workspace(tmp_path, CALL)
    recommend(found, scored(found, {ONE: 10.0}))
    changed = workspace(tmp_path, CALL, day=later(1), holdout_share=0.999)
    rows = recommend(changed, scored(changed, {ONE: 10.0}))
    assert rows[["treatment_group", "recommended_play"]].to_numpy().tolist() == [["holdout", ""]]


def test_whom_a_smaller_share_lets_in_waits_for_the_end_of_the_week(tmp_path: Path) -> None:
    found = workspace(tmp_path, play("call", cool_down_days=0))
    recommend(found, scored(found, {HELD_OUT[0]: 10.0}))
    for days, wanted in ((6, {}), (7, {HELD_OUT[0]: "call"})):
        changed = workspace(tmp_path, play("call", cool_down_days=0), day=later(days), holdout_share=0.0)
        assert shown(changed, scored(changed, {HELD_OUT[0]: 10.0})) == wanted


def test_the_same_day_again_gives_the_same_and_new_scores_replace_it_whole(tmp_path: Path) -> None:
    found = workspace(tmp_path, CALL)
    run = scored(found, {ONE: 10.0, HELD_OUT[0]: 50.0})
    first = recommend(found, run)
    rows = noted(found)
    pd.testing.assert_frame_equal(recommend(found, run), first)
    assert noted(found) == rows
    assert shown(found, scored(found, {TWO: 10.0}, run="b")) == {TWO: "call"}
    assert noted(found) == [(TWO, "call", "2025-06-02", "treatment")]


def test_a_day_that_others_followed_keeps_what_it_recommended(tmp_path: Path) -> None:
    found, tomorrow = workspace(tmp_path, CALL), workspace(tmp_path, CALL, day=later(1))
    before = recommend(found, scored(found, {ONE: 10.0, HELD_OUT[0]: 10.0}))
    recommend(tomorrow, scored(tomorrow, {TWO: 10.0}))
    rows = noted(found)
    again = recommend(found, scored(found, {ONE: 10.0, HELD_OUT[0]: 10.0, THREE: 99.0}, run="b"))
    assert again.set_index("customer_id")["recommended_play_code"].to_dict() == {
        ONE: "call",
        HELD_OUT[0]: "",
        THREE: "",
    }
    assert before["recommended_play_code"].tolist() == ["call", ""]
    assert noted(found) == rows


def test_a_day_that_is_filled_in_takes_nothing_from_later_ones(tmp_path: Path) -> None:
    found, after = workspace(tmp_path, CALL), workspace(tmp_path, CALL, day=later(6))
    recommend(after, scored(after, {ONE: 10.0}))
    run = scored(found, {ONE: 50.0, TWO: 20.0, THREE: 30.0})
    assert shown(found, run) == {THREE: "call"}  # one place of two is left in the week that holds both days
    assert shown(after, scored(after, {ONE: 10.0})) == {ONE: "call"}


def test_who_objected_has_no_row_and_takes_no_place(tmp_path: Path) -> None:
    (tmp_path / "objections.csv").write_text(f"customer_id\n{ONE}\n")
    found = workspace(tmp_path, play("call", capacity_per_week=1))
    plan = found.settings.privacy.model_copy(update={"objections": "objections.csv"})
    refusing = Workspace(tmp_path, found.settings.model_copy(update={"privacy": plan}), DAY, DAY, found.plays)
    vars(refusing)["tables"] = {}
    rows = recommend(refusing, scored(refusing, {ONE: 90.0, TWO: 10.0}))
    assert rows[["customer_id", "recommended_play_code"]].to_numpy().tolist() == [[TWO, "call"]]


def test_where_nobody_is_left_there_are_no_rows(tmp_path: Path) -> None:
    found = workspace(tmp_path, CALL)
    run = scored(found, {ONE: 10.0})
    (tmp_path / "consent.csv").write_text("customer_id,given\n")
    plan = found.settings.privacy.model_copy(update={"consent": "consent.csv"})
    refusing = Workspace(tmp_path, found.settings.model_copy(update={"privacy": plan}), DAY, DAY, found.plays)
    vars(refusing)["tables"] = {}
    assert len(recommend(refusing, run)) == 0


def worth(day: int) -> dict[str, float | None]:
    """Value at risk of every customer, another on each day and the same whenever it is asked for."""
    chance = np.random.default_rng(day)
    return dict(zip(CUSTOMERS[:14], chance.integers(0, 30, 14).astype(float).tolist(), strict=True))


PLAYS = st.builds(
    lambda code, capacity, cool_down, success: play(
        code, capacity_per_week=capacity, cool_down_days=cool_down, success_rate=success
    ),
    st.sampled_from(["a", "b", "c"]),
    st.one_of(st.none(), st.integers(1, 3)),
    st.integers(0, 12),
    st.sampled_from([0.2, 0.4]),
)


@given(
    st.lists(PLAYS, min_size=1, max_size=3, unique_by=lambda each: each.code),
    st.lists(st.integers(0, 16), min_size=1, max_size=7),
)
@settings(max_examples=12, phases=[Phase.generate])  # making a case smaller takes minutes
def test_whatever_days_are_run_in_whatever_order_no_rule_is_broken(plays: list, days: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = workspace(Path(folder), *plays)
        for number in days:
            today = on(found, later(number))
            run = scored(today, worth(number))
            before = noted(today)
            rows = recommend(today, run)
            after = noted(today)
            assert [row for row in after if row[2] != str(today.as_of)] == [
                row for row in before if row[2] != str(today.as_of)
            ]
            pd.testing.assert_frame_equal(recommend(today, run), rows)
            assert noted(today) == after
            assert rows["customer_id"].is_unique
            hidden = rows[rows["customer_id"].isin(HELD_OUT)]
            assert (hidden[["recommended_play_code", "recommended_play"]] == "").all().all()
            assert set(hidden["treatment_group"]) == {"holdout"}
        holds(after, {each.code: each for each in plays})


def holds(rows: list[tuple[str, str, str, str]], plays: dict) -> None:
    """Capacity in every 7 days, a play a week for each customer, and cool-downs."""
    told = [(customer, code, date.fromisoformat(day), group) for customer, code, day, group in rows]
    for start in {day for _, _, day, _ in told}:
        taken = Counter(code for _, code, day, group in told if group == "treatment" and 0 <= (day - start).days < DAYS)
        for code, count in taken.items():
            limit = plays[code].capacity_per_week
            assert limit is None or count <= limit, (start, code)
    for customer, code, day, group in told:
        assert group == ("holdout" if customer in HELD_OUT else "treatment")
        for other, its_code, its_day, _ in told:
            if other == customer and its_day > day:
                apart = (its_day - day).days
                assert apart >= DAYS
                assert its_code != code or apart >= plays[code].cool_down_days
