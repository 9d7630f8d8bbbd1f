"""The report's section on monitoring: alerts in words, drift by day, and what came of past scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from models.realised import RATIO
from pipelines.foundation.wording.words import Words
from pipelines.operations.monitoring.alerts import alerts, retrain
from pipelines.prediction.charts import monitoring as charts_of_monitoring
from pipelines.report.data import ReportData
from pipelines.report.part import Part
from pipelines.report.tables import Cell, Table

_SHOWN_RUNS = 6


def section(report: ReportData, words: Words) -> dict[str, Any] | None:
    """`monitoring`, and what stands in it; None where nothing was monitored.

    What is said is made of the documents' figures, so that it is in the page's language.
    """
    if not report.monitoring:
        return None
    newest = report.monitoring[-1]
    runs = [run for run in newest["matured"] if not run["hindsight"]]
    drift = charts_of_monitoring.drift(report.monitoring, words)
    charts = [*([] if drift is None else [drift]), *charts_of_monitoring.realised(runs, words)]
    return {
        "monitoring": {
            "intro": words.say("monitoring.intro", n=len(report.monitoring), day=date.fromisoformat(newest["as_of"])),
            "alerts": alerts(newest, words),
            "notes": _notes(newest, runs, words),
            "charts": charts,
            "figures": _figures(runs[-_SHOWN_RUNS:], words) if runs else None,
        }
    }


def _notes(newest: Mapping[str, Any], runs: Sequence[Mapping[str, Any]], words: Words) -> list[str]:
    notes = [words.say("monitoring.retrain", reason=reason) for reason in retrain(newest, words)]
    if newest["drift"]["reason"] is not None:
        notes.append(words.say("monitoring.unknown"))
    hidden = len(newest["matured"]) - len(runs)
    if hidden:
        notes.append(words.say("monitoring.hindsight", n=hidden))
    if not runs:
        notes.append(words.say("monitoring.immature"))
    else:
        notes.append(_of_holdout(runs[-1], words))
    return notes


def _of_holdout(run: Mapping[str, Any], words: Words) -> str:
    """Whom the model was judged by, so that nobody who was kept counts as its error."""
    held = {"n": run.get("recommended", 0), "held_out": run.get("held_out", 0)}
    if run["holdout"] is None:
        return words.say("monitoring.few_held_out", **held) if held["n"] else words.say("monitoring.holdout")
    figures = run["holdout"]
    low, high = (_number(end) for end in figures["intervals"][RATIO])
    numbers = {name: _number(figures[name]) for name in ("roc_auc", "log_loss")}
    return words.say("monitoring.held_out", **held, **numbers, ratio=_number(figures[RATIO]), low=low, high=high)


def _figures(runs: Sequence[Mapping[str, Any]], words: Words) -> Table:
    """One row per scored day, the newest first."""
    rows = tuple(_row(run, words) for run in reversed(runs))
    heads = tuple(words.say(f"monitoring.{head}") for head in ("day", "n", "happened", "roc_auc", "log_loss"))
    return Table(words.say("monitoring.caption"), (*heads, words.say(f"monitoring_{RATIO}.title")), rows, wide=True)


def _row(run: Mapping[str, Any], words: Words) -> tuple[Cell, ...]:
    others = run["untreated"]
    low, high = (words.number(_number(end), 2) for end in run["intervals"].get(RATIO, (None, None)))
    return (
        Cell(words.short_day(date.fromisoformat(run["as_of"]))),
        Cell(words.number(run["n"]), words.number(others["n"])),
        Cell(words.number(run["positives"]), words.number(run["expected"], 1)),
        Cell(words.number(_number(run["roc_auc"]), 3), words.number(_number(others["roc_auc"]), 3)),
        Cell(words.number(_number(run["log_loss"]), 4), words.number(_number(others["log_loss"]), 4)),
        Cell(words.number(_number(run[RATIO]), 2), f"{low} {words.say('outlook.to')} {high}"),
    )


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


PART = Part(name="monitoring", render=section, template="monitoring.html.jinja")
