"""Texts that others wrote - names of files, settings - as a terminal may show them."""

from __future__ import annotations

import re

# Characters that a terminal acts on, that turn the direction of what follows, or that no encoding has.
_UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    r"""The text with escapes in the place of characters that cannot be seen; line ends stay.

    >>> visible("orders\x1b[2J-\udcff.csv")
    'orders\\x1b[2J-\\udcff.csv'
    """
    return _UNSEEN.sub(lambda found: ascii(found[0])[1:-1], text)
