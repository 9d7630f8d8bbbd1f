"""Who takes more seats and who gives some up, from what the tables show of them."""

from __future__ import annotations

from math import exp

import numpy as np
import pytest

from pipelines.foundation.simulation.company import Company
from pipelines.foundation.simulation.hazards import Hazards

WEEK = 40


def hazards(**effects: float) -> Hazards:
    """Two customers: one content who uses the product twice as much as usual, one who is not and uses it no more."""
    company = Company(customers=2, weeks=60, seed=1, effects=effects)
    company.state.nps[:] = [9.5, 5.5]
    for week in range(WEEK - 30, WEEK):
        lately = week >= WEEK - 4
        uses = [2.0, 0.0] if lately else [1.0, 1.0]
        company.ledger.count("use", week, np.arange(2), np.array(uses))
    return company.hazards


def test_who_is_content_and_uses_more_takes_more_seats() -> None:
    grows, stays = hazards().growth(WEEK)
    assert grows == pytest.approx(0.003 * exp(0.35 * 2.0 + 0.8 * 1.0))
    assert stays == pytest.approx(0.003 * exp(0.35 * -2.0 + 0.8 * -1.0))


def test_who_uses_less_gives_up_seats() -> None:
    assert hazards().decline(WEEK) == pytest.approx([0.004, 0.004 * exp(1.5)])


def test_without_their_effects_everybody_is_alike() -> None:
    without = hazards(usage=0.0, satisfaction=0.0)
    assert without.growth(WEEK) == pytest.approx([0.003, 0.003])
    assert without.decline(WEEK) == pytest.approx([0.004, 0.004])
