"""The report's section on plays: what is recommended this week, and how many are held out."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd

from pipelines.foundation.wording.words import Words
from pipelines.foundation.workspace.holdout import HOLDOUT, TREATMENT
from pipelines.operations.plays.recommend import DAYS, Past, PlayPlan
from pipelines.report.data import PlayOfWeek, Plays, ReportData
from pipelines.report.part import Part
from pipelines.report.tables import Cell, Table


def plays(plan: PlayPlan, recommended: pd.DataFrame, as_of: date, scores: pd.DataFrame) -> Plays | None:
    """What the page tells of plays; None where there are none.

    recommended: all that ever was. scores: by the workspace's customer_id.
    """
    if not plan.plays:
        return None
    held, week = plan.holdout.holds(scores["customer_id"]), _week(recommended, as_of)
    return Plays(
        held_out=frozenset(scores["customer_id"][held]),
        of_week=[
            PlayOfWeek(
                code=play.code,
                name=play.name.of(plan.language),
                customers=int((mine["treatment_group"] == TREATMENT).sum()),
                held_out=int((mine["treatment_group"] == HOLDOUT).sum()),
                capacity=play.capacity_per_week,
                profit=float(mine["expected_profit"][mine["treatment_group"] == TREATMENT].sum()),
            )
            for play in plan.plays
            if len(mine := week[week["play"] == play.code])
        ],
    )


def _week(recommended: pd.DataFrame, day: date) -> pd.DataFrame:
    """What was recommended in the seven days that end with a day."""
    past = Past.of(recommended, day)
    return pd.concat([past.running, past.today])


def section(report: ReportData, words: Words) -> dict[str, Any] | None:
    """`plays`, and what stands in it; None where there are none."""
    found = report.plays
    if found is None:
        return None
    treated = sum(each.customers for each in found.of_week)
    profit = words.number(sum(each.profit for each in found.of_week))
    intro = (
        words.say("plays.intro", n=treated, days=DAYS, day=report.as_of, profit=profit, currency=report.currency)
        if treated
        else words.say("plays.none", days=DAYS, day=report.as_of)
    )
    notes = [words.say("plays.held_out", n=len(found.held_out), total=len(report.scores))] if found.held_out else []
    return {"plays": {"intro": intro, "notes": notes, "table": _table(report, found, words) if found.of_week else None}}


def _table(report: ReportData, found: Plays, words: Words) -> Table:
    """One row per play, the most expected profit first."""
    rows = tuple(
        (
            Cell(each.name),
            Cell(words.number(each.customers)),
            Cell(words.say("plays.no_limit") if each.capacity is None else words.number(each.capacity)),
            Cell(f"{words.number(each.profit)} {report.currency}"),
            Cell(words.number(each.held_out)),
        )
        for each in sorted(found.of_week, key=lambda each: -each.profit)
    )
    heads = ("play", "customers", "capacity", "profit", "would")
    return Table(words.say("plays.caption"), tuple(words.say(f"plays.{head}") for head in heads), rows, wide=True)


PART = Part(name="plays", render=section, template="plays.html.jinja")
