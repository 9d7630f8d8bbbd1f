from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

import lightgbm as lgb
import numpy as np
import pytest
from scipy.special import expit

from features.errors import IntegrityError
from models import boosting
from models.boosting import Binned, Parameter
from models.matrix import Matrix
from tests.models.model_case import many_rows, train_rows, unseen_rows


def grow(
    rows: Matrix, *, rounds: int, seed: int = 7, threads: int = 1, parameters: Mapping[str, Parameter] | None = None
) -> lgb.Booster:
    binned = Binned(rows, parameters=parameters or {}, seed=seed, threads=threads)
    return binned.grow(rows.start, rounds=rounds, threads=threads)


@cache
def booster(rounds: int = 20) -> lgb.Booster:
    return grow(train_rows(), rounds=rounds)


def test_one_thread_and_two_grow_the_same_trees() -> None:
    rows = many_rows()
    one, two = (boosting.to_text(grow(rows, rounds=15, threads=threads)) for threads in (1, 2))
    assert one == two


def test_another_seed_grows_other_trees() -> None:
    texts = {boosting.to_text(grow(train_rows(), rounds=5, seed=seed)) for seed in (7, 8)}
    assert len(texts) == 2


def test_trees_learn_from_a_row_as_often_as_it_counts() -> None:
    rows = train_rows(start=False)
    counts = np.where(rows.outcomes > 0, 1.0, 8.0)
    wanted = np.average(rows.outcomes, weights=counts)
    assert rows.outcomes.mean() - wanted > 0.3
    trees = grow(replace(rows, weights=counts), rounds=150)
    found = expit(np.asarray(trees.predict(rows.values, raw_score=True)))
    assert np.average(found, weights=counts) == pytest.approx(wanted, abs=0.02)


def test_the_settings_of_reproducibility_cannot_be_overruled() -> None:
    given = {"deterministic": False, "force_col_wise": False, "seed": 1, "learning_rate": 0.5}
    found = boosting._all(train_rows(), given, seed=7, threads=1)
    assert (found["deterministic"], found["force_col_wise"], found["seed"]) == (True, True, 7)
    assert found["learning_rate"] == 0.5


def test_the_first_tree_mends_what_the_start_log_odds_miss() -> None:
    """One column splits the rows in two; each leaf is one Newton step from the start, shrunken and slowed."""
    once = train_rows()
    group = (once.outcomes + np.arange(len(once)) % 3 > 1).astype(np.float64)
    rows = replace(once, columns=("group",), values=group[:, None])
    parameters = {"feature_fraction": 1.0, "bagging_fraction": 1.0}
    grown = grow(rows, rounds=1, parameters=parameters)
    moved = boosting.raw_log_odds(grown, rows) - rows.start
    for mine in (group == 0, group == 1):
        believed = expit(rows.start[mine])
        step = (rows.outcomes[mine] - believed).sum() / ((believed * (1 - believed)).sum() + 10.0)
        assert moved[mine] == pytest.approx(0.03 * step, abs=1e-6)


def test_log_odds_are_the_start_plus_the_trees() -> None:
    rows = unseen_rows()
    trees = np.asarray(booster().predict(rows.values, raw_score=True))
    assert boosting.raw_log_odds(booster(), rows) == pytest.approx(rows.start + trees, abs=1e-12)


def test_fewer_rounds_are_those_of_a_shorter_growth() -> None:
    rows = unseen_rows()
    short = boosting.raw_log_odds(booster(rounds=5), rows)
    assert np.array_equal(boosting.raw_log_odds(booster(), rows, rounds=5), short)


def test_reordered_columns_are_refused() -> None:
    rows = unseen_rows()
    turned = replace(rows, columns=rows.columns[::-1], values=rows.values[:, ::-1])
    with pytest.raises(ValueError, match="the columns are not those that the model was fitted on, in that order"):
        boosting.raw_log_odds(booster(), turned)


