from __future__ import annotations

from datetime import date
from math import inf, nan
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import IntegrityError
from pipelines.foundation.storage import documents
from pipelines.foundation.storage.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_a_document_comes_back(store: Store) -> None:
    document = {"folds": [{"roc_auc": 0.8}], "name": "é\u202f", "none": None, "n": 3}
    documents.write(store, "results/a.json", document, kind="result")
    assert documents.read(store, "results/a.json") == document


def test_numbers_that_are_notfinite_become_null_wherever_they_stand(store: Store) -> None:
    documents.write(
        store,
        "results/a.json",
        {"a": nan, "b": [inf, 1.5, {"c": -inf}], "d": (nan, 2), "e": np.float64("nan")},
        kind="result",
    )
    assert documents.read(store, "results/a.json") == {
        "a": None,
        "b": [None, 1.5, {"c": None}],
        "d": [None, 2],
        "e": None,
    }
    assert "NaN" not in (store.root / "results/a.json").read_text()


def test_what_was_not_written_yet_is_none(store: Store) -> None:
    assert documents.read(store, "results/a.json") is None
    assert documents.read_frame(store, "results/a.parquet") is None


def test_the_same_document_is_the_same_bytes_whatever_the_order_of_its_keys(store: Store) -> None:
    documents.write(store, "results/a.json", {"a": 1, "b": 2}, kind="result")
    documents.write(store, "results/b.json", {"b": 2, "a": 1}, kind="result")
    assert (store.root / "results/a.json").read_bytes() == (store.root / "results/b.json").read_bytes()


def test_a_frame_comes_back_without_its_index(store: Store) -> None:
    frame = pd.DataFrame(
        {"customer_id": ["é", "B"], "n": [1, 2], "value": [0.1, None], "day": [date(2024, 1, 1)] * 2}, index=[7, 3]
    )
    assert documents.write_frame(store, "results/a.parquet", frame, kind="result") == "results/a.parquet"
    again = documents.read_frame(store, "results/a.parquet")
    assert again is not None
    pd.testing.assert_frame_equal(again, frame.reset_index(drop=True))
    stored = store.find("results/a.parquet")
    assert stored is not None
    assert stored.detail == {"rows": 2}


@pytest.mark.parametrize("cut", [0, 1, 10])
def test_a_document_that_was_cut_is_refused_by_name(store: Store, cut: int) -> None:
    documents.write(store, "results/a.json", {"a": 1, "b": 2}, kind="result")
    place = store.root / "results/a.json"
    place.write_bytes(place.read_bytes()[:cut])
    with pytest.raises(IntegrityError, match=r"a\.json is not the file that was written"):
        documents.read(store, "results/a.json")


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=4))
def test_every_document_without_odd_numbers_comes_back_as_it_was(document: dict[str, Any]) -> None:
    assert documents.finite(document) == document
