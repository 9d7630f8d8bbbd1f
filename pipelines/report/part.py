"""A part of the page: what a section is called, what its template is told, and the template."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.foundation.wording.words import Words
from pipelines.report.data import ReportData


@dataclass(frozen=True, kw_only=True)
class Part:
    """One section. name: its id on the page, and its text in the contents ("nav.name").

    render: what the template is told besides the report; None leaves the section out. What it draws from is gathered
    into ReportData by write.py, since the same data must make the same page.
    """

    name: str
    render: Callable[[ReportData, Words], Mapping[str, Any] | None]
    template: str
