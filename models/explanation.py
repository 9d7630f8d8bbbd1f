"""Why a customer is at risk: SHAP values of every customer, summed to reason codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from woodelf import WoodelfExplainer

from models.matrix import ALIVE, EXPECTED, Matrix
from models.training import Fitted, weighed

Floats = npt.NDArray[np.float64]

RHYTHM = "buying_rhythm"
RHYTHM_COLUMNS = (ALIVE, EXPECTED)


@dataclass(frozen=True)
class Contributions:
    """Log-odds contributions before calibration; each row plus `average` is the log-odds of that row's prediction.

    codes: (k,) reason codes; values: (n, k) per code; columns: (n, m) per model column, without the start model's
    log-odds; start: (n,) of the start model against the average start, counted within `buying_rhythm`.
    """

    codes: tuple[str, ...]
    values: Floats
    columns: Floats
    start: Floats
    average: float


def contributions(fitted: Fitted, rows: Matrix, reasons: Mapping[str, str]) -> Contributions:
    """Of the trees path-dependent TreeSHAP (Lundberg et al. 2020), of the linear model each column's own part.

    By woodelf: the values of shap's TreeExplainer, but cheaper. Each counts for the share of its member.

    reasons: reason code per column; columns of the start model belong to the buying rhythm.
    """
    given, rows = rows, fitted.started(rows)
    frame = pd.DataFrame(rows.values, columns=list(rows.columns))
    shap = np.asarray(WoodelfExplainer(fitted.booster).shap_values(frame, verbose=False), dtype=np.float64)
    straight, straight_start = fitted.linear.contributions(rows)
    shap = weighed((shap, straight), fitted.shares)
    start = weighed((rows.start - fitted.average_start, straight_start), fitted.shares)
    # The average is what remains of any row; one row is predicted exactly to find it.
    first = fitted.log_odds(given.only(np.arange(len(given)) == 0))[0]
    average = float(first - start[0] - shap[0].sum())
    code_of = [RHYTHM if name in RHYTHM_COLUMNS else reasons[name] for name in rows.columns]
    started = set(RHYTHM_COLUMNS) <= set(rows.columns)
    codes = tuple(dict.fromkeys([RHYTHM, *code_of] if started else code_of))
    member = np.array([[code == mine for code in codes] for mine in code_of], dtype=np.float64)
    values = shap @ member
    if started:
        values[:, codes.index(RHYTHM)] += start
    return Contributions(codes, values, shap, start, average)


def strongest(found: Contributions, *, count: int) -> npt.NDArray[np.int64]:
    """(n, count) places in `codes` of what raises the risk most, strongest first; -1 where nothing more raises it."""
    order = np.argsort(-found.values, axis=1, kind="stable")[:, :count]
    raises = np.take_along_axis(found.values, order, axis=1) > 0
    padded = np.full((len(found.values), count), -1, dtype=np.int64)
    padded[:, : order.shape[1]] = np.where(raises, order, -1)
    return padded
