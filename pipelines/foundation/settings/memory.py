"""How much memory a command may take: as the settings say, or half of what the machine or its container has."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

GIB = 1 << 30
# A container's own bound, of both generations of Linux's control groups; "max", or a number beyond any machine: none.
_BOUNDS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def allowed(memory_gib: float | None, *, bounds: tuple[Path, ...] = _BOUNDS) -> int:
    """Bytes. memory_gib: the setting; None: half of what there is."""
    return int(memory_gib * GIB) if memory_gib is not None else _there_is(bounds) // 2


def _there_is(bounds: tuple[Path, ...]) -> int:
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for place in bounds:
        with suppress(OSError, ValueError):
            found.append(int(place.read_text(encoding="ascii")))
    return min(found)
