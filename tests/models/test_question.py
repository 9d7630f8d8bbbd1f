"""What a model answers: equal questions are equal objects, and no answer is given to another."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import date
from typing import Any

import pytest

from features.cohort import Cohort
from features.errors import OutdatedModelError
from features.subscription_periods import Endings
from models.question import Question
from tests.models.model_case import QUESTION, fitted, train_rows

SUBSCRIBED = Cohort(kind="subscribed")
LATE = Endings(grace_days=3, involuntary_reasons=("unpaid",))


def asked(**changes: Any) -> Question:
    """Whether a subscriber is gone 60 days from a week on, unless told otherwise."""
    usual: dict[str, Any] = {
        "outcome": "churn",
        "lead_days": 7,
        "horizon_days": 60,
        "cohort": SUBSCRIBED,
        "endings": LATE,
        "price_rise_is_expansion": False,
    }
    parts = usual | changes
    return Question.of(parts.pop("outcome"), **parts)


def of_orders(**changes: Any) -> Question:
    return asked(**{"outcome": "inactivity", "cohort": Cohort(kind="ordered_within", active_days=90)} | changes)


# What it does not depend on


@pytest.mark.parametrize("kind", ["ever_ordered", "subscribed"])
def test_how_recently_somebody_ordered_is_asked_only_where_it_decides_who_is_at_risk(kind: Any) -> None:
    assert asked(cohort=Cohort(kind=kind, active_days=90)) == asked(cohort=Cohort(kind=kind, active_days=30))
    assert of_orders() != of_orders(cohort=Cohort(kind="ordered_within", active_days=30))
    assert of_orders().cohort.active_days == 90


@pytest.mark.parametrize("kind", ["ever_ordered", "ordered_within"])
def test_the_ends_of_contracts_are_read_only_where_somebody_is_bound_by_one(kind: Any) -> None:
    found = of_orders(cohort=Cohort(kind=kind))
    assert found == of_orders(cohort=Cohort(kind=kind), endings=Endings())
    assert found.endings is None
    assert not found.by_contract
    assert asked() != asked(endings=Endings())
    assert asked().endings == LATE
    assert asked().by_contract


@pytest.mark.parametrize("kind", ["churn", "voluntary", "involuntary", "contraction"])
def test_what_a_higher_price_counts_for_is_asked_of_expansions_alone(kind: Any) -> None:
    assert asked(outcome=kind, price_rise_is_expansion=True) == asked(outcome=kind)
    assert asked(outcome="expansion", price_rise_is_expansion=True) != asked(outcome="expansion")
    assert asked(outcome="expansion", price_rise_is_expansion=True).price_rise_is_expansion


# Its days


def test_the_window_begins_after_the_lead_and_ends_a_horizon_later() -> None:
    assert asked().window(date(2024, 2, 25)) == (date(2024, 3, 3), date(2024, 5, 2))
    assert asked(lead_days=0, horizon_days=1).window(date(2024, 2, 29)) == (date(2024, 2, 29), date(2024, 3, 1))


def test_an_outcome_of_orders_is_known_as_its_window_ends() -> None:
    assert of_orders().maturity_days == 67
    assert of_orders().known_on(date(2024, 2, 25)) == date(2024, 5, 2)


def test_an_outcome_of_contracts_is_known_a_grace_period_later() -> None:
    assert asked().maturity_days == 70
    assert asked().known_on(date(2024, 2, 25)) == date(2024, 5, 5)
    assert asked(endings=Endings(grace_days=0)).known_on(date(2024, 2, 25)) == date(2024, 5, 2)


# Written and read


@pytest.mark.parametrize(
    "question",
    [asked(), of_orders(), QUESTION, asked(outcome="expansion", price_rise_is_expansion=True)],
    ids=["of contracts", "of orders", "of everybody", "of more revenue"],
)
def test_written_and_read_it_is_the_same_question(question: Question) -> None:
    for found in (
        Question.from_json(question.to_json()),
        Question.from_json(json.loads(json.dumps(question.to_json()))),
    ):
        assert found == question
        assert hash(found) == hash(question)  # lists that JSON makes of tuples have none


@pytest.mark.parametrize(
    ("left_out", "added", "error"),
    [("endings", {}, KeyError), ("cohort", {}, KeyError), ("outcome", {}, TypeError), (None, {"also": 1}, TypeError)],
)
def test_another_text_is_refused(left_out: str | None, added: dict[str, Any], error: type[Exception]) -> None:
    text = {name: value for name, value in asked().to_json().items() if name != left_out}
    with pytest.raises(error):
        Question.from_json(text | added)


# What another asks differently


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (asked(), ""),
        (asked(outcome="voluntary"), "outcome.kind is churn, not voluntary"),
        (asked(lead_days=0), "outcome.lead_days is 7, not 0"),
        (asked(horizon_days=30), "outcome.horizon_days is 60, not 30"),
        (asked(endings=replace(LATE, grace_days=14)), "contracts.grace_days is 3, not 14"),
        (
            asked(endings=replace(LATE, involuntary_reasons=("failed", "unpaid"))),
            "contracts.involuntary_reasons is ['unpaid'], not ['failed', 'unpaid']",
        ),
        (
            replace(asked(), cohort=Cohort(kind="ordered_within", active_days=90)),
            "cohort.kind is subscribed, not ordered_within; cohort.active_days is 365, not 90",
        ),
        (asked(lead_days=0, horizon_days=30), "outcome.lead_days is 7, not 0; outcome.horizon_days is 60, not 30"),
        (replace(asked(), price_rise_is_expansion=True), "contracts.price_rise_is_expansion is False, not True"),
    ],
)
def test_a_difference_is_told_in_the_settings_own_names(other: Question, said: str) -> None:
    assert asked().difference(other) == said


def test_where_everything_differs_each_setting_is_named_once() -> None:
    other = Question(
        outcome="inactivity",
        lead_days=0,
        horizon_days=30,
        cohort=Cohort(kind="ordered_within", active_days=90),
        endings=None,
        price_rise_is_expansion=True,
    )
    names = [part.partition(" is ")[0] for part in asked().difference(other).split("; ")]
    assert names == [
        "outcome.kind",
        "outcome.lead_days",
        "outcome.horizon_days",
        "cohort.kind",
        "cohort.active_days",
        "contracts.grace_days",
        "contracts.involuntary_reasons",
        "contracts.price_rise_is_expansion",
    ]


def test_how_a_pause_is_read_is_part_of_the_question_since_indicators_are_read_so() -> None:
    counting = Endings(pause_pauses_mrr=False)
    for kind in ("churn", "contraction", "expansion"):
        found = asked(outcome=kind, endings=counting)
        assert found != asked(outcome=kind, endings=Endings())
        assert found.difference(asked(outcome=kind, endings=Endings())) == (
            "contracts.pause_pauses_mrr is False, not True"
        )
        assert Question.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_a_question_of_before_pauses_could_be_set_and_codes_were_spelled_is_the_same() -> None:
    now = asked(endings=Endings())
    then = now.to_json()
    reasons = ["payment failed", "payment_failed", "non_payment", "card_expired", "unpaid"]
    then["endings"] = {"grace_days": 14, "involuntary_reasons": reasons}
    assert Question.from_json(then) == now


# A model and rows

OTHERS: dict[str, list[Any]] = {
    "outcome": ["churn"],
    "lead_days": [1],
    "horizon_days": [61, 59],
    "cohort": [Cohort(kind="ordered_within"), Cohort(kind="ever_ordered", active_days=90)],
    "endings": [Endings(grace_days=3), Endings(involuntary_reasons=())],
    "price_rise_is_expansion": [True],
}


def test_every_part_of_a_question_is_tried() -> None:
    assert list(OTHERS) == [field.name for field in fields(Question)]


@pytest.mark.parametrize(("part", "other"), [(part, other) for part, others in OTHERS.items() for other in others])
def test_a_model_refuses_rows_of_another_question(part: str, other: Any) -> None:
    model, rows = fitted(), train_rows()
    changed: dict[str, Any] = {part: other}
    question = replace(QUESTION, **changed)
    assert len(model.probability(model.levelled(rows))) == len(rows)
    with pytest.raises(OutdatedModelError) as refused:
        model.levelled(replace(rows, question=question))
    assert str(refused.value) == (
        f"the rows ask another question than the model answers: {question.difference(QUESTION)}"
    )
