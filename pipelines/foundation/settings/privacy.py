"""The part of `attrition.toml` that says whose data may be processed, and for how long they are kept."""

from __future__ import annotations

from pydantic import field_validator

from pipelines.foundation.settings.section import PositiveSpan, Section, inside


class Privacy(Section):
    """objections: a list of who objected; consent: a list of who agreed, and then only they are processed.

    opt_outs: a list of who is scored, but of whom nothing is handed over.

    pseudonymise: customers land under names made of their ids with a secret key.

    The three lists are files below the workspace; None: there is no such list. keep_*_days: `attrition expire` removes
    what is older on the day it looks from; None: it stays.
    """

    objections: str | None = None
    consent: str | None = None
    opt_outs: str | None = None
    pseudonymise: bool = False
    keep_facts_days: PositiveSpan | None = None
    keep_rejects_days: PositiveSpan | None = None
    keep_snapshots_days: PositiveSpan | None = None
    keep_scores_days: PositiveSpan | None = None
    keep_delivery_days: PositiveSpan | None = None

    @field_validator("objections", "consent", "opt_outs")
    @classmethod
    def _in_the_workspace(cls, value: str | None) -> str | None:
        return value if value is None else inside(value)
