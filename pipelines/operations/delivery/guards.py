"""What stops a delivery before anything is sent: scores that should not be acted on, or that look like a mistake."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date

from features.errors import SettingsError
from pipelines.foundation.ledger.model_versions import Versions
from pipelines.foundation.ledger.score_store import ScoreRun
from pipelines.foundation.storage.error_words import fault, in_words
from pipelines.operations.delivery.connector import DestinationError, Value
from pipelines.operations.delivery.difference import Change, RemoteState

Guard = Callable[[], str | None]

# What somebody may know better than the guard.
PASSABLE = ("changes", "bands")


class StoppedError(DestinationError):
    """Guards have stopped a delivery; nothing was sent."""


def passable(names: Collection[str]) -> Collection[str]:
    """The same guards. Raises: SettingsError where one is none that may be passed by."""
    for name in names:
        if name not in PASSABLE:
            raise SettingsError(f"--despite {name}: only these guards can be passed by: {', '.join(PASSABLE)}")
    return names


def stopped(guards: Mapping[str, Guard], *, despite: Collection[str] = ()) -> list[str]:
    """Why nothing may be sent, guard by guard; nothing where all hold.

    A guard that cannot be evaluated stops as well: what it was to see was not seen. despite: guards that somebody
    passes by on purpose.
    """
    found = []
    for name, guard in guards.items():
        try:
            said = guard()
        except Exception as error:  # noqa: BLE001 - whatever it is that went wrong, nothing was checked
            found.append(f"{name}: it could not be evaluated; {in_words(error) or fault(error)}")
            continue
        if said is not None and name not in despite:
            hint = f"; if that is right, go on with --despite {name}" if name in PASSABLE else ""
            found.append(f"{name}: {said}{hint}")
    return found


def of_the_run(run: ScoreRun, *, today: date, versions: Versions) -> dict[str, Guard]:
    """Of the scores, wherever they go. today: the day on which somebody would act on them."""

    def scores() -> str | None:
        if not run.rows:
            return f"nobody was scored at {run.as_of}"
        until = date.fromisoformat(run.detail["valid_until"])
        if until < today:
            return f"the scores of {run.as_of} were valid until {until}, and it is {today}; run `attrition score`"
        return None

    def model() -> str | None:
        version = versions.named(run.detail["model_version"])
        if not version.verdict:
            return f"model {version.version} was never judged; run `attrition train`, or promote one that was"
        champion = versions.champion().version
        if version.version != champion:
            return f"the scores are of model {version.version}, and the champion is {champion}; run `attrition score`"
        return None

    return {"scores": scores, "model": model}


def of_a_destination(
    changes: Sequence[Change], remote: Mapping[str, RemoteState], *, max_changed_share: float, max_band_shift: float
) -> dict[str, Guard]:
    """Of what would change at a destination for whoever acts on it: another band, another play, or no score any more.

    Nothing is compared before a destination has taken something.
    """
    before = {customer: found for customer, found in remote.items() if found.content_sha256 is not None}

    def moved(change: Change) -> bool:
        found = before[change.customer]
        now = (change.values["churn_risk_band"], change.values["recommended_play_code"])
        return change.withdrawn or now != (found.band, found.play)

    def changed() -> str | None:
        count = sum(change.customer in before and moved(change) for change in changes)
        if before and count / len(before) > max_changed_share:
            return (
                f"{count:,} of {len(before):,} customers would get another band or play or lose their score, more than "
                f"{max_changed_share:.0%} (delivery.max_changed_share)"
            )
        return None

    def bands() -> str | None:
        would_be: dict[str, Value] = {customer: found.band for customer, found in before.items()}
        would_be |= {change.customer: change.values["churn_risk_band"] for change in changes}
        then, now = _shares(found.band for found in before.values()), _shares(would_be.values())
        for band in then:
            if now and abs(now[band] - then[band]) > max_band_shift:
                return (
                    f"{then[band]:.0%} of the customers were in band {band}, and {now[band]:.0%} would be, a shift of "
                    f"more than {max_band_shift:.0%} (delivery.max_band_shift)"
                )
        return None

    return {"changes": changed, "bands": bands}


def _shares(bands: Iterable[Value]) -> dict[str, float]:
    """The share of each band among customers who have one; nothing where nobody has."""
    counts = Counter(band for band in bands if band)
    return {band: counts[band] / counts.total() for band in ("high", "medium", "low")} if counts else {}
