"""What is left out of rows, or written otherwise, when they land: erased customers, and ids where none are kept."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.foundation.identity.erased_customers import ErasedCustomers
from pipelines.foundation.identity.pseudonyms import Pseudonyms, pseudonyms
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.storage.store import Store


@dataclass(frozen=True)
class Masking:
    """What landing must hide. erased: whose rows do not land; pseudonyms: of all others, None for their own ids."""

    erased: ErasedCustomers
    pseudonyms: Pseudonyms | None

    @classmethod
    def of(cls, store: Store, settings: Settings) -> Masking:
        return cls(ErasedCustomers.of(store), pseudonyms(store, settings))
