"""What is wrong with a sentence, as far as rules tell: agreement, elision, contraction, spaces, words twice."""

from __future__ import annotations

import re

from pipelines.foundation.wording.numbers import Language

_VOWEL = "[aàâeéèêiîoôuû]"
_FAULTS: dict[Language, tuple[tuple[str, str], ...]] = {
    "en": (
        (
            "a plural after 1",
            r"(?<![\d.,/])1 (?:more |fewer |further )?(?!of\b)[a-z-]*[^\Ws]s\b(?<!\bis)(?<!\bhas)(?<!\bwas)",
        ),
        ("a verb in the plural after 1", r"(?<![\d.,/])1 (?:[a-z-]+ )?(?:are|were|have|stand)\b"),
    ),
    "fr": (
        ("not elided", rf"\b(?:de|que|ne|le|la|se|je|me|te|jusque|lorsque|puisque) {_VOWEL}"),
        ("not elided", r"\bsi ils?\b|\bce est\b"),
        ("elided before a consonant", "\\b[dlnsj]['\u2019](?![aàâeéèêiîoôuûyhœ])[a-zç]"),
        (
            "not contracted",
            r"\bde les? (?:client|jour|mois|risque|modèle|test|dernier|premier)|\bà les? (?:client|jour)",
        ),
        (
            "a plural after 0 or 1",
            r"(?<![\d,\u202f/])[01] (?!mois\b|fois\b|sur\b|des\b|sans\b|dans\b|plus\b)(?-i:[a-zéè-]+[sx])\b",
        ),
        (
            "a verb in the plural after 0 or 1",
            r"(?<![\d,\u202f/])[01] (?:[a-zéè-]+ )?(?:sont|ont|étaient|avaient|font)\b",
        ),
        ("a verb in the plural after 0 or 1", r"(?<!sur )(?<![\d,\u202f/])[01] (?:[a-zéèà' -]+ )?[a-zéè]+aient\b"),
        ("a pronoun in the plural for 0 or 1", r"(?<![\d,\u202f/])[01] (?:client|tenu)\b[^.;:]*\b(?:eux|leur|ils)\b"),
        ("a space that may break", r" [:;?!»%]|« "),
    ),
}
_OF_ANY = (
    ("a word twice", r"\b([^\W\d_]{2,}) \1\b"),
    ("two spaces, or one that should not be there", r"  | [,.](?!\d)|\( | \)|^ | $"),
    ("a place left unfilled", r"[{}|#]|\b(?-i:None|nan|True|False)\b"),
)


def faults(text: str, language: Language) -> list[str]:
    """Each fault with the place where it stands."""
    rules = (*_FAULTS[language], *_OF_ANY)
    return [
        f"{name}: {found[0]!r} in {text!r}" for name, rule in rules for found in re.finditer(rule, text, re.IGNORECASE)
    ]
