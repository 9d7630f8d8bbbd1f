"""One writer per workspace: of two runs at once, one works and the other says so."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from features.errors import AttritionError
from pipelines.foundation.storage.atomic_file import sweep
from pipelines.foundation.storage.workspace_paths import refuse_leading_out

FILE_NAME = ".attrition.lock"
BUSY = "another attrition run (process {holder}) is working in {root}; wait until it ends"


class BusyError(AttritionError):
    """Another run holds the workspace."""


@contextmanager
def held(root: Path, *, file_name: str = FILE_NAME, busy: str = BUSY) -> Iterator[None]:
    """Hold the workspace while the block runs; the operating system lets go of it however the process ends.

    file_name: what is held, where it is not the right to write. busy: what to say where another process holds it.
    """
    refuse_leading_out(root)
    opened = os.open(root / file_name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    with os.fdopen(opened, "r+", encoding="utf-8", errors="replace") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            holder = handle.read(20).strip()
            holder = holder if holder.isdecimal() else "unknown"
            raise BusyError(busy.format(holder=holder, root=root)) from None
        handle.seek(0)
        handle.truncate()
        handle.write(str(os.getpid()))
        handle.flush()
        sweep(root)
        yield
