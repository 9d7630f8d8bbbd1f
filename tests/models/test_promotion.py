from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from models.promotion import SEGMENT, Compared, Floats, Gates, Judged, Verdict, judge

GATES = Gates(log_loss=0.002, pr_auc=0.02, top_decile_lift=0.2, calibration=0.1, segment_log_loss=0.01)
TIMES = 200


def world(seed: int, *, customers: int = 3_000) -> tuple[Judged, Floats]:
    """Customers with a true log-odds each, of whom both models know the same: everything but a share of chance."""
    random = np.random.default_rng(seed)
    truth = random.normal(-2.0, 1.3, customers)
    known = 0.8 * (truth + 2.0) - 2.0 + random.normal(0, 0.1, customers)
    countries = np.array(["FR", "BE", "CH", ""], dtype=object)[random.choice(4, customers, p=[0.6, 0.2, 0.1, 0.1])]
    names = np.array([f"C-{number}" for number in range(customers)], dtype=object)
    labels = (random.random(customers) < expit(truth)).astype(np.float64)
    return Judged(labels, expit(known), expit(known), names, {"country": countries}), truth


def decided(rows: Judged, *, gates: Gates = GATES, samples: int = 60) -> Verdict:
    return judge(rows, gates, samples=samples, seed=1)


def gate(verdict: Verdict, name: str) -> Compared:
    return next(each for each in verdict.gates if each.gate == name)


def test_the_same_probabilities_are_promoted_even_where_no_step_back_is_allowed() -> None:
    rows, _ = world(0)
    nothing = Gates(log_loss=0, pr_auc=0, top_decile_lift=0, calibration=0, segment_log_loss=0)
    verdict = decided(rows, gates=nothing)
    assert verdict.promote
    assert verdict.reason.startswith("no worse than the champion on 3,000 outcomes that neither knew: log loss 0.")
    assert all(each.worse_by == each.low == each.high == 0 for each in verdict.gates)
    assert [each.gate for each in verdict.gates] == ["log_loss", "pr_auc", "top_decile_lift", "calibration", SEGMENT]


def test_log_loss_must_be_shown_to_be_no_worse() -> None:
    rows, truth = world(1)
    noise = np.random.default_rng(2).normal(0, 0.9, len(truth))
    verdict = decided(replace(rows, challenger=expit(truth + noise)))
    loss = gate(verdict, "log_loss")
    assert not verdict.promote
    assert loss.low < loss.worse_by < loss.high
    assert loss.high > loss.margin
    assert "may be worse by" in verdict.reason
    # One that is better by as much as this one is worse is promoted.
    assert decided(replace(rows, champion=expit(truth + noise), challenger=rows.champion)).promote


def test_a_ranking_that_is_clearly_worse_is_told() -> None:
    rows, _ = world(3)
    random = np.random.default_rng(4)
    top = rows.champion > np.quantile(rows.champion, 0.8)
    shuffled = rows.champion.copy()
    shuffled[top] = random.permutation(shuffled[top])
    wide = Gates(log_loss=1, pr_auc=0.02, top_decile_lift=0.2, calibration=9, segment_log_loss=9)
    verdict = decided(replace(rows, challenger=shuffled), gates=wide)
    assert not verdict.promote
    assert {each.gate for each in verdict.gates if not each.passed} == {"pr_auc", "top_decile_lift"}
    assert "its PR AUC, 0." in verdict.reason
    assert "its top decile lift, " in verdict.reason


def test_one_segment_alone_can_forbid_it_and_is_named() -> None:
    rows, _ = world(5, customers=8_000)
    there = rows.segments["country"] == "BE"
    worse = np.where(there, np.random.default_rng(6).permutation(rows.champion), rows.champion)
    wide = Gates(log_loss=1, pr_auc=1, top_decile_lift=9, calibration=9, segment_log_loss=0.01)
    verdict = decided(replace(rows, challenger=worse), gates=wide)
    assert not verdict.promote
    assert gate(verdict, SEGMENT).segment == "country: BE"
    assert "in country: BE" in verdict.reason


def test_a_slope_further_from_1_in_either_direction_is_worse() -> None:
    rows, _ = world(7)
    wide = Gates(log_loss=1, pr_auc=1, top_decile_lift=9, calibration=0.1, segment_log_loss=9)
    odds = np.log(rows.champion / (1 - rows.champion))
    for factor in (0.4, 3.0):
        assert not decided(replace(rows, challenger=expit(odds * factor)), gates=wide).promote


@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_one_outcome_alone_judges_nobody(outcome: float) -> None:
    rows, _ = world(8)
    verdict = decided(replace(rows, labels=np.full(len(rows.labels), outcome)))
    assert verdict == Verdict(promote=False, reason="all 3,000 outcomes it can be judged by are the same")


def test_what_cannot_be_computed_never_promotes() -> None:
    rows, _ = world(9)
    same = np.full(len(rows.labels), 0.1)  # of equal probabilities there is no slope
    verdict = decided(replace(rows, champion=same, challenger=same))
    assert not verdict.promote
    assert not gate(verdict, "calibration").passed


def worse(kind: str, rows: Judged, truth: Floats, random: np.random.Generator) -> Floats:
    """A challenger made worse than the champion by more than the margin of at least one gate."""
    odds = np.log(rows.champion / (1 - rows.champion))
    if kind == "noise":
        return np.asarray(expit(odds + random.normal(0, 0.5, len(truth))))
    if kind == "too sure":
        return np.asarray(expit((odds - odds.mean()) * 1.5 + odds.mean()))
    if kind == "too low":
        return np.asarray(expit(odds - 0.35))
    there = rows.segments["country"] == "FR"
    return np.asarray(expit(np.where(there, odds + random.normal(0, 0.7, len(truth)), odds)))


def accepted(kind: str, *, of: int) -> int:
    """How many challengers are promoted; those that are `better` are so because the champion's figures are blurred."""
    count = 0
    for number in range(of):
        rows, truth = world(1_000 + number)
        random = np.random.default_rng([number, len(kind)])
        if kind.startswith("better"):
            odds = np.log(rows.champion / (1 - rows.champion))
            blurred = expit(odds + random.normal(0, {"better": 0.5}.get(kind, 0.9), len(truth)))
            rows = replace(rows, champion=np.asarray(blurred))
        else:
            rows = replace(rows, challenger=worse(kind, rows, truth, random))
        count += decided(rows).promote
    return count


def test_of_200_challengers_made_worse_at_most_one_in_twenty_is_promoted() -> None:
    found = {kind: accepted(kind, of=TIMES // 4) for kind in ("noise", "too sure", "too low", "one country")}
    assert sum(found.values()) <= 0.05 * TIMES, found


def test_of_200_challengers_made_better_at_least_four_in_five_are_promoted() -> None:
    found = {kind: accepted(kind, of=TIMES // 2) for kind in ("better", "better by far")}
    assert sum(found.values()) >= 0.8 * TIMES, found
