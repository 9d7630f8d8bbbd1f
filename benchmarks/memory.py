"""Peak memory of the program that asks."""

from __future__ import annotations

import resource
import sys
from pathlib import Path


def peak_gib() -> float:
    """The most memory that this program ever held.

    `ru_maxrss` begins with what the process held that started this one, so Linux is asked for the program's own.
    """
    status = Path("/proc/self/status")
    if status.exists():
        kib = next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(kib) / 2**20
    in_bytes = sys.platform == "darwin"
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**30 if in_bytes else 2**20)
