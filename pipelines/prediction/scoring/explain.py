"""`attrition explain CUSTOMER`: one customer's score taken apart."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
from rich.table import Table

from features.errors import DataError
from models import explanation
from models.matrix import ENTITY
from pipelines.foundation.identity.permissions import Permissions
from pipelines.foundation.wording.words import Words
from pipelines.foundation.workspace.holdout import Holdout
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.prediction.scoring.reasons import COUNT, everything_that_raises, reasons
from pipelines.prediction.scoring.score import band, plan_of
from pipelines.prediction.training.champion import answering
from pipelines.prediction.training.task import main_task


def explain(job: RunContext, customer: str, *, held_out_too: bool = False) -> dict[str, Any]:
    """Every contribution to the customer's log-odds, strongest first; with the average they add up to the prediction.

    Raises: DataError where the customer objected to being scored, is not at risk at `as_of`, or is held out, unless
    held_out_too.
    """
    workspace = job.workspace
    permissions, plan = workspace.permissions, plan_of(workspace.settings)
    _refuse(permissions, customer)
    task = main_task(workspace)
    champion, fitted = answering(task)
    snapshot = task.snapshots.at(workspace.as_of)
    frame = snapshot.frame()
    mine = (frame[ENTITY] == permissions.name_of(customer)).to_numpy()
    if not mine.any():
        lacking = "subscription" if workspace.by_contract else "order"
        raise DataError(
            f"customer '{customer}' is not at risk at {workspace.as_of} (no {lacking} known by then counts for "
            "the cohort); see that the id is written as in your data"  # ids of others are not for guessing
        )
    if not held_out_too:
        _refuse_held_out(workspace.holdout, permissions, customer)
    # What the model starts from, and how many leave, is told of everybody at the snapshot, before one row is taken.
    rows, words = fitted.levelled(snapshot.matrix(frame)).only(mine), plan.wording(snapshot)
    found = explanation.contributions(fitted, rows, words.codes())
    single = frame[mine].reset_index(drop=True)
    given = reasons(found, single, rows.columns, words, usual=words.usual(frame)).iloc[0]
    ranked = everything_that_raises(found, single, rows.columns, words, count=len(found.codes)).iloc[0]
    texts = {ranked[f"reason_{n + 1}_code"]: ranked[f"reason_{n + 1}"] for n in range(len(found.codes))}
    order = np.argsort(-found.values[0], kind="stable")
    probability = fitted.probability(rows)
    document: dict[str, Any] = {
        "customer_id": customer,
        "as_of": str(workspace.as_of),
        "model_version": champion.version,
        "churn_probability": float(probability[0]),
        "churn_risk_band": str(band(probability, plan.bands)[0]),
        "reasons": [
            {"code": given[f"reason_{n + 1}_code"], "text": given[f"reason_{n + 1}"]}
            for n in range(COUNT)
            if given[f"reason_{n + 1}_code"]
        ],
        "average_log_odds": found.average,
        "level_log_odds": float(rows.levels[0]),
        "contributions": [
            {"code": found.codes[k], "log_odds": float(found.values[0, k]), "text": texts.get(found.codes[k], "")}
            for k in order
        ],
        "indicators": {
            name: None if single[name].isna()[0] else _plain(single[name][0])
            for name in single.columns
            if name != ENTITY
        },
    }
    _show(job, document)
    return document


def _refuse(permissions: Permissions, customer: str) -> None:
    now = permissions.refusals()
    if not now.allows([customer])[0]:
        why = "has objected to being scored" if customer in now.objected else "has not agreed to being scored"
        plan = permissions.privacy
        listed = plan.objections if customer in now.objected else plan.consent
        raise DataError(f"customer '{customer}' {why} ({listed}), so there is nothing to explain")


def _refuse_held_out(holdout: Holdout, permissions: Permissions, customer: str) -> None:
    if holdout.holds([permissions.name_of(customer)])[0]:
        raise DataError(
            f"customer '{customer}' is held out by chance (retention.holdout_share): what plays achieve is measured by "
            "those whom nobody acts on, so nothing is shown of them; --holdout shows it to whoever only looks"
        )


def _plain(value: Any) -> float | str:
    return value if isinstance(value, str) else float(value)


def _show(job: RunContext, document: dict[str, Any]) -> None:
    words = Words(job.workspace.settings.language)
    band_in_words = words.say(f"tile.{document['churn_risk_band']}")
    job.console.say(
        words.say(
            "explain.score",
            customer=document["customer_id"],
            day=date.fromisoformat(document["as_of"]),
            probability=document["churn_probability"],
            band=band_in_words,
        )
    )
    for reason in document["reasons"]:
        job.console.say(f"  - {reason['text']}")
    table = Table(words.say("explain.code"), words.say("customer.adds"), words.say("explain.text"))
    table.add_row(words.say("customer.average"), words.signed(document["average_log_odds"], 3), "")
    for part in document["contributions"]:
        table.add_row(part["code"], words.signed(part["log_odds"], 3), part["text"])
    level = words.signed(document["level_log_odds"], 3)
    table.add_row(words.say("explain.level"), level, words.say("explain.level_text"))
    job.console.rich.print(table)
