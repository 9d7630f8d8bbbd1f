"""Satisfaction: what customers answered when they were asked, and when they did not."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.aggregates import count, flag, from_newest, per_customer, ratio, real, within
from features.asof import AsOf
from features.catalog import Family, Group, Indicator, Lookbacks

REASONS = {
    "nps": ("willingness to recommend", "recommandation (NPS)"),
    "csat": ("marks for satisfaction", "notes de satisfaction"),
    "unanswered": ("questionnaires left unanswered", "enquêtes sans réponse"),
    "negative_reasons": ("reasons for discontent", "motifs de mécontentement"),
}
DETRACTOR = 6  # of 10: promoters give 9 or 10, passives 7 or 8, detractors less (Reichheld 2003)
DISCONTENT = 2  # of 5
CONTENT = {"nps": DETRACTOR + 1, "csat": 4}  # marks from which on nobody counts as discontent


def _of(kind: str, name: tuple[str, str], top: int) -> tuple[Indicator, ...]:
    """The indicators of one kind of questionnaire; both kinds are told alike."""
    en, fr = name
    none_en, none_fr = f"never gave a mark for {en}", f"n'a jamais donné de note de {fr}"
    return (
        Indicator(
            name=f"last_{kind}",
            reason=kind,
            unit="mark",
            direction="lower",
            null="never gave a mark",
            told_by=("surveys.score",),
            en=f"{{value}} of {top} for {en}, {{days_since_last_{kind}}} ago",
            fr=f"note de {fr} de {{value}} sur {top}, donnée il y a {{days_since_last_{kind}}}",
            en_null=none_en,
            fr_null=none_fr,
            neutral=CONTENT[kind],
        ),
        Indicator(
            name=f"mean_{kind}_{{days}}d",
            reason=kind,
            unit="mark",
            direction="lower",
            null="no mark in the lookback",
            told_by=("surveys.score",),
            en=f"{{value}} of {top} for {en} on average in the last {{days}} days",
            fr=f"note de {fr} de {{value}} sur {top} en moyenne ces {{days}} derniers jours",
            en_null=f"no mark for {en} in the last {{days}} days",
            fr_null=f"aucune note de {fr} ces {{days}} derniers jours",
            neutral=CONTENT[kind],
            per_lookback=True,
        ),
        Indicator(
            name=f"{kind}_change",
            reason=kind,
            unit="change",
            direction="lower",
            null="fewer than two marks",
            told_by=("surveys.score",),
            en=f"{{value|point|points}} for {en} than the time before",
            fr=f"{{value|point|points}} à la note de {fr} que la fois précédente",
            en_null=f"fewer than two marks for {en}",
            fr_null=f"moins de deux notes de {fr}",
        ),
        Indicator(
            name=f"days_since_last_{kind}",
            reason=kind,
            unit="days",
            direction="either",
            null="never gave a mark",
            told_by=("surveys.score",),
            en=f"last mark for {en} given {{value}} ago",
            fr=f"dernière note de {fr} donnée il y a {{value}}",
            en_null=none_en,
            fr_null=none_fr,
        ),
    )


INDICATORS = (
    *_of("nps", ("recommending us", "recommandation"), 10),
    Indicator(
        name="nps_detractor",
        reason="nps",
        unit="flag",
        direction="higher",
        null="never gave a mark",
        told_by=("surveys.score",),
        en="would not recommend us: {last_nps} of 10",
        fr="ne nous recommanderait pas : {last_nps} sur 10",
        en_no="would recommend us or is undecided: {last_nps} of 10",
        fr_no="nous recommanderait ou est indécis : {last_nps} sur 10",
        en_null="never gave a mark for recommending us",
        fr_null="n'a jamais donné de note de recommandation",
    ),
    *_of("csat", ("satisfaction", "satisfaction"), 5),
    Indicator(
        name="surveys_unanswered_{days}d",
        reason="unanswered",
        unit="count",
        direction="higher",
        null="never: 0 where nothing was asked or all answered",
        told_by=("surveys.answered_at",),
        en="{value|questionnaire|questionnaires} left unanswered in the last {days} days",
        fr="{value|enquête|enquêtes} sans réponse ces {days} derniers jours",
        per_lookback=True,
    ),
    Indicator(
        name="negative_reasons_{days}d",
        reason="negative_reasons",
        unit="count",
        direction="higher",
        null="never: 0 where no discontent was explained",
        told_by=("surveys.reason",),
        en="gave {value|reason|reasons} for discontent in the last {days} days",
        fr="{value|motif de mécontentement donné|motifs de mécontentement donnés} ces {days} derniers jours",
        per_lookback=True,
    ),
)


def compute(view: AsOf, cohort: ir.Table, lookbacks: Lookbacks) -> ir.Table:
    """Every indicator above, over questionnaires as far as they had been answered."""
    surveys = view["surveys"]
    asked, answered = view.days_since(surveys.asked_on), view.days_since(surveys.answered_on)
    low = ((surveys.kind == "nps") & (surveys.score <= DETRACTOR)) | (
        (surveys.kind == "csat") & (surveys.score <= DISCONTENT)
    )
    negative = surveys.reason.notnull() & ((surveys.kind == "exit") | ibis.coalesce(low, False))
    columns: dict[str, ir.Value] = {}
    for days in lookbacks.lookback_days:
        columns[f"surveys_unanswered_{days}d"] = count(within(asked, days) & surveys.answered_at.isnull())
        columns[f"negative_reasons_{days}d"] = count(within(answered, days) & negative)
        for kind in ("nps", "csat"):
            told = within(answered, days) & (surveys.kind == kind) & surveys.score.notnull()
            columns[f"mean_{kind}_{days}d"] = ratio(surveys.score.sum(where=told), count(told))
    counted = surveys.group_by("customer_id").agg(**columns)
    joined = per_customer(cohort, counted, _last(view, "nps"), _last(view, "csat"))
    detractor = joined.last_nps.notnull().ifelse(flag(joined.last_nps <= DETRACTOR), ibis.null("int64"))
    return joined.mutate(nps_detractor=detractor)


def _last(view: AsOf, kind: str) -> ir.Table:
    """The newest answer of a kind that gave a mark and the one before it, by customer."""
    surveys = view["surveys"]
    answers = surveys.filter(surveys.kind == kind, surveys.answered_at.notnull(), surveys.score.notnull())
    ranked = from_newest(answers, "answered_at")
    last, before = ranked.filter(ranked.rank_from_newest == 0), ranked.filter(ranked.rank_from_newest == 1)
    last = last.select(
        "customer_id",
        **{f"last_{kind}": real(last.score), f"days_since_last_{kind}": view.days_since(last.answered_on)},
    )
    before = before.select(before_id="customer_id", before_score=real(before.score))
    joined = last.left_join(before, last.customer_id == before.before_id)
    change = {f"{kind}_change": joined[f"last_{kind}"] - joined.before_score}
    return joined.mutate(**change).drop("before_id", "before_score")


FAMILY = Family(
    name="satisfaction",
    reasons=REASONS,
    groups=(Group(needs=("surveys",), indicators=INDICATORS, compute=compute),),
)
