"""Categories become shares of churn, and no customer's own outcome is among what it is encoded by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from models.encoder import Encoder, cross_fitted, fit
from models.matrix import Matrix, matrix
from tests.models.model_case import QUESTION


def rows(countries: Sequence[str | None], outcomes: list[int]) -> Matrix:
    frame = pd.DataFrame(
        {
            "customer_id": [f"c{number:03d}" for number in range(len(countries))],
            "orders": range(len(countries)),
            "country": countries,
            "happened": outcomes,
        }
    )
    return matrix(
        frame,
        date(2024, 7, 1),
        question=QUESTION,
        columns=["orders", "country"],
        categories=["country"],
        start_model=False,
    )


MANY = rows(["FR"] * 200 + ["DE"] * 200 + [None] * 100, [1] * 150 + [0] * 50 + [1] * 20 + [0] * 180 + [0, 1] * 50)


def test_a_category_is_nan_until_it_is_encoded() -> None:
    assert np.isnan(MANY.values[:, 1]).all()
    assert set(MANY.categories["country"]) == {"FR", "DE", ""}


def test_a_category_becomes_its_share_of_churn() -> None:
    values = fit(MANY).encode(MANY).values[:, 1]
    assert values[0] == pytest.approx((150 + 44) / 300, abs=1e-9)
    assert values[200] == pytest.approx((20 + 44) / 300)
    assert values[400] == pytest.approx((50 + 44) / 200)


def test_a_rare_category_is_drawn_towards_the_mean() -> None:
    few = rows(["FR"] * 300 + ["DE"] * 300 + ["MT"], [1, 0] * 300 + [1])
    assert fit(few).encode(few).values[-1, 1] == pytest.approx(0.5, abs=0.01)


def test_an_unseen_category_gets_the_mean() -> None:
    coding = fit(MANY)
    assert coding.encode(rows(["XX"], [0])).values[0, 1] == coding.mean == pytest.approx(220 / 500)


def test_numbers_are_left_alone() -> None:
    assert np.array_equal(fit(MANY).encode(MANY).values[:, 0], MANY.values[:, 0])


def test_without_categories_nothing_changes() -> None:
    plain = replace(MANY, categories={})
    assert fit(plain) == Encoder()
    assert fit(plain).encode(plain) is plain


def test_a_training_row_is_encoded_without_its_own_fold() -> None:
    folds = np.arange(len(MANY)) % 5
    others = MANY.only(folds != 0)
    expected = fit(others).encode(MANY.only(folds == 0)).values[:, 1]
    assert np.array_equal(cross_fitted(MANY, folds).values[folds == 0, 1], expected)


def test_an_id_that_is_everybodys_own_tells_nothing_of_the_outcome() -> None:
    own = rows([f"id{number}" for number in range(500)], [0, 1] * 250)
    assert len(np.unique(cross_fitted(own, np.arange(500) % 5).values[:, 1].round(12))) <= 5
