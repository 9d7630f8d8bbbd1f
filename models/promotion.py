"""Whether a challenger replaces the champion: both judged on the same rows, of which neither knew the outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from models.evaluation import Metrics, log_losses, paired
from models.segments import enough, of_customers, values

Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.object_]

SURE = 0.95  # of what is claimed in each direction
SEGMENT = "segment_log_loss"


@dataclass(frozen=True, kw_only=True)
class Gates:
    """By how much a challenger may be worse than the champion.

    calibration: distance of the calibration slope from 1. segment_log_loss: log loss within any one segment.
    """

    log_loss: float
    pr_auc: float
    top_decile_lift: float
    calibration: float
    segment_log_loss: float


@dataclass(frozen=True)
class Judged:
    """(n,) rows of which neither model knew the outcome; champion, challenger: their probabilities."""

    labels: Floats
    champion: Floats
    challenger: Floats
    customers: Texts
    segments: Mapping[str, Texts]


@dataclass(frozen=True)
class Compared:
    """One gate. champion, challenger: their figures on the same rows; segment: which one, for the worst segment's gate.

    worse_by: by how much the challenger is worse, below 0 where it is better; low, high: one-sided bounds of it, each
    at `SURE` (in a segment shared among all segments). margin: how much is allowed.
    """

    gate: str
    champion: float
    challenger: float
    worse_by: float
    low: float
    high: float
    margin: float
    passed: bool
    segment: str = ""


@dataclass(frozen=True)
class Verdict:
    """The decision, why in words, and the figures behind it."""

    promote: bool
    reason: str
    gates: tuple[Compared, ...] = ()


def judge(rows: Judged, gates: Gates, *, samples: int, seed: int) -> Verdict:
    """Promote where the challenger is no worse than the champion by more than the gates allow.

    Log loss sums up ranking and calibration, and two models of the same customers differ little in it by chance: here
    the challenger must be shown to be no worse, the upper bound of its loss within the margin. The other figures are
    noisier; they forbid promotion where the challenger is clearly worse, even the lower bound beyond the margin. Whole
    customers are drawn, with all their rows and for both models at once.
    """
    labels = rows.labels
    if not 0 < int(labels.sum()) < len(labels):
        return Verdict(promote=False, reason=f"all {len(labels):,} outcomes it can be judged by are the same")
    drawn = paired(labels, (rows.champion, rows.challenger), rows.customers, samples=samples, seed=seed)
    compared = [
        _compared(name, [_worse_by(name, *pair) for pair in drawn], drawn[0], getattr(gates, name))
        for name in ("log_loss", "pr_auc", "top_decile_lift", "calibration")
    ]
    worst = _worst_segment(rows, gates, samples=samples, seed=seed)
    compared += [] if worst is None else [worst]
    return _verdict(compared, len(labels))


def _figure(gate: str, found: Metrics) -> float:
    value: float = abs(found.calibration_slope - 1) if gate == "calibration" else getattr(found, gate)
    return value


def _worse_by(gate: str, champion: Metrics, challenger: Metrics) -> float:
    gap = _figure(gate, challenger) - _figure(gate, champion)
    return -gap if gate in ("pr_auc", "top_decile_lift") else gap


def _compared(gate: str, gaps: list[float], all_rows: tuple[Metrics, ...], margin: float) -> Compared:
    """gaps: by how much the challenger is worse, first on all rows, then draw by draw."""
    known = np.array([gap for gap in gaps[1:] if np.isfinite(gap)])
    low, high = np.quantile(known, [1 - SURE, SURE]) if len(known) else (np.nan, np.nan)
    # Written so that a figure that could not be computed (NaN) never promotes.
    passed = bool(high <= margin) if gate == "log_loss" else bool(low <= margin)
    figures = [_figure(gate, found) for found in all_rows]
    return Compared(gate, figures[0], figures[1], gaps[0], float(low), float(high), margin, passed)


def _worst_segment(rows: Judged, gates: Gates, *, samples: int, seed: int) -> Compared | None:
    """The segment in which the challenger is most clearly worse; None where no segment has enough customers."""
    labels, margin = rows.labels, gates.segment_log_loss
    chosen = [each for each in values(rows.segments) if enough(labels, each[2]) and not each[2].all()]
    if not chosen:
        return None
    drawn = of_customers(rows.customers, samples=samples, seed=seed)
    losses = [log_losses(labels, each) for each in (rows.champion, rows.challenger)]
    limit = float(norm.isf((1 - SURE) / len(chosen)))
    found = []
    for column, value, inside in chosen:
        counts = drawn.sums(np.ones(len(labels)), inside)
        gaps = drawn.sums(losses[1] - losses[0], inside) / np.maximum(counts, 1)
        gap, spread = float(gaps[0]), limit * float(gaps[1:].std())
        before, after = (float(loss[inside].mean()) for loss in losses)
        low, high = gap - spread, gap + spread
        found.append(Compared(SEGMENT, before, after, gap, low, high, margin, low <= margin, f"{column}: {value}"))
    return max(found, key=lambda each: each.low)


def _verdict(compared: list[Compared], rows: int) -> Verdict:
    failed = [each for each in compared if not each.passed]
    if failed:
        reason = "; ".join(_against(each) for each in failed)
        return Verdict(promote=False, reason=f"{reason}; judged on {rows:,} outcomes", gates=tuple(compared))
    loss = compared[0]
    reason = (
        f"no worse than the champion on {rows:,} outcomes that neither knew: "
        f"log loss {loss.challenger:.4f} against {loss.champion:.4f}"
    )
    return Verdict(promote=True, reason=reason, gates=tuple(compared))


def _against(found: Compared) -> str:
    where = f" in {found.segment}" if found.segment else ""
    figures = f"{found.challenger:.4f} against {found.champion:.4f}"
    name = "log loss" if found.gate == SEGMENT else found.gate.replace("_", " ").replace("pr auc", "PR AUC")
    if found.gate == "log_loss":
        return f"its {name}{where}, {figures}, may be worse by {found.high:.4f}, more than the {found.margin:g} allowed"
    return f"its {name}{where}, {figures}, is clearly worse by more than the {found.margin:g} allowed"
