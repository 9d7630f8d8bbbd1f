"""The decision on a model's promotion, in the language of whoever reads it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from models.promotion import SEGMENT
from pipelines.foundation.ledger.model_versions import Version
from pipelines.foundation.wording.families import segment_name
from pipelines.foundation.wording.words import Words

MOST_TOLD = 3


def verdict_in(version: Version, words: Words) -> str:
    """Why a model was promoted or not.

    In English as it was recorded when the model was trained, for the record; in another language said anew, from the
    figures and findings recorded beside it.
    """
    if words.language == "en":
        return version.verdict
    record = version.record
    doubted = dict.fromkeys(str(each["place"]) for each in record.get("leaks", {}).get("findings", ()))
    if not version.promoted and doubted:
        said = [words.say("verdict.doubted", place=place) for place in [*doubted][:MOST_TOLD]]
        return words.say("line.between").join(said)
    gates = record.get("promotion") or ()
    failed = [gate for gate in gates if not gate["passed"]]
    if failed:
        return words.say("line.between").join(_against(gate, words) for gate in failed)
    if gates:
        return words.say("verdict.no_worse", **_figures(gates[0], "challenger", "champion"))
    return words.say("verdict.first" if version.promoted else "verdict.untested")


def _against(gate: Mapping[str, Any], words: Words) -> str:
    """One gate that did not let the model pass."""
    kind = "log_loss" if gate["gate"] == SEGMENT else gate["gate"]
    name = words.say(f"gate.{kind}")
    if gate.get("segment"):
        column, _, value = gate["segment"].partition(": ")
        segment = segment_name(column, words) + words.say("line.colon") + value
        name = words.say("verdict.within", name=name, segment=segment)
    if gate["gate"] == "log_loss":
        figures = _figures(gate, "challenger", "champion", "high", "margin")
        return words.say("verdict.loss_against", name=name, **figures)
    return words.say("verdict.against", name=name, **_figures(gate, "challenger", "champion", "margin"))


def _figures(gate: Mapping[str, Any], *names: str) -> dict[str, float]:
    return {name: math.nan if gate[name] is None else float(gate[name]) for name in names}
