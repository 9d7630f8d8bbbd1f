"""What is said of each customer: literal scores, plays and days before."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from pipelines.foundation.settings.delivered_fields import FIELDS, STAMPS
from pipelines.operations.delivery.policy import content, records, withdrawal
from tests.pipelines.foundation.ledger.score_case import scores
from tests.pipelines.operations.delivery.destination_case import values

RUN = {
    "model_version": "aaaaaaaaaaaa",
    "scored_at": "2024-07-01T06:00:00+00:00",
    "data_as_of": "2024-06-30",
    "valid_until": "2024-07-31",
    "run_id": "run-1",
}


NO_PLAYS = pd.DataFrame({"customer_id": ["10", "É-2", "A-17"]}).assign(
    treatment_group="", recommended_play_code="", recommended_play=""
)


def plays(*groups: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": ["10", "É-2", "A-17"],
            "treatment_group": list(groups),
            "recommended_play_code": ["call", "", "offer"],
            "recommended_play": ["Call: ask what is wrong", "", "Offer: a month for free"],
        }
    )


def test_every_field_has_a_value_and_what_is_empty_is_null() -> None:
    found = records(scores(), before=None, plays=NO_PLAYS)
    assert list(found) == ["A-17", "É-2", "10"]
    assert found["É-2"] == {
        **dict.fromkeys(FIELDS),
        **RUN,
        "churn_probability": 0.3333,
        "churn_risk_band": "medium",
        "currency": "EUR",
        "horizon_days": 90,
        "suppressed": False,
    }
    assert found["10"]["reason_1"] == "dernière commande il y a 1\u202f000 jours"
    assert found["A-17"]["value_at_risk"] == 12.34


def test_values_are_plain_and_no_numbers_of_a_library() -> None:
    kinds = {
        type(value) for values in records(scores(), before=None, plays=NO_PLAYS).values() for value in values.values()
    }
    assert kinds <= {str, int, float, bool, type(None)}


@pytest.mark.parametrize(
    ("then", "trend"), [(0.32, "steady"), (0.28, "rising"), (0.3834, "falling"), (1 / 3 - 0.05, "rising")]
)
def test_the_trend_is_against_the_day_before(then: float, trend: str) -> None:
    before = scores(churn_probability=[0.1, then, 0.9], churn_risk_band=["low", "low", "high"])
    found = records(scores(), before=before, plays=NO_PLAYS)["É-2"]
    assert (found["risk_trend"], found["previous_risk_band"]) == (trend, "low")


def test_who_was_not_scored_the_day_before_has_no_trend() -> None:
    before = scores().iloc[:2]
    found = records(scores(), before=before, plays=NO_PLAYS)
    assert (found["10"]["risk_trend"], found["10"]["previous_risk_band"]) == (None, None)
    assert found["A-17"]["risk_trend"] == "steady"


def test_a_play_is_shown_in_words_and_by_its_code() -> None:
    found = records(scores(), before=None, plays=plays("treatment", "treatment", "treatment"))
    assert found["10"]["recommended_play"] == "Call: ask what is wrong"
    assert found["A-17"]["recommended_play_code"] == "offer"
    assert (found["É-2"]["recommended_play"], found["É-2"]["treatment_group"]) == (None, "treatment")


def test_of_who_is_held_out_nothing_is_shown_but_that() -> None:
    before = scores(churn_risk_band=["high"] * 3)
    found = records(scores(), before=before, plays=plays("holdout", "treatment", "treatment"))["10"]
    shown = {name: value for name, value in found.items() if value is not None}
    assert shown == {**RUN, "treatment_group": "holdout", "suppressed": True, "suppressed_why": "holdout"}


def test_a_withdrawal_leaves_nothing_but_why() -> None:
    found = withdrawal("objection", RUN)
    assert {name: value for name, value in found.items() if value is not None} == {
        **RUN,
        "suppressed": True,
        "suppressed_why": "objection",
    }
    assert set(found) == set(FIELDS)


def test_stamps_are_no_content_and_everything_else_is() -> None:
    first = content(values())
    for name in FIELDS:
        other: Any = 0.5 if FIELDS[name].kind == "number" else "other"
        assert (content(values(**{name: other})) == first) == (name in STAMPS), name
