"""Which character sets a text file may be declared to be in."""

from __future__ import annotations

import codecs
import re

# Python calls these encodings of text, too: they write domain names, source code or old mail, and take what is no text
# of theirs for something else, or fail at it in ways of their own. No system exports files in them.
_OF_NO_FILE = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "utf-7", "undefined", "mbcs", "oem"}
_REMEDY = "use for example utf-8, cp1252 or utf-16"


def character_set(name: str) -> str:
    """The name back; ValueError where it is none of a character set that a file may be in.

    >>> character_set("cp1252")
    'cp1252'
    """
    # Python imports a module of that name: what cannot be one is not looked for.
    if not re.fullmatch(r"[A-Za-z0-9_.: -]{1,40}", name):
        raise ValueError(f"'{name[:40]}' is not an encoding; {_REMEDY}")
    try:
        "".encode(name)
        found = codecs.lookup(name).name
    except (LookupError, UnicodeError):
        raise ValueError(f"'{name}' is not an encoding; {_REMEDY}") from None
    if found.replace("_", "-") in _OF_NO_FILE:
        raise ValueError(f"'{name}' is not an encoding that files are written in; {_REMEDY}")
    return name
