"""What must hold before the next asset is made: contracts of the data, the audit, and no alarm of monitoring."""

from collections.abc import Callable, Sequence
from typing import Any

import dagster as dg

from features.errors import AttritionError
from pipelines.schedule.site import Site

CONTRACTS = dg.AssetCheckSpec(
    "contracts",
    asset="landed",
    blocking=True,
    description="Every file can be read as declared, is intact, and has few enough rejected rows.",
)


def contracts_broken(error: AttritionError) -> dg.AssetCheckResult:
    """A file that cannot be read, or has too many rows that break the contract."""
    return dg.AssetCheckResult(asset_key="landed", check_name="contracts", passed=False, description=str(error))


def contracts_kept(files: Sequence[dict[str, Any]]) -> dg.AssetCheckResult:
    """With the share of rejected rows of each file that has any."""
    shares = {file["path"]: file["rejected"] / file["rows_in"] for file in files if file["rejected"]}
    return dg.AssetCheckResult(
        asset_key="landed",
        check_name="contracts",
        passed=True,
        description=f"rejected rows in {len(shares)} of {len(files)} files, no more than the settings allow",
        metadata={f"rejected share of {path}": share for path, share in shares.items()},
    )


def checks(site: Site, retry: dg.RetryPolicy) -> list[dg.AssetChecksDefinition]:
    """Those that are steps of their own; contracts are told by `landed` itself."""

    @dg.asset_check(asset="snapshots", additional_deps=["landed"], blocking=True, retry_policy=retry)
    def audit(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        """Nothing in the data knows the future."""
        from pipelines.audit import audit as look_for_the_future

        with site.job(context) as job:
            document = look_for_the_future(job)
        found = document["findings"]
        return dg.AssetCheckResult(
            passed=not found,
            description=_each(found, lambda one: f"{one['check']}: {_place(one)}: {one['evidence']}")
            or f"{document['checked']['indicators']} indicator columns cannot see the future",
            metadata={"findings": len(found)},
        )

    @dg.asset_check(asset="monitoring", blocking=True, retry_policy=retry)
    def drift(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        """Monitoring raises no alert."""
        from pipelines.monitoring.monitor import newest

        with site.job(context) as job:
            document = newest(job.workspace)
        if document is None:
            return dg.AssetCheckResult(passed=False, description="nothing was monitored yet: run `attrition monitor`")
        alerts = document["alerts"]
        return dg.AssetCheckResult(
            passed=not alerts,
            description=_each(alerts, lambda one: f"{one['what']}: {one['evidence']}")
            or f"no alert at {document['as_of']}",
            metadata={"alerts": len(alerts)},
        )

    return [audit, drift]


def _each(found: Sequence[dict[str, Any]], said: Callable[[dict[str, Any]], str]) -> str:
    return "\n".join(f"{said(one)}. Remedy: {one['remedy']}" for one in found)


def _place(finding: dict[str, Any]) -> str:
    return f"{finding['table']}.{finding['column']}" if finding["table"] else str(finding["column"])
