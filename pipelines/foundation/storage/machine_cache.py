"""What is the same for every workspace, and takes seconds to make: kept in this user's folder of caches.

Nothing of any customer stands there, and nothing is lost where it is deleted, or cannot be written. Each is packed, and
sealed with its name: what is damaged, or was written under another name, is as if it were not kept.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from contextlib import suppress
from pathlib import Path

from pipelines.foundation.storage.atomic_file import atomic_write

_SEAL = hashlib.sha256().digest_size


def read(name: str) -> bytes | None:
    """None where it was not kept, or by somebody else: what is read here, this user's processes run."""
    with suppress(OSError, RuntimeError), _place(name).open("rb") as file:
        if os.fstat(file.fileno()).st_uid == os.geteuid():
            seal, packed = file.read(_SEAL), file.read()
            return zlib.decompress(packed) if seal == _sealed(name, packed) else None
    return None


def write(name: str, found: bytes) -> None:
    """Keep it, where that is possible."""
    packed = zlib.compress(found)
    with suppress(OSError, RuntimeError), atomic_write(_place(name)) as temporary:
        temporary.write_bytes(_sealed(name, packed) + packed)


def _sealed(name: str, packed: bytes) -> bytes:
    return hashlib.sha256(name.encode() + packed).digest()


def bound(folder: str, most: int) -> None:
    """Remove from a folder of such files what was written first, until the rest takes at most so many bytes.

    Another process may remove, or add, at the same time: nothing is lost but time.
    """
    with suppress(OSError, RuntimeError), os.scandir(_place(folder)) as entries:
        files = sorted((told.st_mtime_ns, told.st_size, each.path) for each in entries if (told := each.stat()))
        left = sum(size for _, size, _ in files)
        for _, size, place in files:
            if left <= most:
                break
            Path(place).unlink(missing_ok=True)
            left -= size


def _place(name: str) -> Path:
    """Raises: RuntimeError for a user without a home."""
    told = os.environ.get("XDG_CACHE_HOME", "")
    # The specification: a path that is not absolute is to be ignored.
    folder = Path(told) if Path(told).is_absolute() else Path.home() / ".cache"
    return folder / "attrition" / name
