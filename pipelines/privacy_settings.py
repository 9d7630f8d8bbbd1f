"""The part of `attrition.toml` that says whose data may be processed, and for how long they are kept."""

from __future__ import annotations

from pydantic import field_validator

from pipelines.source_settings import Section, inside


class Privacy(Section):
    """objections: a list of who objected; consent: a list of who agreed, and then only they are processed.

    Both are files below the workspace; None: there is no such list.
    """

    objections: str | None = None
    consent: str | None = None

    @field_validator("objections", "consent")
    @classmethod
    def _in_the_workspace(cls, value: str | None) -> str | None:
        return value if value is None else inside(value)