def test_a_column_too_few_is_refused() -> None:
    rows = unseen_rows()
    with pytest.raises(ValueError, match="the columns are not those"):
        boosting.raw_log_odds(booster(), replace(rows, columns=rows.columns[1:], values=rows.values[:, 1:]))


def test_nobody_has_no_log_odds() -> None:
    rows = unseen_rows()
    assert boosting.raw_log_odds(booster(), rows.only(np.zeros(len(rows), dtype=bool))).tolist() == []


def test_losses_are_the_log_loss_of_each_round_on_the_later_rows() -> None:
    rows = train_rows()
    newest = rows.snapshots == rows.snapshots.max()
    later = rows.only(newest)
    binned = Binned(rows, parameters={}, seed=7, threads=1)
    grown, found = binned.losses(rows.start, ~newest, newest, threads=1, patience=10)
    assert len(found) == grown.num_trees()
    for rounds in (1, len(found) // 2, len(found)):
        odds = boosting.raw_log_odds(grown, later, rounds=rounds)
        by_hand = np.mean(np.log1p(np.exp(odds)) - later.outcomes * odds)
        assert found[rounds - 1] == pytest.approx(by_hand, abs=1e-9)


def test_boosting_stops_once_the_loss_has_not_fallen_for_so_many_rounds() -> None:
    rows = train_rows()
    newest = rows.snapshots == rows.snapshots.max()
    binned = Binned(rows, parameters={}, seed=7, threads=1)
    _, found = binned.losses(rows.start, ~newest, newest, threads=1, patience=10)
    assert len(found) < boosting.MAX_ROUNDS
    assert found.argmin() + 1 == len(found) - 10


def test_fits_that_share_bins_do_not_touch_each_other() -> None:
    """Whatever else is grown from the same bins, before or after: a part and a start give the same trees."""
    rows = train_rows()
    newest, odd = rows.snapshots == rows.snapshots.max(), np.arange(len(rows)) % 2 == 1
    binned = Binned(rows, parameters={}, seed=7, threads=1)
    first, losses = binned.losses(rows.start, ~newest, newest, threads=1, patience=5)
    whole = boosting.to_text(binned.grow(rows.start, rounds=5, threads=1))
    other, _ = binned.losses(rows.start + 1.0, odd, ~odd, threads=1, patience=5, parameters={"num_leaves": 3})
    again, curve = binned.losses(rows.start, ~newest, newest, threads=1, patience=5)
    assert boosting.to_text(again) == boosting.to_text(first) != boosting.to_text(other)
    assert np.array_equal(curve, losses)
    assert boosting.to_text(binned.grow(rows.start, rounds=5, threads=1)) == whole


def test_a_model_comes_back_from_its_text_bit_for_bit() -> None:
    text = boosting.to_text(booster())
    again = boosting.from_text(text, boosting.digest(text), train_rows().columns)
    rows = unseen_rows()
    assert np.array_equal(boosting.raw_log_odds(again, rows), boosting.raw_log_odds(booster(), rows))
    assert boosting.to_text(again) == text


def test_the_text_does_not_tell_how_many_threads_grew_it() -> None:
    text = boosting.to_text(booster())
    assert "num_threads" in booster().model_to_string()
    assert "num_threads" not in text


@pytest.mark.parametrize(
    "damage",
    [lambda text: text[:-1], lambda text: text.replace("leaf_value=", "leaf_value= ", 1)],
    ids=["cut", "a space more"],
)
def test_a_text_that_is_not_the_registered_one_is_never_parsed(
    damage: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = boosting.to_text(booster())
    monkeypatch.setattr(lgb, "Booster", lambda **_: pytest.fail("LightGBM was given a damaged model"))
    with pytest.raises(IntegrityError, match="the model's text is not the one that was registered"):
        boosting.from_text(damage(text), boosting.digest(text), train_rows().columns)
