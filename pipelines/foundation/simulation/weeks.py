"""The simulated company week by week: what customers do, and how likely that makes them to leave.

Every hazard is a function of facts that stand in the tables at the start of the week. Families draw from sources of
chance of their own, so that a family without effect says nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from pipelines.foundation.simulation import contract_life, touchpoints
from pipelines.foundation.simulation.company import Company

ACTS: tuple[Callable[[Company, int], None], ...] = (
    touchpoints.engage,
    touchpoints.ask_support,
    contract_life.use,
    contract_life.bill,
    contract_life.pay,
    touchpoints.survey,
    touchpoints.write,
    touchpoints.loyalty,
    contract_life.change,
)


def run(company: Company, progress: Callable[[str], None]) -> None:
    """Every week in turn."""
    for week in range(company.weeks):
        company.ledger.clear(week)
        contract_life.begin(company, week)
        hazard, rate = company.hazards.contract(week), company.hazards.order_rate(week)
        company.keep_truth(week, hazard, rate)
        contract_life.treat(company, week, hazard)
        touchpoints.order(company, week, rate)
        for act in ACTS:
            act(company, week)
        contract_life.leave(company, week, hazard)
        if week % 13 == 12:
            progress(f"week {week + 1} of {company.weeks}")
