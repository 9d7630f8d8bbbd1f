"""`attrition report`: gather what the page tells from the store, and write the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features.errors import OutdatedModelError
from features.outcomes import OUTCOMES
from models import explanation
from models.evaluation import Metrics
from models.explanation import Contributions
from models.matrix import Matrix
from models.training import Fitted
from pipelines.data.snapshots.snapshot import Snapshot
from pipelines.foundation.ledger.recommendations import Recommended
from pipelines.foundation.ledger.score_store import ScoreRun, ScoreStore
from pipelines.foundation.wording.words import Words
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.operations.delivery.other_outcomes import other_outcomes
from pipelines.operations.monitoring.monitor import monitored
from pipelines.operations.plays.impact import measured, recommended_any
from pipelines.operations.plays.recommend import done_before
from pipelines.operations.plays.recommend import plan_of as play_plan_of
from pipelines.prediction.scoring.runs import history
from pipelines.prediction.scoring.score import ScorePlan, plan_of, rows_at_risk
from pipelines.prediction.training import backtest
from pipelines.prediction.training.champion import answering
from pipelines.prediction.training.task import PredictionTask, tasks_of
from pipelines.prediction.training.verdict import verdict_in
from pipelines.report.customer_facts import customer_facts, parts
from pipelines.report.customer_pages import EXPLAINED
from pipelines.report.editions import LANGUAGES, Edition, labels, play_texts, reasons_in, worded
from pipelines.report.money import money
from pipelines.report.page import Fold, Published, ReportData, render
from pipelines.report.plays import plays
from pipelines.report.retention import retention, terms_in

FILE_NAME = "report.html"
MONITORED_DAYS = 60
SAMPLE = 3_000  # customers behind the importance and spread charts; more changes nothing that an eye can see


def write_report(workspace: Workspace, *, progress: Callable[[str], None] = lambda _: None) -> str:
    """Write the page; its path below the workspace. Raises TrainingError or DataError where nothing was scored."""
    progress("gathering")
    editions = gather(workspace)
    progress("drawing")
    page = render(*editions)

    def save(place: Path) -> None:
        place.write_text(page, encoding="utf-8")

    workspace.store.put(FILE_NAME, save, kind="report", day=str(workspace.as_of))
    return FILE_NAME


def gather(workspace: Workspace) -> list[ReportData]:
    """What the page tells, from the store: in the language of the settings, and in the other where that can be told."""
    settings, store, permissions = workspace.settings, workspace.store, workspace.permissions
    tasks, plan, as_of = tasks_of(workspace), plan_of(settings), workspace.as_of
    task = tasks[0]
    champion, fitted = answering(task)
    run = ScoreStore(store).require(str(as_of))
    _refuse_other_question(task, run)
    _refuse_other_model(champion.version, run)
    document = backtest.backtest(task)
    predictions = backtest.newest_predictions(store, document)
    snapshot = task.snapshots.at(as_of)
    rows, frame = rows_at_risk(snapshot)
    importance, spread = _explained(snapshot, rows, fitted, plan)
    scores = history(store, run)
    announced = other_outcomes(tasks, plan, permissions, workspace.holdout, workspace.refusals)["announced"]
    recommended, play_plan = Recommended(store).read(), play_plan_of(workspace)
    week = plays(play_plan, recommended, as_of, scores)
    opted_out = frozenset(scores["customer_id"]) - frozenset(permissions.without_opt_outs(scores)["customer_id"])
    unnamed = opted_out | (week.held_out if week else frozenset())
    facts = customer_facts(
        task.snapshots.definition.view(task.snapshots.tables, as_of),
        workspace.engine,
        store,
        plan=play_plan,
        recommended=recommended,
        done=done_before(task.snapshots.tables, as_of, workspace.engine, settings.zone),
        run=run,
        scores=scores,
    )
    named = scores["customer_id"][~scores["customer_id"].isin(unnamed)].head(EXPLAINED)
    explained, average = parts(rows, fitted, plan.wording(snapshot).codes(), named)
    editions = []
    for language in sorted(LANGUAGES, key=lambda each: each != settings.language):
        words = Words(language, by_contract=workspace.by_contract)
        reasons = reasons_in(language, scores, snapshot, frame, plan)
        if reasons is not None:
            editions.append(
                Edition(
                    language=language,
                    cohort=words.say(f"cohort.{settings.cohort.kind}", days=settings.cohort.active_days),
                    verdict=verdict_in(champion, words),
                    labels=labels(snapshot, language),
                    plays=play_texts(play_plan, language),
                    terms=terms_in(workspace, language),
                    reasons=reasons,
                )
            )
    told = ReportData(
        name=workspace.root.resolve().name,
        language=settings.language,
        currency=settings.currency,
        as_of=as_of,
        data_as_of=task.calendar.data_as_of,
        lead_days=settings.outcome.lead_days,
        horizon_days=settings.outcome.horizon_days,
        cohort_words="",  # this and other words are those of an edition
        model_version=champion.version,
        model_rows=fitted.rows,
        model_snapshots=tuple(date.fromordinal(day) for day in fitted.snapshots),
        model_rounds=fitted.rounds,
        verdict="",
        by_contract=workspace.by_contract,
        simulated=settings.simulated,
        folds=[_fold(fold) for fold in document["folds"]],
        predictions=pd.DataFrame() if predictions is None else predictions,
        published=[Published(**reference.model_dump()) for reference in settings.references],
        importance=importance,
        spread=spread,
        scores=scores.rename(columns={"churn_risk_band": "risk_band"}),
        opted_out=opted_out,
        bands=(settings.bands.medium, settings.bands.high),
        retention=retention(workspace),
        money=money(tasks, announced),
        plays=week,
        customers=replace(facts, parts=explained, average=average),
        monitoring=monitored(store, as_of, at_most=MONITORED_DAYS),
        impact=measured(task, workspace.plays, settings.currency)
        if not OUTCOMES[task.kind].is_gain and recommended_any(store, as_of)
        else None,
    )
    return [worded(told, mine, *(each for each in editions if each is not mine)) for mine in editions]


def _refuse_other_question(task: PredictionTask, run: ScoreRun) -> None:
    """Raise OutdatedModelError where the scores of a day answer another question than the page would say."""
    scored = task.versions.load(run.detail["model_version"])
    difference = task.question.difference(scored.question)
    if difference:
        raise OutdatedModelError(
            f"the scores of {run.as_of} answer another question than the settings ask: {difference} as for them; run "
            "`attrition score`"
        )


def _refuse_other_model(champion: str, run: ScoreRun) -> None:
    """Raise OutdatedModelError where the scores of a day are not the champion's, whose forecast stands beside them."""
    version = str(run.detail["model_version"])
    if version != champion:
        raise OutdatedModelError(
            f"the scores of {run.as_of} are of model {version}, and {champion} is champion: the page would tell two "
            "numbers of customers expected to leave; run `attrition score`"
        )


