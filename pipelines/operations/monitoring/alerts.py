"""What monitoring has to say: what, by which evidence, and what to do. No customer is ever named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from models.realised import RATIO
from pipelines.foundation.wording.families import family_name, table_name
from pipelines.foundation.wording.words import Words

NAMED = 3  # indicators of a family that one alert names

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Alert:
    """check: which kind of look found it; what, evidence, remedy: sentences without their full stop."""

    check: str
    what: str
    evidence: str
    remedy: str

    def line(self) -> str:
        """One line of a log.

        >>> Alert("freshness", "no orders for 9 days", "never before for more than 2", "look for the export").line()
        'alert [freshness] no orders for 9 days: never before for more than 2; look for the export'
        """
        return f"alert [{self.check}] {self.what}: {self.evidence}; {self.remedy}"


def alerts(document: Document, words: Words) -> list[Alert]:
    """Everything in a document of monitoring that somebody should know, in words."""
    return [
        *_drift(document["drift"], words),
        *(_volume(row, document, words) for row in document["volume"] if row["unusual"] or row["stopped"]),
        *(_freshness(row, words) for row in document["freshness"] if row["late"]),
        *_quality(document, words),
    ]


def retrain(document: Document, words: Words) -> list[str]:
    """Why it is time to train again; none where it is not."""
    age, judged = document["champion"], judged_run(document)
    reasons = []
    if any(_drift(document["drift"], words)):
        reasons.append(words.say("retrain.drift"))
    if judged is not None and judged["clearly_worse"] and judged["model_version"] == document["model_version"]:
        reasons.append(words.say("retrain.quality", day=date.fromisoformat(judged["as_of"])))
    if age["age_days"] >= age["retrain_after_days"]:
        until = date.fromisoformat(age["learned_until"])
        limit = age["retrain_after_days"]
        reasons.append(words.say("retrain.age", until=until, days=age["age_days"], limit=limit))
    return reasons


def judged_run(document: Document) -> Mapping[str, Any] | None:
    """The newest scored day whose outcomes are known, and that its model could not know; None without any."""
    return next((run for run in reversed(document["matured"]) if not run["hindsight"]), None)


def _drift(found: Document, words: Words) -> Iterable[Alert]:
    """One per family of indicators, then the scores."""
    moved: dict[str, list[Mapping[str, Any]]] = {}
    for row in found["indicators"]:
        if row["drifted"]:
            moved.setdefault(row["family"], []).append(row)
    for family, rows in moved.items():
        said = [_moved(row, part, words) for row in rows for part in row["drifted"][:1]][:NAMED]
        if len(rows) > NAMED:
            said.append(words.say("alert.more", n=len(rows) - NAMED))
        what = words.say("alert.drift", family=family_name(family, words))
        yield Alert("drift", what, ", ".join(said), words.say("alert.drift_remedy"))
    scores = found["scores"]
    if scores is not None and scores["drifted"]:
        evidence = words.say("alert.scores_evidence", **_numbers(scores))
        yield Alert("scores", words.say("alert.scores"), evidence, words.say("alert.scores_remedy"))


def _moved(row: Mapping[str, Any], part: str, words: Words) -> str:
    column = row["column"]
    if part == "nulls":
        return words.say(
            "alert.nulls", column=column, missing=float(row["missing"]), before=float(row["missing_before"])
        )
    if part == "unseen":
        unseen = row["unseen"]
        commonest = words.say("line.colon") + ", ".join(unseen["commonest"]) if unseen["commonest"] else ""
        share, customers = float(unseen["share"]), unseen["customers"]
        return words.say("alert.unseen", column=column, customers=customers, share=share, commonest=commonest)
    return words.say("alert.values", column=column, **_numbers(row))


def _numbers(row: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(row[name]) for name in ("distance", "usual", "limit")}


def _volume(row: Mapping[str, Any], document: Document, words: Words) -> Alert:
    usual = float(row["usual"])
    if row["table"] == "cohort":
        what = words.say("alert.cohort", rows=row["rows"])
        said = "alert.cohort_evidence" if row["unusual"] else "alert.cohort_none"
        evidence = words.say(said, usual=usual, day=date.fromisoformat(document["drift"]["reference"]))
        return Alert("volume", what, evidence, words.say("alert.cohort_remedy"))
    what = words.say("alert.volume", table=table_name(row["table"], words), rows=row["rows"], days=row["span_days"])
    said = "alert.volume_stopped" if row["stopped"] else "alert.volume_evidence"
    return Alert("volume", what, words.say(said, usual=usual, spans=row["spans"]), words.say("alert.volume_remedy"))


def _freshness(row: Mapping[str, Any], words: Words) -> Alert:
    evidence = words.say(
        "alert.freshness_evidence",
        newest=date.fromisoformat(row["newest"]),
        pauses=row["pauses"],
        longest=row["longest_pause"],
    )
    what = words.say("alert.freshness", table=table_name(row["table"], words), days=row["days_since"])
    return Alert("freshness", what, evidence, words.say("alert.freshness_remedy"))


def _quality(document: Document, words: Words) -> Iterable[Alert]:
    """Of the newest scored day alone: what earlier ones showed was said then, and they stand in the document."""
    run = judged_run(document)
    if run is None or not run["clearly_worse"]:
        return
    said = []
    figures = run["holdout"] if run.get("judged_on") == "holdout" else run
    for name in run["clearly_worse"]:
        low, high = figures["intervals"][name]
        promised = 1.0 if name in ("calibration_slope", RATIO) else run["promised"]["all"][name]
        figure = words.say(f"figure.{name}")
        said.append(
            words.say("alert.quality_evidence", name=figure, value=figures[name], low=low, high=high, promised=promised)
        )
    what = words.say("alert.quality", day=date.fromisoformat(run["as_of"]), version=run["model_version"])
    replaced = run["model_version"] != document["model_version"]
    remedy = words.say("alert.quality_replaced" if replaced else "alert.quality_remedy")
    yield Alert("quality", what, ", ".join(said), remedy)
