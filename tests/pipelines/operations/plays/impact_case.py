"""A small simulated company in which some were recommended a call or a letter, and some held out."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd

from pipelines.data.snapshots.workspace_snapshots import snapshots_of
from pipelines.foundation.ledger.recommendations import COLUMNS, Recommended
from pipelines.foundation.settings.settings import FILE_NAME, load
from pipelines.foundation.settings.template import render
from pipelines.foundation.simulation.simulate import simulate
from pipelines.run import ingest
from tests.pipelines.operations.monitoring.company_case import job_of

DAY, LATER, TODAY = date(2024, 4, 29), date(2024, 5, 27), date(2024, 8, 5)
FEW = ("customers", "subscriptions", "treatments")


def make_company(folder: Path) -> Path:
    """Landed, nobody recommended anything yet."""
    simulate(folder, customers=900, months=20, seed=6)
    settings = load(folder / FILE_NAME)
    changed = {
        "as_of": None,
        "sources": tuple(source for source in settings.sources if source.table in FEW),
        "lookback_days": (30,),
        "outcome": settings.outcome.model_copy(update={"also": ()}),
    }
    (folder / FILE_NAME).write_text(render(settings.model_copy(update=changed)), encoding="utf-8")
    ingest(job_of(folder, TODAY))
    return folder


def at_risk(folder: Path, day: date) -> pd.DataFrame:
    """customer_id and churn (0 or 1) of a day."""
    found = snapshots_of(job_of(folder, TODAY).workspace).at(day).outcomes()
    assert found is not None
    return found[["customer_id", "churn"]].sort_values("customer_id", ignore_index=True)


def recommended(
    customers: list[str], *, play: str, day: date, held_out: int, value: float | None = 100.0
) -> pd.DataFrame:
    """Rows of the table; the last so many customers are held out."""
    rows = pd.DataFrame({"customer_id": customers, "play": play, "recommended_on": str(day)})
    groups = ["treatment"] * (len(customers) - held_out) + ["holdout"] * held_out
    rows = rows.assign(treatment_group=groups, churn_probability=0.1, value=value, expected_profit=5.0, run_id="r")
    return rows[list(COLUMNS)]


def recommend(folder: Path, *parts: pd.DataFrame) -> None:
    rows = pd.concat(parts)
    table = Recommended(job_of(folder, TODAY).workspace.store)
    for day, mine in rows.groupby("recommended_on"):
        table.replace(str(day), mine)
