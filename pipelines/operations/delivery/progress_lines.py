"""The lines that say what a delivery came to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Say = Callable[[str], None]

_MOST_NAMED = 20
_SHOWN = ("churn_risk_band", "churn_probability", "value_at_risk", "recommended_play", "reason_1", "suppressed_why")


def delivered(say: Say, document: dict[str, Any], currency: str) -> None:
    """A line per file and destination; of a dry run, what would be sent, with samples, and what stops it."""
    for each in document["destinations"]:
        (_would if "sample" in each else _was)(say, each)
    if document["current"] and not document["destinations"]:
        say("  nothing would be sent: the settings name no destination ([[destinations]])")
    if document["suppressed"]:
        say(f"  {document['suppressed']:,} customers held back: opted out, or in the holdout")
    if not document["current"]:
        say("  a later day was scored, so the destinations were left alone: they hold that day's scores")
    for stop in document["stopped"]:
        say(f"  stops: {stop}")
    if document["also"]:
        say(f"  probabilities of further outcomes: {document['also']}")
    for kind in document["too_old"]:
        say(f"  {kind} left out: its champion is older than promotion.max_age_days; run `attrition train`")
    announced = document["announced"]
    if announced["customers"]:
        say(
            f"  {announced['customers']:,} customers have announced to leave and are not scored, "
            f"{announced['mrr']:,.2f} {currency} a month: {announced['csv']}"
        )


def undelivered(document: dict[str, Any]) -> str | None:
    """What a delivery has left to be done, in words; None where nothing is."""
    waiting = [each for each in document["destinations"] if each["failed"]]
    differing = [each for each in document["destinations"] if each.get("differing")]
    said = [
        f"{each['name']}: {each['failed']:,} records wait for the next delivery ({each['why']})" for each in waiting
    ]
    said += [f"{each['name']} holds something else than it took; see `attrition outbox`" for each in differing]
    return "; ".join(said) or None


def _was(say: Say, found: dict[str, Any]) -> None:
    if found["name"] == "csv":
        say(f"  csv: {found['path']}{'' if found['sent'] else ' (was there already)'}")
        return
    parts = [f"{found['sent']:,} sent", f"{found['unchanged']:,} unchanged"]
    parts += [f"{found['failed']:,} wait for the next run ({found['why']})"] if found["failed"] else []
    parts += [f"{found['dead']:,} refused, see `attrition outbox`"] if found["dead"] else []
    say(f"  {found['name']}: {', '.join(parts)}")
    if found["not_read_back"]:
        say(f"    not read back: {found['not_read_back']}")
    if found["read_back"]:
        differing, mended = len(found["differing"]), found["mended"]
        said = [f"{mended:,} were not as sent, were sent again, and are now"] if mended else []
        said += [f"{differing:,} DIFFERENT from what was sent"] if differing else []
        say(f"    {found['read_back']:,} read back, {'; '.join(said) or 'as sent'}")
        for customer, fields in list(found["differing"].items())[:_MOST_NAMED]:
            say(f"    {customer}: {', '.join(fields)}; it will be sent again")
        if differing > _MOST_NAMED:
            say(f"    and {differing - _MOST_NAMED:,} more")


def _would(say: Say, found: dict[str, Any]) -> None:
    say(f"  {found['name']}: {found['planned']:,} would be sent, {found['unchanged']:,} are unchanged")
    for record in found["sample"]:
        values = ", ".join(f"{name} {record[name]}" for name in _SHOWN if record[name] not in (None, ""))
        say(f"    for example {record['external_id']}: {values}")
