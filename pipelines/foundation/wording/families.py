"""What families of indicators are called."""

from __future__ import annotations

from pipelines.foundation.wording.words import Words


def family_name(name: str, words: Words) -> str:
    """What a family of indicators is called in the report."""
    return words.say(f"family.{name}") if words.knows(f"family.{name}") else name.replace("_", " ")
