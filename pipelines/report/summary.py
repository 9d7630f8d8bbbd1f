"""The report's summary: what was scored, how good it is, what drives it and what to keep in mind, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from features import outcomes
from models.evaluation import TOP_SHARE
from pipelines.foundation.wording.words import Words
from pipelines.prediction.charts.quality import line_name
from pipelines.report.data import Fold, ReportData
from pipelines.report.part import Part

FEW = 200
STALE_DAYS = 7
SLOPES = (0.8, 1.25)  # of calibration; beyond them probabilities are visibly off
_DRIVERS = 3


@dataclass(frozen=True)
class Tile:
    """One figure at the page's top. kind: the name of its colour."""

    value: str
    label: str
    note: str = ""
    kind: str = "ink"


@dataclass(frozen=True)
class Hits:
    """Customers at most risk (a tenth of the fold): how many did leave, how many by chance, how many at best."""

    top: int
    found: int
    random: int
    best: int


def first_and_last(report: ReportData, day: date) -> dict[str, date]:
    """First and last day of the outcome window of a snapshot, as `start` and `end`."""
    start, after = outcomes.window(day, lead_days=report.lead_days, horizon_days=report.horizon_days)
    return {"start": start, "end": after - timedelta(days=1)}


def in_bands(report: ReportData) -> dict[str, int]:
    """Customers per risk band."""
    counts = report.scores["risk_band"].value_counts()
    return {band: int(counts.get(band, 0)) for band in ("high", "medium", "low")}


def expected_departures(report: ReportData) -> int:
    """Customers expected to leave: the probabilities added up."""
    return round(float(report.scores["churn_probability"].sum()))


def expected_by_band(report: ReportData) -> dict[str, int]:
    """The same by risk band, in whole customers that add up to them: the largest remainders are rounded up."""
    sums = report.scores["churn_probability"].groupby(report.scores["risk_band"]).sum()
    exact = {band: float(sums.get(band, 0.0)) for band in in_bands(report)}
    whole = {band: int(value) for band, value in exact.items()}
    missing = expected_departures(report) - sum(whole.values())
    for band in sorted(exact, key=lambda band: exact[band] - whole[band], reverse=True)[:missing]:
        whole[band] += 1
    return whole


def hits(fold: Fold) -> Hits:
    """What the metrics say in customers; rows of equal probability at the edge of the tenth count in part."""
    top = max(1, round(TOP_SHARE * fold.model.n))
    return Hits(
        top=top,
        found=min(top, round(fold.model.top_decile_recall * fold.model.positives)),
        random=round(top * fold.model.positives / fold.model.n),
        best=min(top, fold.model.positives),
    )


def tiles(report: ReportData, words: Words) -> list[Tile]:
    """Bands and expected departures, then two figures of quality where there are any."""
    total = len(report.scores)
    made = [
        Tile(words.number(count), words.say(f"tile.{band}"), _share(count, total, words), band)
        for band, count in in_bands(report).items()
    ]
    expected = expected_departures(report)
    made.append(Tile(words.number(expected), words.say("tile.expected"), _share(expected, total, words)))
    fold = report.newest
    if fold is not None and not fold.one_class:
        hit, (low, high) = hits(fold), fold.interval("roc_auc")
        between = words.say("table.interval", low=words.percent(low, 1), high=words.percent(high, 1))
        made += [
            Tile(words.number(hit.found), words.say("tile.found", top=hit.top), words.day(fold.snapshot_on), "model"),
            Tile(words.percent(fold.model.roc_auc, 1), words.say("tile.auc"), between, "model"),
        ]
    return made


def sentences(report: ReportData, words: Words) -> list[str]:
    """Paragraphs: who was scored; how good that is; beside what; what drives it; what calibrated means."""
    fold = report.newest
    paragraphs = [_scored(report, words)]
    if fold is not None and not fold.one_class:
        paragraphs += [_found(fold, words), _compared(report, fold, words)]
    if len(report.importance) and report.importance["share"].sum() > 0:
        top = report.importance.head(_DRIVERS)
        named = [
            words.say("summary.driver", label=str(label), share=float(share))
            for label, share in zip(top["label"], top["share"], strict=True)
        ]
        paragraphs.append(words.say("summary.drivers", drivers=", ".join(named), share=float(top["share"].sum())))
    if fold is not None and len(report.predictions):
        paragraphs.append(
            words.say(
                "summary.calibrated",
                day=fold.snapshot_on,
                n=fold.model.n,
                expected=round(float(report.predictions["churn_probability"].sum())),
                happened=fold.model.positives,
            )
        )
    return paragraphs


