"""One writer per workspace: of two runs at once, one works and the other says so."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from features.errors import AttritionError
from pipelines.foundation.storage.atomic_file import sweep

FILE_NAME = ".attrition.lock"
BUSY = "another attrition run (process {holder}) is working in {root}; wait until it ends"


class BusyError(AttritionError):
    """Another run holds the workspace."""


@contextmanager
def held(root: Path, *, file_name: str = FILE_NAME, busy: str = BUSY) -> Iterator[None]:
    """Hold the workspace while the block runs; the operating system lets go of it however the process ends.

    file_name: what is held, where it is not the right to write. busy: what to say where another process holds it.
    """
    with (root / file_name).open("a+", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            holder = handle.read().strip() or "unknown"
            raise BusyError(busy.format(holder=holder, root=root)) from None
        handle.seek(0)
        handle.truncate()
        handle.write(str(os.getpid()))
        handle.flush()
        sweep(root)
        yield
