"""`attrition deliver`: what was scored goes to where people act on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

import pandas as pd

from pipelines.data.privacy.enforce import enforce, hand_over, there
from pipelines.foundation.ledger.score_store import COLUMNS, ScoreRun, ScoreStore
from pipelines.foundation.storage import csv_file
from pipelines.foundation.storage.fingerprint import fingerprint
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.operations.delivery import guards
from pipelines.operations.delivery.connect import connect
from pipelines.operations.delivery.connector import DestinationError, named
from pipelines.operations.delivery.further_outcomes import further_scores
from pipelines.operations.delivery.guards import StoppedError
from pipelines.operations.delivery.one_destination import (
    Compared,
    Wanted,
    compare,
    deliver_to,
    figures,
    own_ids,
    wanted,
)
from pipelines.operations.delivery.policy import STAMPS
from pipelines.operations.plays.recommend import nothing, recommend
from pipelines.prediction.scoring.score import history

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

    Whoever may not be processed by now is taken out of everything that was scored and handed over before. Where a later
    day was scored, the destinations are left alone: they hold that day's. despite: guards that somebody passes by.
    dry_run: nothing is written or sent; each destination tells what would be, with a sample.

    Raises: DataError where the day was not scored, StoppedError where a guard stops, DestinationError where a
    destination cannot be written to; the others are written to before that is raised.
    """
    if not dry_run:
        enforce(workspace)
    run = ScoreStore(workspace.store).require(str(workspace.as_of))
    scores = history(workspace, run)
    # Of a day that is over nothing is recommended: nobody would see it in time.
    plays = recommend(workspace, run, note=not dry_run) if run.current else nothing(workspace, scores["customer_id"])
    wants = wanted(workspace, run, scores, before=_before(workspace, run), plays=plays)
    destinations = workspace.settings.destinations if run.current else ()
    compared = [compare(workspace, each, wants, today=workspace.as_of) for each in destinations]
    stops = _stops(workspace, run, compared, now=now, despite=despite)
    own = own_ids(workspace)
    files: Document = {"csv": None, "also": None, "too_old": [], "announced": {"customers": 0, "mrr": 0.0, "csv": None}}
    if dry_run:
        told = [figures(each) | {"sample": each.sample(own)} for each in compared]
        return _document(files, told, wants, run) | {"stopped": stops}
    csv = _csv(workspace, run, scores, wants) if workspace.settings.delivery.csv else None
    files = {"csv": csv and csv["path"], **further_scores(workspace, progress=progress)}
    if stops:
        raise StoppedError(f"nothing was sent to {', '.join(each.name for each in destinations)}:\n" + "\n".join(stops))
    told = [] if csv is None else [csv]
    broken = []
    for each in compared:
        try:
            connector = connect(each.destination, language=workspace.settings.language)
            told.append(deliver_to(workspace, each, connector, run, now=now, own=own, sleep=sleep, progress=progress))
        except DestinationError as error:
            broken.append(named(each.destination.name, error))
    if broken:
        raise DestinationError("\n".join(broken))
    return _document(files, told, wants, run) | {"stopped": []}


def _stops(
    workspace: Workspace, run: ScoreRun, compared: list[Compared], *, now: datetime, despite: Collection[str]
) -> list[str]:
    if not compared:
        return []
    settings = workspace.settings
    today = settings.as_of or now.astimezone(settings.zone).date()
    found = guards.stopped(guards.of_the_run(run, today=today, versions=workspace.versions))
    for each in compared:
        limits = settings.delivery
        of_it = each.guards(max_changed_share=limits.max_changed_share, max_band_shift=limits.max_band_shift)
        found += [f"{each.destination.name}, {why}" for why in guards.stopped(of_it, despite=despite)]
    return found


def _document(files: Document, told: list[Document], wants: Wanted, run: ScoreRun) -> Document:
    """The counts are those of the destinations; of the file where there are none."""
    counted = [each for each in told if each["name"] != CSV] or told
    sums = {name: sum(each[name] for each in counted) for name in COUNTS}
    return {**files, **sums, "suppressed": wants.held_back, "current": run.current, "destinations": told}


def _before(workspace: Workspace, run: ScoreRun) -> pd.DataFrame | None:
    """The scores of the scored day before."""
    earlier = [each for each in ScoreStore(workspace.store).newest_runs() if each.as_of < run.as_of]
    return history(workspace, earlier[-1]) if earlier else None


def _csv(workspace: Workspace, run: ScoreRun, scores: pd.DataFrame, wants: Wanted) -> Document:
    """The file of the scores, of those whose risk may be shown. It is written whole; counted is what is new in it."""
    path = f"delivery/scores-{run.as_of}-{run.run_id[-8:]}.csv"
    shown = [name in wants.values and not wants.values[name]["suppressed"] for name in scores["customer_id"]]
    rows = scores.loc[shown, list(COLUMNS)]
    if workspace.plays:
        values = [wants.values[name] for name in rows["customer_id"]]
        rows = rows.assign(**{name: [each[name] or "" for each in values] for name in PLAYS})
    told = rows[[name for name in ("customer_id", *PLAYS) if name in rows]].to_csv(index=False)
    of = fingerprint({"scores": run.content_sha256, "told": told})
    new = 0
    if not there(workspace.store, path, of=of):
        before = _newest_csv(workspace)
        hand_over(workspace, path, rows, of=of)
        new = csv_file.differing(before, workspace.root / path, but=(*STAMPS, "priority"))
    found: Document = dict.fromkeys(COUNTS, 0)
    return {"name": CSV, "path": path, **found, "planned": new, "sent": new, "unchanged": len(rows) - new}


def _newest_csv(workspace: Workspace) -> pd.DataFrame | None:
    """The file of scores that was handed over last."""
    files = [file for file in workspace.store.files("delivery") if file.path.startswith("delivery/scores-")]
    there = [file for file in files if workspace.store.present(file.path)]
    return csv_file.read(workspace.root / there[-1].path) if there else None