def _fold(fold: dict[str, Any]) -> Fold:
    return Fold(
        snapshot_on=date.fromisoformat(fold["snapshot_on"]),
        rows=fold["rows"],
        train_rows=fold["train_rows"],
        train_first=date.fromisoformat(fold["train_first"]),
        train_last=date.fromisoformat(fold["train_last"]),
        model=_metrics(fold["model"]),
        intervals={name: (_number(low), _number(high)) for name, (low, high) in fold["intervals"].items()},
        baselines={name: _metrics(figures) for name, figures in fold["baselines"].items()},
    )


def _metrics(figures: dict[str, Any]) -> Metrics:
    numbers: dict[str, Any] = {name: _number(value) for name, value in figures.items()}
    return Metrics(**numbers)


def _number(value: float | None) -> float:
    # JSON has no NaN: what could not be computed is null there.
    return float("nan") if value is None else value


def _explained(snapshot: Snapshot, rows: Matrix, fitted: Fitted, plan: ScorePlan) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Importance and spread per reason code, over a fixed sample of the scored customers."""
    families = snapshot.snapshots.definition.families
    chosen = np.zeros(len(rows), dtype=np.bool_)
    chosen[np.random.default_rng(0).permutation(len(rows))[:SAMPLE]] = True
    sample, codes = rows.only(chosen), plan.wording(snapshot).codes()
    found = explanation.contributions(fitted, sample, codes)
    size = np.abs(found.values).mean(axis=0)
    family_of = {code: family.name for family in families for code in family.reasons}
    importance = pd.DataFrame(
        {
            "code": found.codes,
            "family": [family_of[code] for code in found.codes],
            "mean_contribution": size,
            "share": size / max(size.sum(), 1e-12),
        }
    ).sort_values(["mean_contribution", "code"], ascending=[False, True], ignore_index=True)
    return importance, _spread(found, sample.values, codes, sample.columns)


def _spread(
    found: Contributions, values: np.ndarray[Any, Any], codes: dict[str, str], columns: tuple[str, ...]
) -> pd.DataFrame:
    """Contributions of each code against the rank of its strongest column's value."""
    size, parts = np.abs(found.columns).mean(axis=0), []
    for place, code in enumerate(found.codes):
        mine = [index for index, name in enumerate(columns) if codes.get(name) == code]
        leading = max(mine, key=lambda index: size[index])
        rank = pd.Series(values[:, leading]).rank(pct=True)
        parts.append(pd.DataFrame({"code": code, "rank": rank, "contribution": found.values[:, place]}))
    return pd.concat(parts, ignore_index=True)
