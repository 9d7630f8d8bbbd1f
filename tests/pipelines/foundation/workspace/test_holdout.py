from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, chisquare

from pipelines.foundation.settings.plays import DEFAULT, load
from pipelines.foundation.settings.retention import Retention
from pipelines.foundation.workspace import holdout
from pipelines.foundation.workspace.holdout import Holdout, held_out
from pipelines.foundation.workspace.workspace import Workspace
from tests.pipelines.shop_case import AS_OF, SETTINGS

MANY = [f"C-{number}" for number in range(100_000)]
SHARES = st.floats(0, 1, exclude_max=True)


def workspace(root: Path, *, plays: bool = True, **changes: float) -> Workspace:
    settings = SETTINGS.model_copy(update={"retention": Retention(**changes)})
    return Workspace(root, settings, AS_OF, AS_OF, load(DEFAULT) if plays else ())


def test_who_is_held_out_stays_so_for_ever() -> None:
    names = ["A-17", "É-2", "=1+1", "10", "C-1", "C-2"]
    assert held_out(names, share=0.5, seed=7).tolist() == [True, True, False, False, True, True]
    assert held_out(names, share=0.5, seed=8).tolist() == [True, True, False, False, True, False]


@pytest.mark.parametrize("seed", [7, 0, -1])
def test_customers_are_spread_evenly(seed: int) -> None:
    places = np.array([holdout._place(name, seed) for name in MANY])
    counts, _ = np.histogram(places, bins=100, range=(0, 1))
    assert counts.sum() == len(MANY)
    assert chisquare(counts).pvalue > 1e-3
    taken = held_out(MANY, share=0.1, seed=seed).sum()
    assert (taken - 10_000) ** 2 / 9_000 < chi2.ppf(0.999, 1)


def test_two_seeds_hold_out_customers_that_have_nothing_to_do_with_each_other() -> None:
    one, other = held_out(MANY, share=0.5, seed=1), held_out(MANY, share=0.5, seed=2)
    assert abs((one == other).mean() - 0.5) < 0.01


@given(st.lists(st.text(), max_size=20), SHARES, SHARES, st.integers())
def test_a_larger_share_holds_out_the_same_and_others(names: list[str], one: float, other: float, seed: int) -> None:
    less, more = sorted((one, other))
    assert not (held_out(names, share=less, seed=seed) & ~held_out(names, share=more, seed=seed)).any()


@given(st.lists(st.text(), min_size=1, max_size=20), SHARES, st.randoms())
def test_neither_order_nor_the_others_matter(names: list[str], share: float, random: object) -> None:
    together = dict(zip(names, held_out(names, share=share, seed=7).tolist(), strict=True))
    assert all(held_out([name], share=share, seed=7)[0] == held for name, held in together.items())
    assert held_out(names[::-1], share=share, seed=7).tolist() == [together[name] for name in names[::-1]]


def test_a_share_of_0_holds_out_nobody_and_nobody_at_all_is_no_mistake() -> None:
    assert not held_out(MANY[:1_000], share=0.0, seed=7).any()
    assert held_out([], share=0.5, seed=7).shape == (0,)


def test_without_plays_there_are_no_groups_and_nobody_is_held_out(tmp_path: Path) -> None:
    plain = workspace(tmp_path, plays=False, holdout_share=0.5).holdout
    assert not plain.holds(MANY[:100]).any()
    assert set(plain.groups(MANY[:100])) == {""}
    assert plain == Holdout(share=None, seed=7)


def test_share_and_seed_come_from_the_settings(tmp_path: Path) -> None:
    found = workspace(tmp_path, holdout_share=0.5, holdout_seed=8).holdout
    assert found.holds(MANY[:100]).tolist() == held_out(MANY[:100], share=0.5, seed=8).tolist()
    assert found.groups(["C-1", "C-2"]).tolist() == ["holdout", "treatment"]
    assert found == Holdout(share=0.5, seed=8)
