"""The command to type next, by what there is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from pipelines.prediction.checks.next_command import State, command, next_stage

DAY = date(2024, 7, 1)
DONE = State(landed=True, guessed=False, trainable=True, answered=True, scored=DAY, as_of=DAY, waiting=False)


@pytest.mark.parametrize(
    ("changed", "stage"),
    [
        ({}, "run"),
        ({"landed": False}, "ingest"),
        ({"answered": False}, "train"),
        ({"guessed": True, "answered": False}, "check"),
        ({"guessed": True, "landed": False}, "ingest"),
        ({"answered": False, "trainable": False}, "ingest"),  # only newer exports help
        ({"trainable": False}, "run"),  # there is a champion
        ({"scored": None}, "score"),
        ({"scored": date(2024, 6, 30)}, "score"),
        ({"scored": date(2024, 7, 2)}, "run"),
        ({"waiting": True}, "deliver"),
        ({"waiting": True, "scored": None}, "score"),  # which delivers
        ({"waiting": True, "scored": None, "answered": False, "landed": False}, "ingest"),
    ],
)
def test_the_first_stage_that_is_due_is_next(changed: dict[str, object], stage: str) -> None:
    assert next_stage(replace(DONE, **changed)) == stage  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("root", "as_of", "typed"),
    [
        (Path("shop"), None, "attrition train --project shop"),
        (Path(), None, "attrition train"),
        (Path("my shop's"), None, "attrition train --project 'my shop'\"'\"'s'"),
        (Path("shop"), DAY, "attrition train --project shop --as-of 2024-07-01"),
    ],
)
def test_it_is_told_as_it_is_typed(root: Path, as_of: date | None, typed: str) -> None:
    assert command("train", root, as_of=as_of) == typed
