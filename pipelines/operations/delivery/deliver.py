"""`attrition deliver`: what was scored goes to where people act on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from typing import Any

import pandas as pd

from features.errors import IntegrityError
from pipelines.data.privacy.hand_over import hand_over, is_current
from pipelines.data.snapshots.snapshot import Snapshots
from pipelines.foundation.identity.permissions import Permissions
from pipelines.foundation.ledger.score_store import ScoreRun, ScoreStore
from pipelines.foundation.settings.delivered_fields import COLUMNS, STAMPS
from pipelines.foundation.settings.destinations import Delivery
from pipelines.foundation.storage import csv_file
from pipelines.foundation.storage.fingerprint import fingerprint
from pipelines.foundation.storage.store import Store
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.operations.delivery import guards
from pipelines.operations.delivery.connect import connect
from pipelines.operations.delivery.connector import DestinationError, named
from pipelines.operations.delivery.guards import Guard, StoppedError
from pipelines.operations.delivery.one_destination import (
    Compared,
    Wanted,
    compare,
    deliver_to,
    figures,
    wanted,
)
from pipelines.operations.delivery.other_outcomes import other_outcomes
from pipelines.operations.plays.recommend import PlayPlan, done_before, nothing, plan_of, recommend
from pipelines.prediction.scoring.runs import history, history_before
from pipelines.prediction.scoring.score import plan_of as score_plan_of
from pipelines.prediction.training.task import tasks_of

CSV = "csv"
PLAYS = ("recommended_play", "recommended_play_code")
COUNTS = ("planned", "sent", "unchanged", "failed", "dead")
Document = dict[str, Any]


def deliver(
    workspace: Workspace,
    *,
    now: datetime,
    despite: Collection[str] = (),
    dry_run: bool = False,
    sleep: Callable[[float], None] = time.sleep,
    progress: Callable[[str], None] = lambda _: None,
) -> Document:
    """Hand over the scores of `as_of`: files once, and to each destination what it does not hold yet.

    Where a later day was scored, the destinations are left alone: they hold that day's. despite: guards that somebody
    passes by. dry_run: nothing is written or sent; each destination tells what would be, with a sample.

    Raises: DataError where the day was not scored, StoppedError where a guard stops, DestinationError where a
    destination cannot be written to; the others are written to before that is raised.
    """
    settings, store, permissions = workspace.settings, workspace.store, workspace.permissions
    tasks = tasks_of(workspace)
    run = ScoreStore(store).require(str(workspace.as_of))
    scores = history(store, run)
    wants = wanted(
        permissions,
        run,
        scores,
        before=history_before(store, run),
        plays=_plays(plan_of(workspace), permissions, tasks[0].snapshots, run, scores, note=not dry_run),
    )
    destinations = settings.destinations if run.current else ()
    compared = [
        compare(store, each, wants, today=workspace.as_of, valid_days=settings.delivery.valid_days)
        for each in destinations
    ]
    today = settings.as_of or now.astimezone(settings.zone).date()
    stops = _stops(
        settings.delivery, guards.of_the_run(run, today=today, versions=tasks[0].versions), compared, despite
    )
    own = permissions.own_ids
    files: Document = {"csv": None, "also": None, "too_old": [], "announced": {"customers": 0, "mrr": 0.0, "csv": None}}
    if dry_run:
        told = [figures(each) | {"sample": each.sample(own)} for each in compared]
        return _document(files, told, wants, run) | {"stopped": stops}
    csv = _csv(store, permissions, run, scores, wants, plays=bool(workspace.plays)) if settings.delivery.csv else None
    also = other_outcomes(
        tasks, score_plan_of(settings), permissions, workspace.holdout, workspace.refusals, progress=progress
    )
    files = {"csv": csv and csv["path"], **also}
    if stops:
        raise StoppedError(f"nothing was sent to {', '.join(each.name for each in destinations)}:\n" + "\n".join(stops))
    told = [] if csv is None else [csv]
    broken = []
    for each in compared:
        try:
            connector = connect(each.destination, language=settings.language)
            told.append(
                deliver_to(settings.delivery, each, connector, run, now=now, own=own, sleep=sleep, progress=progress)
            )
        except DestinationError as error:
            broken.append(named(each.destination.name, error))
    if broken:
        raise DestinationError("\n".join(broken))
    return _document(files, told, wants, run) | {"stopped": []}


def _plays(
    plan: PlayPlan,
    permissions: Permissions,
    snapshots: Snapshots,
    run: ScoreRun,
    scores: pd.DataFrame,
    *,
    note: bool,
) -> pd.DataFrame:
    """What is recommended. Of a day that is over nothing is: nobody would see it in time."""
    if not run.current:
        return nothing(plan, scores["customer_id"])
    day, zone = date.fromisoformat(run.as_of), snapshots.definition.zone
    done = done_before(snapshots.tables, day, snapshots.engine, zone)
    # Read only where a play asks for it: of a large cohort it is much.
    indicators = snapshots.at(day).frame() if any(play.needs for play in plan.plays) else None
    allowed = permissions.without_opt_outs(scores)
    return recommend(plan, snapshots.store, run, allowed, done, indicators=indicators, note=note)


def _stops(
    limits: Delivery, of_the_run: Mapping[str, Guard], compared: list[Compared], despite: Collection[str]
) -> list[str]:
    if not compared:
        return []
    found = guards.stopped(of_the_run)
    for each in compared:
        of_it = each.guards(max_changed_share=limits.max_changed_share, max_band_shift=limits.max_band_shift)
        found += [f"{each.destination.name}, {why}" for why in guards.stopped(of_it, despite=despite)]
    return found


def _document(files: Document, told: list[Document], wants: Wanted, run: ScoreRun) -> Document:
    """The counts are those of the destinations; of the file where there are none."""
    counted = [each for each in told if each["name"] != CSV] or told
    sums = {name: sum(each[name] for each in counted) for name in COUNTS}
    return {**files, **sums, "suppressed": wants.held_back, "current": run.current, "destinations": told}


def _csv(
    store: Store, permissions: Permissions, run: ScoreRun, scores: pd.DataFrame, wants: Wanted, *, plays: bool
) -> Document:
    """The file of the scores, of those whose risk may be shown. It is written whole; counted is what is new in it."""
    path = f"delivery/scores-{run.as_of}-{run.run_id[-8:]}.csv"
    shown = [name in wants.values and not wants.values[name]["suppressed"] for name in scores["customer_id"]]
    rows = scores.loc[shown, list(COLUMNS)]
    if plays:
        values = [wants.values[name] for name in rows["customer_id"]]
        rows = rows.assign(**{name: [each[name] or "" for each in values] for name in PLAYS})
    told = rows[[name for name in ("customer_id", *PLAYS) if name in rows]].to_csv(index=False)
    of = fingerprint(run.content_sha256, told)
    new = 0
    if not is_current(store, path, of=of):
        before = _newest_csv(store)
        hand_over(store, permissions, path, rows, of=of)
        new = csv_file.differing(before, store.place(path), but=(*STAMPS, "priority"))
    found: Document = dict.fromkeys(COUNTS, 0)
    return {"name": CSV, "path": path, **found, "planned": new, "sent": new, "unchanged": len(rows) - new}


def _newest_csv(store: Store) -> pd.DataFrame | None:
    """The file of scores that was handed over last; None where there is none, or it was altered since."""
    files = [file for file in store.files("delivery") if file.path.startswith("delivery/scores-")]
    there = [file for file in files if store.present(file.path)]
    try:
        return csv_file.read(store.verified(there[-1])) if there else None
    except IntegrityError:
        return None
