"""Who may be processed, and of whom something may be handed over, by the lists as they are at the moment of asking."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.foundation.identity.objections import ID, Refusals, opt_outs, read
from pipelines.foundation.identity.pseudonyms import Identities, Pseudonyms
from pipelines.foundation.settings.privacy import Privacy

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Permissions:
    """root: the workspace's folder, in which the lists lie. pseudonyms: None where customers go by their own ids.

    Methods raise DataError where a list that the settings name cannot be read.
    """

    root: Path
    privacy: Privacy
    pseudonyms: Pseudonyms | None

    def name_of(self, customer: str) -> str:
        """What a customer of the company is called in the workspace's files."""
        return customer if self.pseudonyms is None else self.pseudonyms.of(customer)

    def own_ids(self, names: Iterable[str]) -> list[str]:
        """The company's own ids of customers as the workspace's files call them."""
        return list(names) if self.pseudonyms is None else Identities(self.root).own(names)

    def refusals(self) -> Refusals:
        """Who may not be processed, by the company's own ids."""
        return read(self.root, self.privacy)

    def kept_inside(self) -> Refusals:
        """Of whom nothing is handed over, opted out or refused, by the company's own ids."""
        refusals = self.refusals()
        return Refusals(refusals.objected | opt_outs(self.root, self.privacy), refusals.consented)

    def permitted(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of those who may be processed."""
        return self._allowed(frame, self.refusals())

    def without_opt_outs(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of those of whom something may be handed over."""
        return self._allowed(frame, self.kept_inside())

    def _allowed(self, frame: pd.DataFrame, refusals: Refusals) -> pd.DataFrame:
        kept: pd.DataFrame = frame[refusals.known_as(self.name_of).allows(frame[ID])]
        return kept.reset_index(drop=True)
