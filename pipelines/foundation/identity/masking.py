"""How rows land without saying more of people than they must."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.foundation.identity.erased_customers import Tombstones
from pipelines.foundation.identity.pseudonyms import Pseudonyms, pseudonyms
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.storage.store import Store


@dataclass(frozen=True)
class Hiding:
    """tombstones: whose rows do not land; pseudonyms: what all others are called, None for their own ids."""

    tombstones: Tombstones
    pseudonyms: Pseudonyms | None

    @classmethod
    def of(cls, store: Store, settings: Settings) -> Hiding:
        return cls(Tombstones.of(store), pseudonyms(store, settings))
