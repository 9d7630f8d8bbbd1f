"""The satisfaction indicators in plain Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.features.oracles.known import Row, age, exact, own
from tests.features.oracles.vantage import lookbacks


def expected(view: Mapping[str, list[Row]], customers: Sequence[str]) -> dict[str, Row]:
    return {customer: _one(mine["surveys"]) for customer, mine in own(view, customers).items()}


def _one(surveys: list[Row]) -> Row:
    result: Row = {}
    for kind in ("nps", "csat"):
        answers = sorted(
            (r for r in surveys if r["kind"] == kind and r["answered_at"] and r["score"] is not None),
            key=lambda r: (r["answered_at"], r["known_at"], r["landed_order"], r["source_row"]),
        )
        scores = [float(exact(row["score"])) for row in answers]
        result |= {
            f"last_{kind}": scores[-1] if scores else None,
            f"{kind}_change": scores[-1] - scores[-2] if len(scores) > 1 else None,
            f"days_since_last_{kind}": age(answers[-1]["answered_at"]) if answers else None,
        }
        for span in lookbacks():
            told = [exact(row["score"]) for row in answers if age(row["answered_at"]) <= span]
            result[f"mean_{kind}_{span}d"] = float(sum(told)) / len(told) if told else None
    last = result["last_nps"]
    result["nps_detractor"] = None if last is None else int(last <= 6)
    for span in lookbacks():
        result[f"surveys_unanswered_{span}d"] = sum(
            age(row["asked_at"]) <= span and row["answered_at"] is None for row in surveys
        )
        result[f"negative_reasons_{span}d"] = sum(_negative(row, span) for row in surveys)
    return result


def _negative(row: Row, span: int) -> bool:
    if not row["answered_at"] or age(row["answered_at"]) > span or row["reason"] is None:
        return False
    limit = {"nps": 6, "csat": 2}.get(row["kind"])
    return limit is None or (row["score"] is not None and row["score"] <= limit)
