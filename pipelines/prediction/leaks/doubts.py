"""What the check of the columns means for a model: no promotion, unless the settings trust a column by its name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from models.promotion import Verdict
from pipelines.data.snapshots.snapshot import Snapshots
from pipelines.prediction.leaks.finding import Finding
from pipelines.prediction.leaks.leak_check import findings_of, leak_check

MOST_TOLD = 3
PERSONAL = ("customers.born_at", "customers.gender")  # read by indicators about who the customer is alone


@dataclass(frozen=True)
class Doubts:
    """findings: of columns that nobody trusts. trusted: those with a finding that the settings trust. untold: texts."""

    findings: tuple[Finding, ...]
    trusted: tuple[str, ...]
    untold: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The doubted columns, as `training.trusted_columns` would name them."""
        return tuple(sorted({finding.place for finding in self.findings}))

    @property
    def in_words(self) -> str:
        """Each doubted column with its evidence and remedy; of many the first few. Empty where none is doubted."""
        told = [
            f"{each.place} seems to know the future: {each.evidence}; remedy: {each.remedy}"
            for each in self.findings[:MOST_TOLD]
        ]
        if len(self.findings) > MOST_TOLD:
            rest = ", ".join(each.place for each in self.findings[MOST_TOLD:])
            told.append(f"so do {rest} (`attrition audit` says why)")
        if told:
            told.append("name in training.trusted_columns what was known at its time even so")
        return "; ".join(told)

    @property
    def verdict(self) -> Verdict | None:
        """No promotion where a column is doubted; None where there is nothing to say."""
        return Verdict(promote=False, reason=self.in_words) if self.findings else None

    @property
    def record(self) -> dict[str, Any]:
        """As it is kept beside a model: {"findings": [...], "trusted": [name], "untold": [text]}."""
        findings = [asdict(each) | {"remedy": each.remedy} for each in self.findings]
        return {"findings": findings, "trusted": list(self.trusted), "untold": list(self.untold)}


def doubts(snapshots: Snapshots, trusted: Collection[str]) -> Doubts:
    """Of the columns that models of a workspace read. trusted: names from the settings."""
    return doubts_in(leak_check(snapshots), trusted, unread=() if snapshots.definition.personal else PERSONAL)


def doubts_in(document: Mapping[str, Any], trusted: Collection[str], *, unread: Collection[str] = ()) -> Doubts:
    """The same of a document of `leak_check`. unread: names of columns that no indicator is made of."""
    findings = [each for each in findings_of(document) if each.place not in unread]
    return Doubts(
        findings=tuple(each for each in findings if each.place not in trusted),
        trusted=tuple(sorted({each.place for each in findings if each.place in trusted})),
        untold=tuple(document["untold"]),
    )
