"""What is handed over beside the scores: probabilities of further outcomes, and who has already announced to leave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from features import cohort
from features.asof import as_of
from features.outcomes import OUTCOMES, Kind
from models import economics
from models.matrix import ENTITY
from pipelines.data.privacy.enforce import hand_over, there
from pipelines.data.snapshots.features import as_matrix, feature_file, feature_frame
from pipelines.foundation.ledger.model_versions import Version
from pipelines.foundation.storage.fingerprint import code_version, fingerprint
from pipelines.foundation.workspace.holdout import chosen_by, kept_out
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.prediction.scoring import outlook
from pipelines.prediction.scoring.score import in_batches, wording
from pipelines.prediction.training.champion import age_days


def further_scores(workspace: Workspace, *, progress: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Score further outcomes, but of the held-out, and list who has given notice, held out or not; both as CSV files.

    {"also": path or null, "too_old": [outcome], "announced": {"customers", "mrr", "csv": path or null}}. The first file
    has a row per customer and outcome: customer_id, outcome, probability, expected_change (of revenue over the horizon,
    in the currency: negative where it is lost; null where it is not known), model_version and the reasons. The second
    has customer_id, requested_on and mrr: they are leaving, and no longer scored. An outcome whose champion is older
    than promotion.max_age_days is left out and named in `too_old`.
    """
    champions = [
        (view, champion)
        for view in workspace.each_outcome[1:]
        if (champion := view.versions.aliased("champion")) is not None
    ]
    limit = workspace.settings.promotion.max_age_days
    ages = {view.settings.outcome.kind: age_days(view) for view, _ in champions}
    young = [each for each in champions if ages[each[0].settings.outcome.kind] <= limit]
    return {
        "also": _also(workspace, young, progress),
        "too_old": [kind for kind, age in ages.items() if age > limit],
        "announced": _announced(workspace),
    }


def _also(
    workspace: Workspace, champions: list[tuple[Workspace, Version]], progress: Callable[[str], None]
) -> str | None:
    if not champions:
        return None
    settings = workspace.settings
    made_from = {
        "features": feature_file(workspace, workspace.as_of).sha256,
        "models": [champion.version for _, champion in champions],
        "said": [settings.language, settings.currency],
        "refusals": workspace.refusals.fingerprint,
        "held_out": chosen_by(workspace),
        "code": code_version(),
    }
    path = f"delivery/outcomes-{workspace.as_of}-{fingerprint(made_from)[:8]}.csv"
    if there(workspace.store, path):
        return path
    frame, parts = feature_frame(workspace, workspace.as_of), []
    for view, champion in champions:
        parts.append(_scored(view, frame).assign(model_version=champion.version))
        progress(f"{view.settings.outcome.kind} scored")
    found = pd.concat(parts, ignore_index=True)
    hand_over(workspace, path, found[~kept_out(workspace, found[ENTITY])])
    return path


def _scored(view: Workspace, frame: pd.DataFrame) -> pd.DataFrame:
    kind, words = view.settings.outcome.kind, wording(view)
    fitted = view.versions.load(view.versions.champion().version)
    rows = as_matrix(view, frame, view.as_of)
    probability = fitted.probability(rows)
    value = economics.value(rows, by_contract=True, days=view.settings.outcome.horizon_days)
    change = -value if OUTCOMES[kind].revenue == "lost" else value * _size(view, kind)
    said = in_batches(fitted, rows, frame, words, threads=view.settings.training.threads)
    risk = pd.DataFrame({ENTITY: rows.customers.astype(str), "outcome": kind, "probability": probability})
    return pd.concat([risk.assign(expected_change=(probability * change).round(2)), said], axis=1)


def _size(view: Workspace, kind: Kind) -> float:
    """The mean share by which revenue fell (negative) or rose where this outcome happened; null where it never did."""
    sizes = outlook.sizes(view, view.as_of)
    shares = -sizes.less if OUTCOMES[kind].revenue == "less" else sizes.more
    return float(shares.mean()) if len(shares) else float(np.nan)


def _announced(workspace: Workspace) -> dict[str, Any]:
    if not workspace.by_contract:
        return {"customers": 0, "mrr": 0.0, "csv": None}
    world = as_of(workspace.tables, workspace.as_of, zone=workspace.settings.zone)
    leaving = workspace.engine.to_pyarrow(cohort.announced(world).order_by(ENTITY)).to_pandas()
    leaving["requested_on"] = leaving["requested_on"].astype(str)
    seen = [feature_file(workspace, workspace.as_of).sha256, workspace.refusals.fingerprint]
    path = f"delivery/announced-{workspace.as_of}-{fingerprint({'seen': seen})[:8]}.csv"
    if not there(workspace.store, path):
        hand_over(workspace, path, leaving)
    return {"customers": len(leaving), "mrr": round(float(leaving["mrr"].sum()), 2), "csv": path}
