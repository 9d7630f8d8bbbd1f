"""A document of monitoring as `attrition monitor` writes it, with whatever differs."""

from __future__ import annotations

from typing import Any

SCORES = {
    "column": "churn_probability", "family": "churn_probability", "distance": 0.1, "usual": 0.1, "limit": 0.4,
    "scaled": 1.0, "drifted": [], "psi": 0.02, "missing": 0.0, "missing_before": 0.0, "unseen": None,
}  # fmt: skip


def indicator(column: str, family: str, **changes: Any) -> dict[str, Any]:
    return SCORES | {"column": column, "family": family} | changes


def run(as_of: str, **changes: Any) -> dict[str, Any]:
    """A scored day whose outcomes are known."""
    figures: dict[str, Any] = {
        "n": 300, "positives": 30, "expected": 31.5, "roc_auc": 0.75, "pr_auc": 0.4, "log_loss": 0.28, "brier": 0.08,
        "calibration_slope": 0.95, "calibration_intercept": 0.0, "top_decile_lift": 3.0, "top_decile_recall": 0.3,
        "observed_over_expected": 0.952,
        "intervals": {
            "roc_auc": [0.7, 0.8], "log_loss": [0.25, 0.31], "calibration_slope": [0.7, 1.2],
            "observed_over_expected": [0.7, 1.25],
        },
    }  # fmt: skip
    return {
        "as_of": as_of,
        "run_id": f"{as_of.replace('-', '')}-0123abcd",
        "model_version": "0a1b2c3d4e5f",
        "hindsight": False,
        **figures,
        "treated": 20,
        "untreated": figures | {"n": 280, "positives": 25, "roc_auc": 0.74},
        "promised": {"all": {"log_loss": 0.27, "roc_auc": 0.76}, "untreated": {"log_loss": 0.27, "roc_auc": 0.76}},
        "clearly_worse": [],
        "bands": [{"band": "high", "n": 300.0, "expected": 31.5, "happened": 30.0}],
        "holdout": None,
        "holdout_reason": "nobody was set aside",
    } | changes


def document(as_of: str = "2024-08-05", **changes: Any) -> dict[str, Any]:
    drift: dict[str, Any] = {
        "level": 0.05, "reference": "2024-06-10", "reference_learned": True, "days_apart": 56, "pairs": 20,
        "independent_pairs": 6.0, "statistic": 0.7, "threshold": 1.0, "p_value": 0.3, "reason": None, "families": [],
        "indicators": [indicator("orders_30d", "purchases")], "scores": SCORES,
    }  # fmt: skip
    return {
        "as_of": as_of,
        "run_id": None,
        "model_version": "0a1b2c3d4e5f",
        "champion": {"learned_until": "2024-07-24", "age_days": 12, "retrain_after_days": 90},
        "drift": drift | changes.pop("drift", {}),
        "volume": [],
        "freshness": [],
        "matured": [],
        "calibration": None,
        "alerts": [],
        "retrain": [],
    } | changes
