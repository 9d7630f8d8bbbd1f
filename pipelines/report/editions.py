"""The page in each language: the same figures, other words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from pipelines.data.snapshots.snapshot import Snapshot
from pipelines.foundation.wording.numbers import Language
from pipelines.operations.plays.recommend import PlayPlan
from pipelines.prediction.scoring.retold import retold
from pipelines.prediction.scoring.score import ScorePlan
from pipelines.report.data import CustomerFacts, ReportData
from pipelines.report.listing import REASONS

LANGUAGES: tuple[Language, ...] = ("en", "fr")


@dataclass(frozen=True, kw_only=True)
class Edition:
    """What of the page's data is words.

    cohort: who is scored. verdict: of the champion's promotion. labels: by reason code. plays: by code, name and what
    to do. terms: of retention, each with what it means. reasons: reason_1 to reason_3, a row per row of the scores.
    """

    language: Language
    cohort: str
    verdict: str
    labels: Mapping[str, str]
    plays: Mapping[str, tuple[str, str]]
    terms: Sequence[tuple[str, str]]
    reasons: pd.DataFrame


def labels(snapshot: Snapshot, language: Language) -> dict[str, str]:
    """What each reason code is called."""
    families = snapshot.snapshots.definition.families
    place = LANGUAGES.index(language)
    return {code: label[place] for family in families for code, label in family.reasons.items()}


def play_texts(plan: PlayPlan, language: Language) -> dict[str, tuple[str, str]]:
    """By code, what each play is called and what to do."""
    return {play.code: (play.name.of(language), play.advice.of(language)) for play in plan.plays}


def reasons_in(
    language: Language, scores: pd.DataFrame, snapshot: Snapshot, frame: pd.DataFrame, plan: ScorePlan
) -> pd.DataFrame | None:
    """The reasons of the scores, made by `plan`, in a language; None where they cannot be told in it (`retold`)."""
    if language == plan.language:
        return scores[[*REASONS]]
    other = replace(plan, language=language)
    return retold(scores, frame, said=plan.wording(snapshot), other=other.wording(snapshot))


def worded(report: ReportData, mine: Edition, other: Edition | None = None) -> ReportData:
    """The page's data in the words of an edition; `other` is the one that it can be changed for."""
    beside = {} if other is None else {f"{name}_other": other.reasons[name] for name in REASONS}
    return replace(
        report,
        language=mine.language,
        cohort_words=mine.cohort,
        verdict=mine.verdict,
        importance=report.importance.assign(label=report.importance["code"].map(mine.labels)),
        scores=report.scores.assign(**{name: mine.reasons[name] for name in REASONS}, **beside),
        retention=None if report.retention is None else replace(report.retention, terms=mine.terms),
        plays=None
        if report.plays is None
        else replace(
            report.plays, of_week=[replace(each, name=mine.plays[each.code][0]) for each in report.plays.of_week]
        ),
        customers=None if report.customers is None else _facts(report.customers, mine),
    )


def _facts(facts: CustomerFacts, mine: Edition) -> CustomerFacts:
    return replace(facts, play_names=mine.plays, parts=facts.parts.rename(columns=mine.labels))
