"""Satisfaction indicators over literal rows, seen from 1 June 2024, Paris."""

from __future__ import annotations

from typing import Any

from features.satisfaction import FAMILY
from tests.features.world_case import differing, fact, family_of


def _survey(kind: str, asked_at: str, answered_at: str | None = None, **more: Any) -> dict[str, Any]:
    return fact("a", kind=kind, asked_at=asked_at, answered_at=answered_at, **more)


def _of(*surveys: dict[str, Any]) -> Any:
    return family_of(FAMILY, "a", surveys=surveys).loc["a"]


def test_last_mark_is_that_of_the_last_answer_not_of_the_last_question() -> None:
    row = _of(
        _survey("nps", "2024-05-20", "2024-05-21", score=9),
        _survey("nps", "2024-05-01", "2024-05-30", score=4),
        _survey("nps", "2024-05-30"),
        _survey("csat", "2024-05-10", "2024-05-12", score=5),
        _survey("csat", "2024-05-20", "2024-05-22", score=3),
    )
    assert not differing(row, last_nps=4, nps_change=-5, days_since_last_nps=2, nps_detractor=1)
    assert not differing(row, last_csat=3, csat_change=-2, days_since_last_csat=10)


def test_detractors_give_6_or_less() -> None:
    assert not differing(_of(_survey("nps", "2024-05-01", "2024-05-02", score=6)), nps_detractor=1)
    assert not differing(_of(_survey("nps", "2024-05-01", "2024-05-02", score=7)), nps_detractor=0, nps_change=None)


def test_mean_is_over_answers_given_in_the_lookback() -> None:
    row = _of(
        _survey("nps", "2024-04-01", "2024-05-02 00:00", score=7),
        _survey("nps", "2024-05-20", "2024-05-20", score=10),
        _survey("nps", "2024-04-01", "2024-05-01 23:59", score=0),
        _survey("csat", "2024-05-20", "2024-05-25 00:00", score=4),
        _survey("csat", "2024-05-20", "2024-05-24 23:59", score=1),
        _survey("exit", "2024-05-20", "2024-05-21", score=1),
    )
    assert not differing(row, mean_nps_7d=None, mean_nps_30d=8.5, mean_nps_90d=17 / 3)
    assert not differing(row, mean_csat_7d=4, mean_csat_30d=2.5)


def test_answer_without_a_mark_is_an_answer_but_no_mark() -> None:
    row = _of(_survey("nps", "2024-05-01", "2024-05-02", score=8), _survey("nps", "2024-05-20", "2024-05-21"))
    assert not differing(row, last_nps=8, days_since_last_nps=30, mean_nps_7d=None, surveys_unanswered_30d=0)


def test_unanswered_are_questionnaires_of_the_lookback_of_any_kind() -> None:
    row = _of(
        _survey("nps", "2024-05-25 00:00"),
        _survey("csat", "2024-05-24 23:59"),
        _survey("exit", "2024-05-26"),
        _survey("nps", "2024-05-26", "2024-05-27", score=3),
    )
    assert not differing(row, surveys_unanswered_7d=2, surveys_unanswered_30d=3)


def test_survey_answered_after_the_snapshot_is_unanswered() -> None:
    row = _of(_survey("nps", "2024-05-20", "2024-06-01 00:00", score=2, reason="price"))
    assert not differing(row, surveys_unanswered_30d=1, negative_reasons_30d=0, last_nps=None, nps_detractor=None)
    assert not differing(row, days_since_last_nps=None, mean_nps_30d=None)


def test_reasons_are_negative_with_a_low_mark_or_on_leaving() -> None:
    row = _of(
        _survey("nps", "2024-01-01", "2024-05-25 00:00", score=6, reason="price"),
        _survey("nps", "2024-01-01", "2024-05-26", score=7, reason="price"),
        _survey("nps", "2024-01-01", "2024-05-26", score=0),
        _survey("csat", "2024-01-01", "2024-05-27", score=2, reason="price"),
        _survey("csat", "2024-01-01", "2024-05-27", score=3, reason="price"),
        _survey("exit", "2024-01-01", "2024-05-28", reason="moved"),
        _survey("csat", "2024-01-01", "2024-05-28", reason="service"),
        _survey("exit", "2024-01-01", "2024-05-24 23:59", reason="moved"),
    )
    assert not differing(row, negative_reasons_7d=3, negative_reasons_30d=4)


def test_survey_sent_at_the_snapshot_instant_is_not_known() -> None:
    row = _of(_survey("nps", "2024-06-01 00:00"), _survey("csat", "2024-05-20", known_at="2024-06-01 00:00"))
    assert not differing(row, surveys_unanswered_30d=0)


def test_who_was_never_asked_has_no_marks_and_zeros() -> None:
    surveys = [fact("b", kind="nps", asked_at="2024-05-01", answered_at="2024-05-02", score=3, reason="price")]
    row = family_of(FAMILY, "a", surveys=surveys).loc["a"]
    assert not differing(row, last_nps=None, nps_change=None, days_since_last_nps=None, nps_detractor=None)
    assert not differing(row, last_csat=None, csat_change=None, days_since_last_csat=None)
    assert not differing(row, mean_nps_365d=None, mean_csat_365d=None)
    assert not differing(row, surveys_unanswered_365d=0, negative_reasons_365d=0)
