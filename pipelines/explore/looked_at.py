"""A workspace that whoever looks at it cannot write to."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from pipelines.foundation.storage.engine import open_engine
from pipelines.foundation.storage.reading_store import ReadingStore
from pipelines.foundation.workspace.workspace import Workspace


class LookedAt(Workspace):
    """The same workspace; what is computed from it lies elsewhere."""

    @cached_property
    def store(self) -> ReadingStore:
        return ReadingStore(self.root)

    @cached_property
    def engine(self) -> Any:
        return open_engine(self.settings.engine, scratch=self.store.scratch / "spilled")
