"""`plays.toml`: the actions that keep customers, which reasons call for each, and what it costs and brings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from features.catalog import Family, Indicator
from features.errors import SettingsError, did_you_mean
from features.training_set import FAMILIES
from pipelines.foundation.settings import toml_file
from pipelines.foundation.settings.section import Count, Money, Section, Span
from pipelines.foundation.wording.words import set_spaces

if TYPE_CHECKING:
    from models.economics import Play as Economics

FILE_NAME = "plays.toml"
DEFAULT = Path(__file__).with_name(FILE_NAME)  # what `attrition init` writes

Band = Literal["low", "medium", "high"]

LATER = "judged once the workspace's own indicators are loaded"


def _reasons(families: Iterable[Family]) -> dict[str, frozenset[str]]:
    return {family.name: frozenset(family.reasons) for family in families}


def _indicators(families: Iterable[Family]) -> tuple[Indicator, ...]:
    return tuple(each for family in families for each in family.indicators if each.unit != "category")


REASONS, INDICATORS = _reasons(FAMILIES), _indicators(FAMILIES)
CODES = frozenset(code for codes in REASONS.values() for code in codes)


class Both(Section):
    """What people read, in either language."""

    en: Annotated[str, Field(min_length=1)]
    fr: Annotated[str, Field(min_length=1)]

    def of(self, language: Literal["en", "fr"]) -> str:
        """The text of a language, with its spaces."""
        return set_spaces(getattr(self, language), language)


class Play(Section):
    """One action. reasons: families of reasons, or single codes, that call for it; `for` in the file.

    contact_cost: of each attempt; offer_cost: of what is offered, to whoever takes it up; both in the workspace's
    currency. capacity_per_week: customers for whom it is recommended within any 7 days, at most; None: no limit.
    cool_down_days: before the same customer gets it again. min_value_at_risk: None: whatever it is.

    needs: by indicator, or by several with "|" between them of which one is enough, the least value without which the
    play would say what is not so. A value that is not known is not enough.
    """

    code: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    reasons: Annotated[tuple[str, ...], Field(alias="for")]
    name: Both
    advice: Both
    contact_cost: Money
    offer_cost: Money = 0.0
    success_rate: Annotated[float, Field(gt=0, lt=1)]
    capacity_per_week: Count | None = None
    cool_down_days: Span = 30
    bands: tuple[Band, ...] = ("medium", "high")
    min_value_at_risk: Money | None = None
    needs: Mapping[str, float] = {}

    @field_validator("reasons")
    @classmethod
    def _known(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if not value:
            raise ValueError("is empty, so nothing calls for the play; name a reason, or delete the play")
        if info.context is not LATER and (told := _unknown_reason(value, REASONS)):
            raise ValueError(told)
        return value

    @field_validator("bands")
    @classmethod
    def _some(cls, value: tuple[Band, ...]) -> tuple[Band, ...]:
        if not value:
            raise ValueError("is empty, so nobody may get the play; name a band, or delete the play")
        return value

    @field_validator("needs")
    @classmethod
    def _of_indicators(cls, value: Mapping[str, float], info: ValidationInfo) -> Mapping[str, float]:
        if info.context is not LATER and (told := _unknown_indicator(value, INDICATORS)):
            raise ValueError(told)
        return value

    @property
    def codes(self) -> frozenset[str]:
        """Every reason code that calls for it."""
        return frozenset().union(*(REASONS.get(name, {name}) for name in self.reasons))

    @property
    def economics(self) -> Economics:
        from models.economics import Play as Economics

        return Economics(contact_cost=self.contact_cost, offer_cost=self.offer_cost, success_rate=self.success_rate)

    def words(self, language: Literal["en", "fr"]) -> str:
        """The play and what to do, in one line."""
        between = "\u00a0: " if language == "fr" else ": "
        return f"{self.name.of(language)}{between}{self.advice.of(language)}"


class _File(Section):
    plays: tuple[Play, ...] = ()

    @field_validator("plays")
    @classmethod
    def _once(cls, value: tuple[Play, ...]) -> tuple[Play, ...]:
        codes = [play.code for play in value]
        twice = sorted({code for code in codes if codes.count(code) > 1})
        if twice:
            raise ValueError(f"two plays have the code '{twice[0]}'; give each a code of its own")
        return value


def load(path: Path, *, own: bool = False) -> tuple[Play, ...]:
    """The plays of a file, in its order; none where there is no such file.

    own: the workspace has indicators of its own, so that names may be theirs: they are judged by `with_own`.
    Raises: SettingsError that names each mistake, its place and the remedy.
    """
    try:
        return toml_file.read(path, _File, context=LATER if own else None).plays
    except FileNotFoundError:
        return ()


def with_own(plays: Sequence[Play], own: Sequence[Family]) -> tuple[Play, ...]:
    """The plays of a workspace with indicators of its own: names of own families as the reason codes that they hold.

    Raises: SettingsError at a name that is neither in the catalog nor in `own`.
    """
    reasons, found = REASONS | _reasons(own), list[Play]()
    for place, play in enumerate(plays):
        if told := _unknown_reason(play.reasons, reasons):
            raise SettingsError(f"{FILE_NAME}:\n  plays.{place}.for: {told}")
        if told := _unknown_indicator(play.needs, (*INDICATORS, *_indicators(own))):
            raise SettingsError(f"{FILE_NAME}:\n  plays.{place}.needs: {told}")
        codes = tuple(code for name in play.reasons for code in sorted(reasons.get(name, {name})))
        found.append(play.model_copy(update={"reasons": codes}))
    return tuple(found)


def _unknown_reason(names: Sequence[str], reasons: Mapping[str, frozenset[str]]) -> str:
    """What to say of the first name that is neither a family nor a code; empty where there is none."""
    known = [*reasons, *(code for codes in reasons.values() for code in codes)]
    for name in names:
        if name not in known:
            return f"'{name}' is no family of reasons and no reason code.{did_you_mean(name, known)}"
    return ""


def _unknown_indicator(needs: Mapping[str, float], indicators: Sequence[Indicator]) -> str:
    for name in (each for key in needs for each in key.split("|")):
        if not any(re.fullmatch(each.name.replace("{days}", r"[1-9]\d*"), name) for each in indicators):
            near = did_you_mean(name, [each.name.format(days=30) for each in indicators])
            return f"'{name}' is no indicator with a number; `attrition indicators` lists them.{near}"
    return ""
