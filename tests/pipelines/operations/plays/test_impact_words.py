"""What is said of plays in both languages, from literal figures."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.foundation.wording.words import Words
from pipelines.operations.plays.impact_words import named, rows, said, sentences

KEPT = {"estimate": 14.2, "low": 3.1, "high": 25.4}


def figures(**changes: Any) -> dict[str, Any]:
    return {
        "play": "call", "treatment": 270, "holdout": 30, "unknown": 0, "without_outcome": 0, "verdict": "kept",
        "p_value": 0.01, "p_value_adjusted": 0.01, "left": {"treatment": 27, "holdout": 5},
        "judged": {"treatment": 270, "holdout": 30}, "without": 41.2, "customers": KEPT, "detectable": 22.6,
        "money": {"estimate": 1_420.0, "low": 310.0, "high": 2_540.0}, "without_value": 0,
        "done": {"treatment": 0.75, "holdout": 0.04}, "actions": 200, "cost": 400.0,
        "net": {"estimate": 1_020.0, "low": -90.0, "high": 2_140.0},
    } | changes  # fmt: skip


def document(*plays: dict[str, Any], **changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"currency": "EUR", "horizon_days": 30, "repeated": 0, "plays": list(plays)}
    return found | {"overall": {**figures(), "play": None} if plays else None} | changes


def text(found: dict[str, Any]) -> str:
    return " ".join(sentences(found, Words("en"))).replace("\u00a0", " ").replace("\u2212", "-")


def test_what_was_kept_and_what_it_is_worth() -> None:
    assert text(document(figures())) == (
        "call: kept an estimated 14 customers (95%: 3 to 25) of 270 with a recommendation, judged by 30 held out. "
        "Chance alone would seldom show as much. Revenue kept over 30 days: 1,420 EUR (95%: 310 to 2,540). 200 actions "
        "recorded at 400 EUR: 1,020 EUR remain (95%: -90 to 2,140). Done for 75% of those with a recommendation, "
        "and for 4% of those held out."
    )


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"verdict": "not_shown", "p_value": 0.3}, "fewer than 23 kept would mostly not show (80% power)"),
        (
            {"verdict": "not_shown", "p_value": 0.3, "detectable": None},
            "even keeping everybody who would have left (41)",
        ),
        ({"verdict": "not_shown", "p_value": 0.03}, "among several plays one like it may come by chance"),
        (
            {"verdict": "harmed", "customers": {"estimate": -9.0, "low": -15.0, "high": -2.0}},
            "an estimated 9 more customers left (95%: 2 to 15)",
        ),
        ({"unknown": 12}, "Of 300 outcomes, 12 are not known yet and left out."),
        ({"money": None, "net": None}, "What that is worth cannot be told"),
        ({"without_value": 3}, "3 customers of unknown value left out of it."),
        ({"cost": None, "net": None}, "cost is not recorded in full"),
        ({"done": None}, "no actions were read back"),
        ({"verdict": "too_early", "unknown": 200, "customers": None}, "200 of 300 outcomes not known yet"),
        ({"verdict": "no_holdout", "holdout": 0, "customers": None}, "nobody was held out (270 customers in all)"),
        ({"verdict": "no_treatment", "treatment": 0, "customers": None}, "all of 30 customers were held out"),
    ],
)
def test_every_verdict_has_its_sentence(changes: dict[str, Any], part: str) -> None:
    assert part in text(document(figures(**changes)))


def test_of_several_plays_all_together_come_first_and_chance_last() -> None:
    lines = sentences(document(figures(), figures(play="letter"), repeated=4), Words("en"))
    assert [line.partition(":")[0] for line in lines[:3]] == ["All plays together", "call", "letter"]
    assert lines[3].startswith("Of 2 plays one may stand out by chance alone")
    assert lines[4].startswith("4 later recommendations")


def test_both_languages_are_said_and_the_french_one_is_french() -> None:
    both = said(document(figures()))
    assert both["en"][0].startswith("call: kept an estimated 14 customers")
    assert both["fr"][0].startswith(
        "call\u00a0: 14 clients gardés, selon l\u2019estimation (95\u202f% : de 3 à 25)".replace(" : de", "\u00a0: de")
    )
    assert said(document())["fr"] == [
        "Aucune action n\u2019a encore été recommandée à personne, il n\u2019y a donc rien à mesurer."
    ]


def test_the_table_has_a_row_per_play_and_one_of_all() -> None:
    unjudged = figures(play="letter", verdict="too_early", left=None, judged=None, customers=None, money=None)
    found = rows(document(figures(), unjudged), Words("en"))
    assert found[0] == [
        "call", "270", "30", "10.0% / 16.7%", "14", "3 to 25", "1,420", "310 to 2,540", "kept customers"
    ]  # fmt: skip
    assert found[1][-1] == "too early"
    assert found[2][0] == "All plays"
    assert len(rows(document(figures()), Words("en"))) == 1


def test_a_play_is_called_by_its_name_where_it_has_one() -> None:
    words = Words("fr")
    assert named({"play": "call", "name": {"en": "Call", "fr": "Appel"}}, words) == "Appel"
    assert named({"play": "call", "name": None}, words) == named({"play": "call"}, words) == "call"
