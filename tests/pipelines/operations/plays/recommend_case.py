"""A workspace with plays whose customers were scored, literally: nothing is ingested or trained."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import pandas as pd

from pipelines.foundation.ledger.recommendations import Recommended
from pipelines.foundation.ledger.score_store import ScoreRun, ScoreStore
from pipelines.foundation.settings.plays import Play
from pipelines.foundation.settings.retention import Retention
from pipelines.foundation.storage.store import Store
from pipelines.foundation.workspace.holdout import held_out
from pipelines.foundation.workspace.workspace import Workspace
from tests.pipelines.foundation.ledger import score_case
from tests.pipelines.shop_case import SETTINGS

DAY = date(2025, 6, 2)
SHARE = 0.3
CUSTOMERS = [f"C-{number:02}" for number in range(40)]
_held = held_out(CUSTOMERS, share=SHARE, seed=7)
TREATED = [name for name, held in zip(CUSTOMERS, _held, strict=True) if not held]
HELD_OUT = [name for name, held in zip(CUSTOMERS, _held, strict=True) if held]


def play(code: str, reasons: tuple[str, ...] = ("support",), **changes: Any) -> Play:
    texts = {"name": {"en": code.title(), "fr": f"Le {code}"}, "advice": {"en": "Do it.", "fr": "Faire."}}
    costs = {"contact_cost": 1.0, "success_rate": 0.5}
    return Play.model_validate({"code": code, "for": reasons} | texts | costs | changes)


def workspace(root: Path, *plays: Play, day: date = DAY, language: str = "en", **retention: Any) -> Workspace:
    """A customer is kept for one horizon: a play brings success_rate times value at risk, less what it costs."""
    plan = {"holdout_share": SHARE, "kept_months": 60 / (365.25 / 12)} | retention
    settings = SETTINGS.model_copy(update={"retention": Retention(**plan), "language": language})
    found = Workspace(root, settings, day, day, plays)
    vars(found)["tables"] = {}
    return found


def on(before: Workspace, day: date) -> Workspace:
    found = replace(before, as_of=day)
    vars(found)["tables"] = before.tables
    return found


def scored(found: Workspace, at_risk: dict[str, float | None], *codes: str, run: str = "a", **changes: Any) -> ScoreRun:
    """The run of customers with so much value at risk each, all of them high and for the same reasons."""
    count = len(at_risk)
    reasons = [*codes, "", "", ""] if codes else ["support_unsolved", "", ""]
    rows: dict[str, list[Any]] = {
        "customer_id": list(at_risk),
        "churn_probability": [0.5] * count,
        "churn_risk_band": ["high"] * count,
        "value_at_risk": list(at_risk.values()),
        "priority": list(range(1, count + 1)),
    }
    rows |= {f"reason_{place}": [""] * count for place in (1, 2, 3)}
    rows |= {f"reason_{place}_code": [reasons[place - 1]] * count for place in (1, 2, 3)}
    frame = score_case.scores(f"{found.as_of}-{run}", **(rows | changes)).assign(horizon_days=60)
    score_case.replace(found.store, frame, as_of=str(found.as_of), run_id=f"{found.as_of}-{run}")
    return ScoreStore(found.store).require(str(found.as_of))


def done(found: Workspace, *rows: tuple[str, str, date]) -> None:
    """Customer, play and day of what was really done."""
    frame = pd.DataFrame(rows, columns=["customer_id", "play", "day"])
    moment = pd.to_datetime(frame["day"]).astype("datetime64[us]")
    frame = frame.assign(
        treatment_id=[str(number) for number in range(len(frame))],
        treated_at=moment,
        treated_on=frame["day"],
        known_at=moment,
        landed_order=0,
        source_row=range(len(frame)),
        cost=None,
        currency="EUR",
    ).drop(columns="day")
    vars(found)["tables"] = {"treatments": ibis.memtable(frame)}


def noted(found: Workspace) -> list[tuple[str, str, str, str]]:
    """Customer, play, day and group of every row of the table."""
    rows = Recommended(found.store).read()
    return [tuple(row) for row in rows[["customer_id", "play", "recommended_on", "treatment_group"]].to_numpy()]


def note(store: Store, day: str, *rows: tuple[str, str, str]) -> None:
    """Make these the recommendations of a day: customer, play and group, each expected to bring 10."""
    frame = pd.DataFrame(rows, columns=["customer_id", "play", "treatment_group"])
    more = {"churn_probability": 0.5, "value": None, "expected_profit": 10.0, "run_id": "noted"}
    Recommended(store).replace(day, frame.assign(recommended_on=day, **more))
