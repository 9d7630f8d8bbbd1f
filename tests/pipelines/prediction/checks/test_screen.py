"""What `check` shows people: one screen, in plain words, with singular and plural as they are."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.prediction.checks.screen import show

ORDERS = {
    "rows": 1200,
    "first": "2023-01-01",
    "last": "2024-06-30",
    "days_since_newest": 1,
    "rejected": 0,
    "reasons": {},
}
MATURED = {
    "snapshot_on": "2024-05-01",
    "happened": 30,
    "not_happened": 100,
    "all_happened": 60,
    "all_not_happened": 190,
    "customers": 140,
    "complete": True,
}
WHOLE: dict[str, Any] = {
    "as_of": "2024-07-01",
    "tables": {"orders": 1200},
    "seen": {"orders": ORDERS},
    "odd": [],
    "indicators": 45,
    "absent": [],
    "untold": [],
    "complete_until": "2024-06-30",
    "first_snapshot": "2023-02-06",
    "training_snapshots": ["2023-02-06", "2024-05-01"],
    "folds": ["2024-04-01"],
    "outcome": "inactivity",
    "matured": MATURED,
    "least": {"customers": 100, "positives": 20},
    "enough": True,
    "more_from": {"day": "2024-07-03", "snapshot_on": "2024-05-15"},
    "champion": None,
    "scored": None,
    "notes": [],
    "next": "attrition train",
}


def shown(hidden: tuple[str, ...] = (), sources: int = 1, **changed: Any) -> list[str]:
    said: list[str] = []
    show(said.append, WHOLE | changed, sources=sources, hidden=hidden)
    return said


def one(start: str, lines: list[str]) -> str:
    (found,) = [line.strip() for line in lines if line.strip().startswith(start)]
    return found


SNAPSHOTS = (
    "  snapshots: first possible on 2023-02-06; 2 to learn from, 2023-02-06 to 2024-05-01; 1 backtest fold, 2024-04-01"
)
OUTCOMES = (
    "  outcomes: 30 left and 100 stayed after 2024-05-01; enough to train (100 customers and 20 of each outcome are "
    "needed)"
)
UNTOLD = (
    "missing: 5 indicators are unknown, for nothing is told in orders.cancelled_at or orders.amount below 0 and "
    "invoices.paid_at: purchases 3 and billing 2"
)


def test_a_whole_screen() -> None:
    assert shown() == [
        "settings are in order; 1 source is there, with the columns that they map",
        "  orders  1,200 rows  2023-01-01 to 2024-06-30, 1 day ago",
        "  45 indicator columns; looking from 2024-07-01; data complete before 2024-06-30",
        SNAPSHOTS,
        OUTCOMES,
        "  champion: none yet; scored: not yet",
        "next: attrition train",
    ]


def test_an_empty_workspace_says_what_to_do() -> None:
    said: list[str] = []
    document = {"as_of": "2024-07-01", "tables": {}, "seen": {}, "odd": [], "notes": ["x"], "next": "attrition ingest"}
    show(said.append, document, sources=2, hidden=["x"])
    assert said == [
        "settings are in order; 2 sources are there, with the columns that they map",
        "  nothing has landed yet",
        "next: attrition ingest",
    ]


# Tables


def test_tables_stand_under_each_other() -> None:
    both = {"orders": ORDERS, "payments": ORDERS | {"rows": 1, "days_since_newest": 0}}
    lines = shown(seen=both)
    assert lines[1] == "  orders    1,200 rows  2023-01-01 to 2024-06-30, 1 day ago"
    assert lines[2] == "  payments       1 row  2023-01-01 to 2024-06-30"


def test_a_table_without_a_row_before_today_has_no_period() -> None:
    nothing = {"first": None, "last": None, "days_since_newest": None, "rows": 0}
    assert one("orders", shown(seen={"orders": ORDERS | nothing})) == "orders  0 rows"


def test_rejects_are_told_with_the_most_frequent_reasons() -> None:
    reasons = {"amount is not a number": 1200, "of guests": 30, "a": 3, "b": 2, "c": 1}
    line = one("orders", shown(seen={"orders": ORDERS | {"rejected": 1236, "reasons": reasons}}))
    assert line.endswith("; 1,236 rejected: 1,200 amount is not a number, 30 of guests, 3 a, 2 other faults")
    without = one("orders", shown(seen={"orders": ORDERS | {"rejected": 3}}))
    assert without.endswith(", 1 day ago; 3 rejected")


# Odd things, and what is missing


def test_odd_things_are_told_up_to_a_number() -> None:
    odd = [{"text": f"thing {n}"} for n in range(7)]
    assert one("odd: thing 0", shown(odd=odd[:6])) == "odd: thing 0"
    assert len([line for line in shown(odd=odd[:6]) if "odd:" in line]) == 6
    assert shown(odd=odd)[8] == "  odd: 1 more thing: `attrition check --json` has all"
    assert shown(odd=[*odd, *odd])[8] == "  odd: 8 more things: `attrition check --json` has all"


def absence(family: str, count: int, *needs: str) -> dict[str, Any]:
    return {"family": family, "indicators": count, "for_want_of": list(needs)}


@pytest.mark.parametrize(
    ("absent", "words"),
    [
        ([absence("usage", 1, "usage")], "missing: usage would add 1 indicator: usage 1"),
        (
            [absence("support", 14, "support_contacts"), absence("billing", 12, "invoices")],
            "missing: support_contacts and invoices would add 26 indicators: support 14 and billing 12",
        ),
        (
            [absence(f"f{n}", 10 - n, f"t{n}") for n in range(7)] + [absence("f0", 5, "t1", "orders|subscriptions")],
            "missing: t1, t0, t2 and 5 more tables would add 54 indicators: f0 15, f1 9, f2 8 and 4 more families",
        ),
    ],
)
def test_tables_that_are_missing_are_one_line(absent: list[dict[str, Any]], words: str) -> None:
    assert one("missing", shown(absent=absent)) == words


@pytest.mark.parametrize(
    ("untold", "words"),
    [
        (
            [absence("support", 1, "support_contacts.resolved_at")],
            "missing: 1 indicator is unknown, for nothing is told in support_contacts.resolved_at: support 1",
        ),
        (
            [absence("purchases", 3, "orders.cancelled_at|orders.amount<0"), absence("billing", 2, "invoices.paid_at")],
            UNTOLD,
        ),
    ],
)
def test_columns_that_tell_nothing_are_one_line(untold: list[dict[str, Any]], words: str) -> None:
    assert one("missing", shown(untold=untold)) == words


# Whether there is enough to train


def test_before_anything_has_matured_the_day_from_which_it_will_is_told() -> None:
    later = {"day": "2024-09-01", "snapshot_on": "2024-07-03"}
    lines = shown(training_snapshots=[], folds=[], matured=None, enough=False, more_from=later)
    assert one("snapshots", lines) == "snapshots: first possible on 2023-02-06; 0 to learn from; 0 backtest folds"
    assert one("not enough", lines) == (
        "not enough to train: nothing has matured. From 2024-09-01 on there is, once data reach that day: then the "
        "outcomes of 2024-07-03 have matured"
    )


def test_what_is_not_computed_is_not_guessed() -> None:
    assert one("outcomes", shown(matured=None, enough=None)) == (
        "outcomes: not counted yet, `attrition train` does; 100 customers and 20 of each outcome are needed"
    )
    few = MATURED | {"customers": 1, "all_happened": 3, "complete": False}
    assert one("outcomes", shown(matured=few, enough=None)).endswith(
        "; 1 customer and 3 of the rarer outcome counted so far; 100 customers and 20 of each outcome are needed"
    )


def test_too_few_are_told_with_the_day_from_which_there_are_more() -> None:
    few = MATURED | {"customers": 90, "all_happened": 3}
    assert one("outcomes", shown(matured=few, enough=False)).endswith(
        "; not enough to train: 90 customers and 3 of the rarer outcome, 100 customers and 20 of each outcome are "
        "needed. From 2024-07-03 on more have matured"
    )


@pytest.mark.parametrize(
    ("outcome", "words"),
    [("churn", "30 left and 100 stayed"), ("expansion", "30 expanded and 100 did not")],
)
def test_outcomes_are_called_what_they_are(outcome: str, words: str) -> None:
    assert words in one("outcomes", shown(outcome=outcome))


# Champion, notes and what comes next


def test_before_guesses_are_confirmed_no_command_helps() -> None:
    assert shown(guessed=True, next="attrition check")[-1] == (
        "next: set guessed = [] in attrition.toml where what is to confirm is right, then attrition check"
    )
    assert shown(guessed=True, next="attrition ingest")[-1] == "next: attrition ingest"


def test_champion_and_scores_are_one_line() -> None:
    assert one("champion", shown(champion="abc", scored="2024-07-01")) == "champion: abc; scored: 2024-07-01"


def test_a_few_notes_are_told_without_those_that_stand_elsewhere() -> None:
    notes = [f"note {n}" for n in range(5)]
    assert len([line for line in shown(notes=notes[:3]) if "note:" in line]) == 3
    lines = shown(notes=notes, hidden=("note 0",))
    assert lines[-5:-1] == [
        "  note: note 1",
        "  note: note 2",
        "  note: note 3",
        "  and 1 more note: `attrition check --json` has all",
    ]


def test_the_fullest_screen_has_40_lines() -> None:
    wide = {f"table_{n}": ORDERS for n in range(20)}
    notes, odd = [f"note {n}" for n in range(30)], [{"text": f"thing {n}"} for n in range(30)]
    untold = [absence("support", 1, "support_contacts.resolved_at")]
    lines = shown(seen=wide, notes=notes, odd=odd, absent=[absence("usage", 1, "usage")], untold=untold)
    assert len(lines) <= 40
