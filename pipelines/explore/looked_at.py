"""A workspace that whoever looks at it cannot write to."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from pipelines.foundation.storage.reading_store import ReadingStore
from pipelines.foundation.workspace.workspace import Workspace


class LookedAt(Workspace):
    """The same workspace; what is computed from it lies elsewhere."""

    @cached_property
    def store(self) -> ReadingStore:
        return ReadingStore(self.root)

    @property
    def scratch(self) -> Path:
        return self.store.scratch
