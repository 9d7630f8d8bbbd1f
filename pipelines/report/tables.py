"""The report's tables, worded: bands, families, figures beside baselines, tests over time, definitions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from models.evaluation import Metrics
from pipelines.foundation.wording.families import family_name
from pipelines.foundation.wording.words import Words
from pipelines.prediction.charts.quality import line_name
from pipelines.report.data import Fold, ReportData
from pipelines.report.summary import expected_by_band, first_and_last, in_bands

# Metric and digits, in the order of the table's columns; None: a percentage.
_COLUMNS = {
    "roc_auc": 4,
    "pr_auc": 4,
    "log_loss": 4,
    "brier": 4,
    "calibration_slope": 2,
    "top_decile_lift": 2,
    "top_decile_recall": None,
}
_TERMS = (
    "churn", "horizon", "probability", "cohort", "band", "contribution", "test", "interval", "baselines", "roc_auc",
    "pr_auc", "log_loss", "brier", "calibration_slope", "top_decile_lift", "top_decile_recall",
)  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """note: a second, smaller line; kind: the name of a colour, for a mark before the text."""

    text: str
    note: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Table:
    """The first cell of a row names it. `wide` tables have too many columns to stay tables on a phone."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    wide: bool = False


def bands(report: ReportData, words: Words) -> Table:
    """One row per risk band: its range, customers and expected departures."""
    medium, high = report.bands
    ranges = {
        "high": words.say("band.range_from", low=high),
        "medium": words.say("band.range_between", low=medium, high=high),
        "low": words.say("band.range_below", high=medium),
    }
    expected = expected_by_band(report)
    rows = tuple(
        (
            Cell(words.say(f"band.{band}"), kind=band),
            Cell(ranges[band]),
            Cell(words.number(count)),
            Cell(words.number(expected[band])),
        )
        for band, count in in_bands(report).items()
    )
    columns = tuple(words.say(f"band.{name}") for name in ("column", "range", "customers", "expected"))
    return Table(words.say("band.caption"), columns, rows)


def families(report: ReportData, words: Words) -> Table:
    """One row per family of indicators: its share of all movement."""
    shares = report.importance.groupby("family")["share"].sum().sort_values(ascending=False, kind="stable")
    rows = tuple(
        (Cell(family_name(str(name), words)), Cell(words.percent(float(share), 1))) for name, share in shares.items()
    )
    columns = (words.say("families.column"), words.say("families.share"))
    return Table(words.say("families.heading"), columns, rows)


def figures(report: ReportData, fold: Fold, words: Words) -> Table:
    """One row per method: the model with intervals, the baselines, what others published."""
    ours = tuple(
        Cell(_written(getattr(fold.model, name), name, words), _interval(fold, name, words)) for name in _COLUMNS
    )
    rows = [(Cell(words.say("line.model"), words.say("table.ours"), "model"), *ours)]
    rows += [
        (Cell(line_name(name, words), words.say("table.baseline"), name), *_plain(found, words))
        for name, found in fold.baselines_in_order().items()
    ]
    for other in report.published:
        known = {"roc_auc": other.roc_auc, "log_loss": other.log_loss}
        cells = (Cell(_written(known.get(name, float("nan")), name, words)) for name in _COLUMNS)
        rows.append((Cell(other.name, other.source), *cells))
    columns = (words.say("table.who"), *(words.say(f"metric.{name}") for name in _COLUMNS))
    return Table(words.say("table.caption"), columns, tuple(rows), wide=True)


def backtests(report: ReportData, words: Words) -> Table:
    """One row per fold, newest first."""
    rows = tuple(
        (
            Cell(words.short_day(fold.snapshot_on), words.say("over_time.customers", n=fold.model.n)),
            Cell(words.percent(fold.model.positives / fold.model.n if fold.model.n else float("nan"), 1)),
            Cell(words.number(fold.model.roc_auc, 3), _interval(fold, "roc_auc", words, digits=3)),
            Cell(words.number(fold.model.log_loss, 3), _interval(fold, "log_loss", words, digits=3)),
        )
        for fold in reversed(report.folds)
    )
    named = (words.say("over_time.day"), words.say("over_time.left"))
    return Table(
        words.say("over_time.caption"), (*named, words.say("metric.roc_auc"), words.say("metric.log_loss")), rows
    )


def definitions(report: ReportData, words: Words) -> list[tuple[str, str]]:
    """Terms and what they mean here."""
    medium, high = report.bands
    values: dict[str, Any] = {
        **first_and_last(report, report.as_of),
        "as_of": report.as_of,
        "cohort": report.cohort_words[:1].upper() + report.cohort_words[1:],
        "horizon": report.horizon_days,
        "lead": report.lead_days,
        "medium": medium,
        "high": high,
    }
    return [(words.say(f"term.{name}"), words.say(f"definition.{name}", **values)) for name in _TERMS]


def provenance(report: ReportData, words: Words) -> list[tuple[str, str]]:
    """Where the page comes from: workspace, days, model, training, decision, currency."""
    days = sorted(report.model_snapshots)
    key = {0: "trained_on_none", 1: "trained_on_one"}.get(len(days), "trained_on")
    span = {"first": days[0], "last": days[-1]} if days else {}
    trained = words.say(f"provenance.{key}", rows=report.model_rows, n=len(days), rounds=report.model_rounds, **span)
    data_until = words.say("provenance.none") if report.data_as_of is None else words.day(report.data_as_of)
    lines = {
        "workspace": report.name,
        "scored": words.day(report.as_of),
        "data": data_until,
        "model": report.model_version,
        "trained": trained,
        "verdict": report.verdict,
        "currency": report.currency,
    }
    return [(words.say(f"provenance.{name}"), value) for name, value in lines.items()]


def _plain(found: Metrics, words: Words) -> tuple[Cell, ...]:
    return tuple(Cell(_written(getattr(found, name), name, words)) for name in _COLUMNS)


def _written(value: float, metric: str, words: Words) -> str:
    digits = _COLUMNS[metric]
    return words.percent(value, 1) if digits is None else words.number(value, digits)


def _interval(fold: Fold, metric: str, words: Words, *, digits: int | None = None) -> str:
    low, high = fold.interval(metric)
    if not low <= high:
        return ""
    if digits is None:
        ends = {"low": _written(low, metric, words), "high": _written(high, metric, words)}
    else:
        ends = {"low": words.number(low, digits), "high": words.number(high, digits)}
    return words.say("table.interval", **ends)
