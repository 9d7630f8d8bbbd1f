"""What a result was made from, as one hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any


def fingerprint(parts: Mapping[str, Any]) -> str:
    """Sixteen hexadecimal digits of everything that a result depends on."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def code_version(*rooms: str) -> str:
    """The release and a hash of the source files of some rooms, all three unless named: what made a result."""
    digest, here = hashlib.sha256(), Path(__file__).parents[3]
    for room in rooms or ("features", "models", "pipelines"):
        for place in sorted((here / room).rglob("*.py")):
            digest.update(place.relative_to(here).as_posix().encode() + place.read_bytes())
    return f"{metadata.version('attrition')}+{digest.hexdigest()[:12]}"
