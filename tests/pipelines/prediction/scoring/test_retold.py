"""Reasons in the other language: as if the same customers had been scored in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pandas as pd
import pytest

from pipelines.foundation.ledger.score_store import ScoreStore
from pipelines.foundation.wording.numbers import Language
from pipelines.foundation.workspace.workspace import open_workspace
from pipelines.prediction.scoring.reasons import Wording
from pipelines.prediction.scoring.retold import retold
from pipelines.prediction.scoring.runs import history
from pipelines.prediction.scoring.score import in_batches, plan_of, rows_at_risk
from pipelines.prediction.training.champion import answering
from pipelines.prediction.training.task import tasks_of

REASONS = ["reason_1", "reason_2", "reason_3"]


@dataclass(frozen=True)
class Scored:
    """By language, the scores with reasons as the model gives them, and the sentences; the day's indicators."""

    scores: dict[Language, pd.DataFrame]
    words: dict[Language, Wording]
    frame: pd.DataFrame


@pytest.fixture
def scored(finished_workspace: Path) -> Scored:
    workspace = open_workspace(finished_workspace, now=datetime(2026, 1, 1, tzinfo=UTC))
    task, plan = tasks_of(workspace)[0], plan_of(workspace.settings)
    _, fitted = answering(task)
    snapshot = task.snapshots.at(workspace.as_of)
    rows, frame = rows_at_risk(snapshot)
    words = {language: replace(plan, language=language).wording(snapshot) for language in get_args(Language)}
    found = {
        language: in_batches(fitted, rows, frame, each, threads=1).assign(customer_id=rows.customers)
        for language, each in words.items()
    }
    stored = history(workspace.store, ScoreStore(workspace.store).require(str(workspace.as_of)))
    again = stored.set_index("customer_id")[REASONS]
    pd.testing.assert_frame_equal(found["en"].set_index("customer_id")[REASONS].loc[again.index], again)
    return Scored(found, words, frame)


@pytest.mark.parametrize(("said", "other"), [("en", "fr"), ("fr", "en")])
def test_each_reason_is_told_as_scoring_in_that_language_tells_it(
    said: Language, other: Language, scored: Scored
) -> None:
    shuffled = scored.scores[said].sample(frac=0.7, random_state=3)  # neither all nor in the order of the frame
    again = retold(shuffled, scored.frame, said=scored.words[said], other=scored.words[other])
    assert again is not None
    assert (shuffled["reason_1"] != "").sum() > 50
    pd.testing.assert_frame_equal(again, scored.scores[other].loc[shuffled.index, REASONS])


def test_a_sentence_that_no_indicator_gives_any_more_is_not_guessed(scored: Scored) -> None:
    altered = scored.scores["en"].copy()
    altered.loc[altered.index[5], "reason_1"] = altered["reason_1"].iloc[5] + " and more"
    assert retold(altered, scored.frame, said=scored.words["en"], other=scored.words["fr"]) is None
