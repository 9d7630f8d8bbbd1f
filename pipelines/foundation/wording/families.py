"""What families of indicators, segments of customers and tables are called."""

from __future__ import annotations

from pipelines.foundation.wording.words import Words


def family_name(name: str, words: Words) -> str:
    """What a family of indicators is called in the report."""
    return words.say(f"family.{name}") if words.knows(f"family.{name}") else name.replace("_", " ")


def segment_name(column: str, words: Words) -> str:
    """What a column is called by whose values customers are told apart."""
    return words.say(f"segment.{column}") if words.knows(f"segment.{column}") else column.replace("_", " ")


def table_name(name: str, words: Words) -> str:
    """What a table is called; in English by the name that the settings and files know it by."""
    return words.say(f"table_name.{name}") if words.knows(f"table_name.{name}") else name
