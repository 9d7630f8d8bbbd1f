"""The report's section on money: whom to contact first, what the next horizon brings, what each model is worth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from models import explanation
from models.economics import DAYS_PER_MONTH
from models.forecast import FIGURES
from models.matrix import Matrix
from models.training import Fitted
from pipelines.data.snapshots.definitions import Definition
from pipelines.foundation.wording.families import family_name, segment_name
from pipelines.foundation.wording.words import Words
from pipelines.prediction.charts import money as charts_of_money
from pipelines.prediction.scoring.forecast import horizon_forecast
from pipelines.prediction.training import backtest
from pipelines.prediction.training.champion import answering
from pipelines.prediction.training.task import PredictionTask
from pipelines.report.data import Modelled, Money, ReportData
from pipelines.report.part import Part
from pipelines.report.tables import Cell, Table

SAMPLE = 2_000
LEADING = 3  # families named per outcome


def money(tasks: Sequence[PredictionTask], announced: Mapping[str, Any]) -> Money:
    """What the page tells of money. tasks: every outcome, the main one first. announced: as from `further_scores`."""
    plan, horizon = tasks[0].retention, tasks[0].question.horizon_days
    return Money(
        play=plan.play,
        kept=plan.kept_months * DAYS_PER_MONTH / horizon,
        outlook=horizon_forecast(tasks),
        modelled=[_modelled(task) for task in tasks],
        announced_customers=announced["customers"],
        announced_mrr=announced["mrr"],
    )


def section(report: ReportData, words: Words) -> dict[str, Any] | None:
    """`money_tables`, `money_charts` and notes; None where there is neither a table nor a chart."""
    found = report.money
    if found is None:
        return None
    tables = [_outlook(found, words, report.horizon_days)] if found.outlook["next"] else []
    if len(found.modelled) > 1:
        tables.append(_outcomes(found, words))
    if any(each.worse for each in found.modelled):
        tables.append(_worse(found, words))
    charts, notes = [], []
    if _has_money(report.predictions):
        charts.append(charts_of_money.reached(report.predictions, words))
        charts.append(
            charts_of_money.profits(report.predictions, found.play, found.kept, words, currency=report.currency)
        )
        notes.append(_expected_profit(report, found, words))
    if found.announced_customers:
        written = words.number(found.announced_mrr, 2)
        notes.append(words.say("money.announced", n=found.announced_customers, mrr=written, currency=report.currency))
    if not tables and not charts:
        return None
    return {"money_tables": tables, "money_charts": charts, "money_notes": [note for note in notes if note]}


def _has_money(predictions: pd.DataFrame) -> bool:
    return "value" in predictions.columns and float(charts_of_money.lost(predictions).sum()) > 0


def _expected_profit(report: ReportData, found: Money, words: Words) -> str:
    """EMPC in words; empty where there is none."""
    newest = found.modelled[0].newest
    if newest is None or newest["empc"] is None:
        return ""
    profit = words.number(newest["empc"]["profit"], 2)
    return words.say("money.empc", profit=profit, currency=report.currency, share=newest["empc"]["share"])


def _outlook(found: Money, words: Words, horizon_days: int) -> Table:
    """One row per figure: expected, its interval, and how past forecasts did."""
    ahead, past = found.outlook["next"], found.outlook["past"]
    rows = []
    for name in FIGURES:
        if name not in ahead:
            continue
        written = _counted if name == "customers_lost" else _share
        expected, low, high = (written(ahead[name][part], words) for part in ("expected", "low", "high"))
        held = (
            words.say("outlook.held", held=_held(found.outlook, name), n=len(past))
            if past
            else words.say("outlook.none")
        )
        rows.append(
            (
                Cell(words.say(f"outlook.{name}")),
                Cell(expected),
                Cell(f"{low} {words.say('outlook.to')} {high}"),
                Cell(held),
            )
        )
    heads = tuple(words.say(f"outlook.{head}") for head in ("figure", "expected", "interval", "past"))
    return Table(words.say("outlook.caption", days=horizon_days), heads, tuple(rows))


def _held(document: Mapping[str, Any], name: str) -> int:
    return round(document["coverage"][name] * len(document["past"])) if name in document["coverage"] else 0


def _counted(value: float, words: Words) -> str:
    return words.number(value)


def _share(value: float, words: Words) -> str:
    return words.percent(value, 1)


def _outcomes(found: Money, words: Words) -> Table:
    """One row per outcome: how common it is, how well its model does beside logistic regression, what leads it."""
    rows = []
    for each in found.modelled:
        fold = each.newest
        if fold is None:
            cells = [Cell(words.say("outcomes.none"))] + [Cell("")] * 3
        else:
            other = fold["baselines"].get("logistic_regression", {})
            cells = [
                Cell(words.percent(fold["model"]["positives"] / fold["rows"], 1)),
                Cell(
                    words.number(_number(fold["model"]["roc_auc"]), 3), words.number(_number(other.get("roc_auc")), 3)
                ),
                Cell(
                    words.number(_number(fold["model"]["log_loss"]), 4), words.number(_number(other.get("log_loss")), 4)
                ),
                Cell(words.number(_number(fold["model"]["calibration_slope"]), 2)),
            ]
        leading = ", ".join(family_name(name, words) for name in each.leading)
        rows.append((Cell(words.say(f"outcome.{each.kind}")), *cells, Cell(leading)))
    heads = tuple(
        words.say(f"outcomes.{head}") for head in ("outcome", "share", "roc_auc", "log_loss", "slope", "leading")
    )
    return Table(words.say("outcomes.caption"), heads, tuple(rows), wide=True)


def _worse(found: Money, words: Words) -> Table:
    """One row per segment that a model serves clearly worse than the rest."""
    rows = tuple(
        (
            Cell(words.say(f"outcome.{each.kind}")),
            Cell(segment_name(segment["column"], words) + words.say("line.colon") + segment["segment"]),
            Cell(words.number(segment["rows"])),
            Cell(words.number(segment["calibration"], 2)),
            Cell(words.percent(segment["lift"], 1)),
            Cell(", ".join(words.say(f"segments.{what}") for what in segment["worse"])),
        )
        for each in found.modelled
        for segment in each.worse
    )
    heads = ("outcome", "segment", "rows", "calibration", "lift", "worse")
    return Table(
        words.say("segments.caption"), tuple(words.say(f"segments.head_{head}") for head in heads), rows, wide=True
    )


def _modelled(task: PredictionTask) -> Modelled:
    document = backtest.backtest(task)
    return Modelled(
        kind=task.kind,
        newest=document["folds"][-1] if document["folds"] else None,
        worse=[segment for segment in document["segments"] if segment["worse"]],
        leading=leading_families(task)[:LEADING],
    )


def leading_families(task: PredictionTask) -> list[str]:
    """Families by how much their indicators move the champion's log-odds among those at risk today, most first."""
    snapshot = task.snapshots.at(task.calendar.as_of)
    frame = snapshot.frame()
    if task.versions.aliased("champion") is None or not len(frame):
        return []
    _, fitted = answering(task)
    rows = snapshot.matrix(frame)
    chosen = np.zeros(len(rows), dtype=np.bool_)
    chosen[np.random.default_rng(0).permutation(len(rows))[:SAMPLE]] = True
    moved = family_movement(task.snapshots.definition, fitted, rows.only(chosen))
    return [str(name) for name in moved[moved > 0].index]


def family_movement(definition: Definition, fitted: Fitted, rows: Matrix) -> pd.Series:
    """By family: mean absolute log-odds by which its indicators move these rows from their mean, most first."""
    lookbacks = definition.lookbacks.lookback_days
    family_of = {column: family.name for family in definition.families for column in family.columns(lookbacks)}
    found = explanation.contributions(fitted, rows, {name: name for name in family_of})
    names = [family_of.get(code, "purchases") for code in found.codes]  # the start model is made of purchases
    summed = pd.DataFrame(found.values, columns=names).T.groupby(level=0).sum().T
    return (summed - summed.mean()).abs().mean().sort_values(ascending=False, kind="stable")


def _number(value: float | None) -> float:
    return math.nan if value is None else value


PART = Part(name="money", render=section, template="money.html.jinja")
