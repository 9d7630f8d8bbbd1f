"""What must hold before the next asset is made: contracts of the data, the audit, and no alarm of monitoring."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from features.errors import AttritionError
from pipelines.schedule.said import SaidError
from pipelines.schedule.site import Site

if TYPE_CHECKING:
    from pipelines.foundation.workspace.run_context import RunContext

CONTRACTS = dg.AssetCheckSpec(
    "contracts",
    asset="landed",
    blocking=True,
    description="Every file can be read as declared, is intact, and has few enough rejected rows.",
)

AUDIT = dg.AssetCheckSpec(
    "audit",
    asset="snapshots",
    additional_deps=["landed"],
    blocking=True,
    description="Nothing in the data knows the future.",
)
DRIFT = dg.AssetCheckSpec(
    "drift", asset="monitoring", blocking=True, description="Customers and scores are like those of before."
)
# Of what monitoring looks at, these say that today's scores mislead. A late table or worse past figures are told of by
# its alerts; holding today's scores back would not mend them.
MISLEADING = ("drift", "scores")
UNDELIVERED = "Nothing is delivered"


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


def checks(site: Site) -> list[dg.AssetChecksDefinition]:
    """Those that are steps of their own; contracts are told by `landed` itself."""

    @dg.multi_asset_check(name="audit", specs=[AUDIT], retry_policy=site.retry)
    def audit(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        from pipelines.prediction.checks.audit import audit as look_for_the_future
        from pipelines.prediction.checks.audit import in_words

        with site.job(context) as job:
            document = look_for_the_future(job)
        findings = [f"{each['check']}: {_place(each)}: {_with_remedy(each)}" for each in document["findings"]]
        passed = "" if findings else "\n".join(in_words(document))
        yield from _verdict(findings, passed, why="The model is left as it is")

    @dg.multi_asset_check(name="drift", specs=[DRIFT], retry_policy=site.retry)
    def drift(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        from pipelines.operations.monitoring.monitor import newest

        with site.job(context) as job:
            document = newest(job.workspace.store, job.workspace.as_of)
        if document is None:
            raise SaidError(f"nothing was monitored yet; run `attrition monitor --project {site.folder}`")
        yield from _verdict(_misleading(document), f"no drift at {document['as_of']}", why=UNDELIVERED)

    return [audit, drift]


def refuse_misleading(job: "RunContext") -> None:
    """Hold up a delivery by what `drift` would say of the scores at hand, also where somebody started it alone.

    Raises: SaidError. Who has looked and delivers nevertheless runs `attrition deliver`.
    """
    from pipelines import run as stages

    if found := _misleading(stages.monitor(job)):
        raise _held_up(UNDELIVERED, found)


def _misleading(document: dict[str, Any]) -> list[str]:
    return [f"{each['what']}: {_with_remedy(each)}" for each in document["alerts"] if each["check"] in MISLEADING]


def _verdict(found: list[str], passed: str, *, why: str) -> Iterator[dg.AssetCheckResult]:
    """The result, and where something was found an end of the step that says so in words of ours."""
    yield dg.AssetCheckResult(passed=not found, description="\n".join(found) or passed, metadata={"found": len(found)})
    if found:
        raise _held_up(why, found)


def _held_up(why: str, found: list[str]) -> SaidError:
    return SaidError("\n".join([f"{why}:", *found]))


def _with_remedy(each: dict[str, Any]) -> str:
    return f"{each['evidence']}. Remedy: {each['remedy']}"


def _place(finding: dict[str, Any]) -> str:
    return f"{finding['table']}.{finding['column']}" if finding["table"] else str(finding["column"])
