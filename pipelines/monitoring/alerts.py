"""What monitoring has to say: what, by which evidence, and what to do. No customer is ever named."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.console import People


@dataclass(frozen=True)
class Alert:
    """check: which kind of look found it; what, evidence, remedy: sentences without their full stop."""

    check: str
    what: str
    evidence: str
    remedy: str

    def line(self) -> str:
        """One line of a log.

        >>> Alert("freshness", "no orders for 9 days", "never before for more than 2", "look for the export").line()
        'alert [freshness] no orders for 9 days: never before for more than 2; look for the export'
        """
        return f"alert [{self.check}] {self.what}: {self.evidence}; {self.remedy}"


def tell(people: People, alerts: list[Alert]) -> None:
    """A line for each."""
    for alert in alerts:
        people.say(alert.line())
