"""What is the same for every workspace, and takes seconds to make: kept in this user's folder of caches.

Nothing of any customer stands there, and nothing is lost where it is deleted, or cannot be written.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from pipelines.foundation.storage.atomic_file import atomic_write


def read(name: str) -> bytes | None:
    """None where it was not kept."""
    with suppress(OSError, RuntimeError):
        return _place(name).read_bytes()
    return None


def write(name: str, found: bytes) -> None:
    """Keep it, where that is possible."""
    with suppress(OSError, RuntimeError), atomic_write(_place(name)) as temporary:
        temporary.write_bytes(found)


def _place(name: str) -> Path:
    """Raises: RuntimeError for a user without a home."""
    told = os.environ.get("XDG_CACHE_HOME", "")
    # The specification: a path that is not absolute is to be ignored.
    folder = Path(told) if Path(told).is_absolute() else Path.home() / ".cache"
    return folder / "attrition" / name
