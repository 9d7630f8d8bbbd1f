"""Each stage of a workspace as an asset: the same functions as the commands call, and what they tell as metadata.

What takes seconds to import is imported by the run that needs it: page and daemon only want to know what there is.
Annotations are not put off here: Dagster reads them.
"""

import warnings
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import dagster as dg
from dagster_shared.utils.warnings import BetaWarning

from features.errors import DataError, IntegrityError
from pipelines.operations.delivery.connector import UnavailableError
from pipelines.operations.delivery.progress_lines import undelivered
from pipelines.schedule.checks import CONTRACTS, contracts_broken, contracts_kept, refuse_misleading
from pipelines.schedule.grid import GRID, follow
from pipelines.schedule.site import Site

Document = dict[str, Any]


def assets(site: Site) -> list[dg.AssetsDefinition]:
    """In the order in which they follow each other."""
    return [
        _landed(site),
        _snapshots(site),
        _model(site),
        _stage(
            site,
            "scores",
            deps=["landed", "model"],
            stage="scores",
            description="Everybody at risk today: probability, band, reasons and value at risk.",
            told=_of_scores,
        ),
        _stage(
            site,
            "monitoring",
            deps=["scores"],
            stage="monitor",
            description="What has moved since the model was trained, and whether that asks for a new one.",
            told=_of_monitoring,
        ),
        _stage(
            site,
            "delivery",
            deps=["scores", "monitoring"],
            stage="deliver",
            description="The scores, handed over, unless monitoring finds that they mislead.",
            told=_of_delivery,
            first=refuse_misleading,
            left=undelivered,
        ),
        _stage(
            site,
            "report",
            deps=["delivery"],
            stage="report",
            description="report.html and summary.json.",
            told=lambda written: {"report": dg.MetadataValue.path(str(site.folder.resolve() / written["report"]))},
        ),
    ]


def _landed(site: Site) -> dg.AssetsDefinition:
    spec = dg.AssetSpec("landed", description="The files that the settings name, typed and hashed.", skippable=True)

    @dg.multi_asset(name="landed", specs=[spec], check_specs=[CONTRACTS], retry_policy=site.retry)
    def landed(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        from pipelines import run as stages

        with site.job(context) as job:
            try:
                files = stages.ingest(job)["files"]
            except (DataError, IntegrityError) as error:
                yield contracts_broken(error)
                raise
            days = follow(job.workspace.calendar, context.instance)
        counts = {name: sum(file[name] for file in files) for name in ("rows_in", "landed", "rejected")}
        yield dg.MaterializeResult(asset_key="landed", metadata={"files": len(files), **counts, "grid_days": days})
        yield contracts_kept(files)

    return landed


def _snapshots(site: Site) -> dg.AssetsDefinition:
    def snapshots(context: dg.AssetExecutionContext) -> None:
        """Indicators and outcomes of a day, each computed once."""
        from pipelines import run as stages

        with site.job(context) as job:
            for key in context.partition_keys:
                day = date.fromisoformat(key)
                for made in stages.snapshots(job, day, day)["snapshots"]:
                    context.add_asset_metadata(_of_snapshot(made), partition_key=key)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BetaWarning)  # backfill_policy is beta; the version is pinned to a minor one
        # A range in one run: a process takes longer to start than a snapshot to compute.
        one_run = dg.BackfillPolicy.single_run()
        made_of = dg.asset(partitions_def=GRID, deps=["landed"], backfill_policy=one_run, retry_policy=site.retry)
        return made_of(snapshots)


def _model(site: Site) -> dg.AssetsDefinition:
    @dg.asset(deps=["landed", "snapshots"], retry_policy=site.retry)
    def model(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        """A challenger for each outcome, and the verdict on it."""
        from pipelines import run as stages

        with site.job(context) as job:
            trained = stages.train_(job)
            # Training computes the snapshots that it lacks; the page should know of them.
            for made in stages.snapshots(job)["snapshots"]:
                context.log_event(
                    dg.AssetMaterialization(
                        "snapshots", partition=made["snapshot_on"], metadata=_of_snapshot(made), tags={}
                    )
                )
        return dg.MaterializeResult(
            metadata={name: trained[name] for name in ("version", "promoted", "verdict", "unchanged", "published")}
        )

    return model


def _stage(
    site: Site,
    name: str,
    *,
    deps: list[str],
    stage: str,
    description: str,
    told: Callable[[Document], Document],
    first: Callable[[Any], None] = lambda _: None,
    left: Callable[[Document], str | None] = lambda _: None,
) -> dg.AssetsDefinition:
    """An asset that one stage of pipelines.run makes whole.

    told: the stage's document as metadata. first: what holds it up, however it was started. left: what it left undone,
    for which it is tried again.
    """

    @dg.asset(name=name, deps=deps, description=description, retry_policy=site.retry)
    def made(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        from pipelines import run as stages

        with site.job(context) as job:
            first(job)
            document = getattr(stages, stage)(job)
            undone = left(document)
            if undone is not None:
                raise UnavailableError(undone)
        return dg.MaterializeResult(metadata=told(document))

    return made


def _of_scores(scored: Document) -> Document:
    kept = ("as_of", "run_id", "scored", "unchanged", "model_version", "data_as_of", "valid_until")
    return {name: scored[name] for name in kept}


def _of_monitoring(found: Document) -> Document:
    return {
        "as_of": found["as_of"],
        "model_version": found["model_version"],
        "alerts": len(found["alerts"]),
        "retrain": "; ".join(found["retrain"]) or "no",
    }


def _of_delivery(delivered: Document) -> Document:
    return {
        **{name: delivered[name] for name in ("planned", "sent", "unchanged", "suppressed", "dead")},
        "csv": delivered["csv"] or "none wanted",
        "also": delivered["also"] or "none",
        "too_old": ", ".join(delivered["too_old"]) or "none",
        "announced": delivered["announced"]["customers"],
    }


def _of_snapshot(made: dict[str, Any]) -> dict[str, Any]:
    return {name: made[name] or "not known yet" for name in ("customers", "features", "sha256", "outcomes")}