def caveats(report: ReportData, words: Words) -> list[str]:
    """What limits the figures above, the gravest first."""
    remarks = [*_about_data(report, words), *_about_test(report, words)]
    return [
        *remarks,
        words.say("caveats.past"),
        words.say("caveats.cause"),
        words.say("caveats.return", days=report.horizon_days),
    ]


def _about_data(report: ReportData, words: Words) -> Iterator[str]:
    if report.simulated:
        yield words.say("caveats.simulated")
    if report.data_as_of is None:
        yield words.say("caveats.no_data", as_of=report.as_of)
    elif (days := (report.as_of - report.data_as_of).days) > STALE_DAYS:
        yield words.say("caveats.stale", data_as_of=report.data_as_of, days=days)


def _about_test(report: ReportData, words: Words) -> Iterator[str]:
    fold = report.newest
    if fold is None:
        yield words.say("caveats.no_folds")
        return
    if fold.one_class:
        key = "caveats.all_left" if fold.model.positives else "caveats.none_left"
        yield words.say(key, day=fold.snapshot_on, n=fold.model.n)
        return
    if fold.model.n < FEW:
        yield words.say("caveats.few", n=fold.model.n)
    for name, figures in fold.baselines_in_order().items():
        if figures.roc_auc >= fold.model.roc_auc:
            better = figures.log_loss <= fold.model.log_loss
            yield words.say(
                "caveats.no_better" if better else "caveats.ranks_no_better",
                other=line_name(name, words),
                auc=fold.model.roc_auc,
                loss=fold.model.log_loss,
                other_auc=figures.roc_auc,
                other_loss=figures.log_loss,
            )
    slope = fold.model.calibration_slope
    if slope < SLOPES[0]:
        yield words.say("caveats.too_extreme", slope=slope)
    elif slope > SLOPES[1]:
        yield words.say("caveats.too_cautious", slope=slope)


def _scored(report: ReportData, words: Words) -> str:
    total = len(report.scores)
    if not total:
        return words.say("summary.nobody", as_of=report.as_of, cohort=report.cohort_words)
    expected = expected_departures(report)
    return " ".join(
        [
            words.say("summary.scored", n=total, as_of=report.as_of, cohort=report.cohort_words),
            words.say("summary.bands", **in_bands(report)),
            words.say(
                "summary.expected",
                expected=expected,
                share=expected / total,
                **first_and_last(report, report.as_of),
            ),
        ]
    )


def _found(fold: Fold, words: Words) -> str:
    hit = hits(fold)
    text = words.say(
        "summary.found", day=fold.snapshot_on, top=hit.top, found=hit.found, random=hit.random, best=hit.best
    )
    recency = fold.baselines.get("recency")
    if recency is None:
        return text
    found = min(hit.top, round(recency.top_decile_recall * recency.positives))
    return f"{text} {words.say('summary.recency', found=found)}"


def _compared(report: ReportData, fold: Fold, words: Words) -> str:
    low, high = fold.interval("roc_auc")
    ours = {"auc": fold.model.roc_auc, "loss": fold.model.log_loss, "low": low, "high": high}
    figures = [words.say("summary.figures_ours", **ours)]
    figures += [
        words.say("summary.figures", name=line_name(name, words), auc=found.roc_auc, loss=found.log_loss)
        for name, found in fold.baselines_in_order().items()
    ]
    figures += [
        words.say("summary.figures_published", name=other.name, auc=other.roc_auc, loss=other.log_loss)
        for other in report.published
    ]
    return words.say("summary.compared", figures=words.say("line.between").join(figures))


def _share(count: int, total: int, words: Words) -> str:
    return words.say("tile.share", share=count / total) if total else ""


def section(report: ReportData, words: Words) -> dict[str, Any]:
    """Tiles, sentences, and what to keep in mind."""
    return {
        "tiles": tiles(report, words),
        "sentences": sentences(report, words),
        "caveats": caveats(report, words),
    }


PART = Part(name="summary", render=section, template="summary.html.jinja")
