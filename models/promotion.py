"""Whether a challenger replaces the champion: a pure decision with its reason."""

from __future__ import annotations

from dataclasses import dataclass

from models.evaluation import Metrics


@dataclass(frozen=True)
class Gates:
    """By how much a challenger may be worse than the champion on the same rows."""

    max_log_loss_increase: float
    max_roc_auc_decrease: float


@dataclass(frozen=True)
class Verdict:
    """The decision and why, in words."""

    promote: bool
    reason: str


def decide(champion: Metrics | None, challenger: Metrics | None, gates: Gates) -> Verdict:
    """Promote unless the challenger is worse by more than a gate allows.

    champion: its figures, None where there is no champion. challenger: its figures on the same rows, None where no
    outcome has matured to judge by.

    >>> decide(None, None, Gates(0.002, 0.005))
    Verdict(promote=True, reason='there is no champion yet')
    """
    if champion is None:
        return Verdict(promote=True, reason="there is no champion yet")
    if challenger is None:
        return Verdict(promote=False, reason="no outcome has matured to compare it with the champion on")
    loss, ranking = challenger.log_loss - champion.log_loss, champion.roc_auc - challenger.roc_auc
    figures = (
        f"log loss {challenger.log_loss:.4f} against {champion.log_loss:.4f}, "
        f"ROC AUC {challenger.roc_auc:.4f} against {champion.roc_auc:.4f} on {challenger.n} outcomes"
    )
    # Written so that a figure that could not be computed (NaN) never promotes.
    if not loss <= gates.max_log_loss_increase:
        return Verdict(
            promote=False, reason=f"its log loss is worse by more than {gates.max_log_loss_increase:g}: {figures}"
        )
    if not ranking <= gates.max_roc_auc_decrease:
        return Verdict(
            promote=False, reason=f"its ROC AUC is worse by more than {gates.max_roc_auc_decrease:g}: {figures}"
        )
    return Verdict(promote=True, reason=f"it is not worse than the champion by more than the gates allow: {figures}")
