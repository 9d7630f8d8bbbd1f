"""Rows as frames and back: nothing is lost on the way but whose they are."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from models.classifier import ChurnClassifier
from models.frames import LEVEL, SNAPSHOT, START, as_frame, as_matrix
from models.matrix import ENTITY
from tests.models.model_case import QUESTION, fitted, train_rows, unseen_rows


@pytest.mark.parametrize("start", [True, False], ids=["with a start model", "without"])
def test_a_frame_gives_the_rows_back(start: bool) -> None:
    rows = fitted(start=start).levelled(unseen_rows(start=start))
    again = as_matrix(as_frame(rows), rows.columns, (), question=QUESTION)
    assert again.values.tobytes() == rows.values.tobytes()
    assert again.start.tolist() == rows.start.tolist()
    assert again.level is not None
    assert rows.level is not None
    assert again.level.tolist() == rows.level.tolist()


def test_rows_that_no_model_has_levelled_have_no_level() -> None:
    frame = as_frame(unseen_rows())
    assert LEVEL not in frame.columns
    assert START in frame.columns
    assert as_matrix(frame, unseen_rows().columns, (), question=QUESTION).level is None


def test_a_workspaces_model_refuses_rows_without_a_level() -> None:
    """By the rows alone it would take them for everybody of a day."""
    with pytest.raises(ValueError, match=r"^the rows lack level_log_odds; take them from `model_input`"):
        ChurnClassifier.of(fitted()).predict_proba(as_frame(unseen_rows()))


def test_a_level_that_another_model_found_is_none() -> None:
    rows = train_rows()
    frame = as_frame(fitted().levelled(rows))
    own = ChurnClassifier(random_state=7, question=QUESTION).fit(frame.iloc[:800], rows.outcomes[:800])
    assert LEVEL not in own.feature_names_in_
    moved = frame.assign(**{LEVEL: 5.0})
    assert np.array_equal(own.predict_proba(frame), own.predict_proba(moved))


def test_a_classifier_levels_each_day_of_the_index() -> None:
    rows, days = train_rows(), pd.to_datetime([date.fromordinal(day) for day in train_rows().snapshots.tolist()])
    frame = as_frame(rows).set_index(pd.MultiIndex.from_arrays([rows.customers, days], names=[ENTITY, SNAPSHOT]))
    own = ChurnClassifier(random_state=7, question=QUESTION).fit(frame, rows.outcomes)
    assert own.predict_proba(frame)[:, 1].tolist() == own.fitted_.day_probability(rows).tolist()
    without = own.predict_proba(frame.reset_index(drop=True))[:, 1]
    assert not np.array_equal(own.predict_proba(frame)[:, 1], without)
