"""How much each member of a model counts: alike, unless one knows clearly less than the other.

Which of two members errs a little less is told by too few days to be learned (docs/decisions/0033). But where one of
them knows next to nothing of an outcome, as a linear model of who pays less, half of its log-odds are noise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from models.calibration import Calibrator
from models.evaluation import log_losses

Floats = npt.NDArray[np.float64]

ALIKE = 0.75  # of the skill of the other: whoever has as much of it counts as much
NOTHING = 0.25  # whoever has no more of it counts for nothing


def shares(
    unseen: Sequence[Floats], calibrators: Sequence[Calibrator], labels: Floats, counts: Floats
) -> tuple[float, ...]:
    """What the log-odds of each member are multiplied by in those of all: its own slope, for its part of the whole.

    unseen: (n,) log-odds of each member, of customers that it did not see. calibrators: of each alone. counts: (n,) for
    how many each row counts.
    """
    alone = zip(calibrators, unseen, strict=True)
    parts = parts_of([skill(each.calibrated(odds), labels, counts) for each, odds in alone])
    return tuple(each.slope * part / sum(parts) for each, part in zip(calibrators, parts, strict=True))


def skill(log_odds: Floats, labels: Floats, counts: Floats) -> float:
    """By how much log loss lies below that of the base rate, as a share of it; 0 or less: nothing is known.

    >>> skill(np.array([0.0, 0.0]), np.array([0.0, 1.0]), np.ones(2))
    0.0
    """
    base = np.full(len(labels), np.average(labels, weights=counts))
    least, most = (float(np.average(log_losses(labels, each), weights=counts)) for each in (expit(log_odds), base))
    return 1 - least / most


def parts_of(skills: Sequence[float]) -> tuple[float, ...]:
    """What each member counts for, 1.0 for whoever has the most skill; all alike where nobody has any.

    >>> parts_of([0.2, 0.16]), parts_of([0.1, 0.2]), parts_of([0.0, 0.01])
    ((1.0, 1.0), (0.5, 1.0), (0.0, 1.0))
    """
    most = max(skills)
    if most <= 0:
        return (1.0,) * len(skills)
    return tuple(float(np.clip((each / most - NOTHING) / (ALIKE - NOTHING), 0.0, 1.0)) for each in skills)
