"""What a past forecast is made of, where prices or outcomes of some customers are not known, and the document."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from pipelines.prediction.scoring import forecast
from tests.models.oracles import forecast as oracle
from tests.models.oracles.forecast import AtRisk
from tests.pipelines.prediction.scoring.forecast_case import (
    EVERY,
    FIRST,
    FOLDS,
    KINDS,
    MATURITY,
    Company,
    Row,
    company,
    forecast_of,
)


def test_revenue_that_is_not_known_at_both_ends_is_in_no_ratio() -> None:
    rows = pd.DataFrame({"mrr_before": [30.0, None, 20.0, 10.0], "mrr_after": [40.0, 5.0, None, 0.0]})
    before, after = forecast._paid(rows)
    assert before.tolist() == [30, 0, 0, 10]
    assert after.tolist() == [40, 0, 0, 0]


def test_predictions_of_every_outcome_are_of_the_same_customers() -> None:
    customers = pd.Series(["a", "b", "c"])
    predicted = pd.DataFrame({"customer_id": ["c", "a"], "churn_probability": [0.3, 0.1]})
    assert np.array_equal(forecast._risks(predicted, customers), [0.1, 0.0, 0.3])


def at_risk(rows: list[Row], *, known: bool) -> list[AtRisk]:
    """known: prices at both ends decide who counts in a rate; otherwise that of today alone."""
    found = []
    for row in rows:
        priced = row["before"] is not None and (not known or row["after"] is not None)
        changes = row["chances"] if not known or row["contraction"] is not None else dict.fromkeys(KINDS, 0.0)
        chances = {"lost": row["chances"]["churn"], "less": changes["contraction"], "more": changes["expansion"]}
        found.append(AtRisk(**chances, mrr=row["before"] if priced else 0.0))
    return found


def changes(found: Company, day: date) -> tuple[list[float], list[float]]:
    """Falls and rises of whom they are known, in the six newest snapshots whose outcomes were known by a day."""
    days = [each for each in sorted(found.rows) if each + timedelta(days=MATURITY) <= day][-6:]
    pairs = [(row["before"], row["after"]) for each in days for row in found.rows[each] if row["before"]]
    paid = [(before, after) for before, after in pairs if after]
    falls = [1 - after / before for before, after in paid if after < before]
    return falls, [after / before - 1 for before, after in paid if after > before]


def strays(found: Company, day: date) -> dict[str, float]:
    """How far levels usually stray, by outcome, as the folds tell whose outcomes were known by a day."""
    known: dict[str, list[tuple[float, float]]] = {kind: [] for kind in KINDS}
    for each in FOLDS:
        for kind in KINDS if each + timedelta(days=MATURITY) <= day else ():
            rows = [row for row in found.rows[each] if row["before"] != 0 and row[kind] is not None]
            known[kind].append(oracle.shift([row[kind] for row in rows], [row["chances"][kind] for row in rows]))
    return {kind: oracle.usual_stray(past) for kind, past in known.items()}


@pytest.mark.parametrize(("seed", "step"), [(1, 13), (2, 13), (3, 10)])
def test_the_document_is_what_was_predicted_and_what_came(
    seed: int, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recomputed in plain Python. In the last case the data reach further than the day that is looked from."""
    found = company(seed, as_of=FIRST + timedelta(days=EVERY * step))
    document = forecast_of(found, monkeypatch)
    held: dict[str, list[bool]] = {}
    missed: dict[str, list[float]] = {}
    for day, past in zip(FOLDS, document["past"], strict=True):
        rows = [row for row in found.rows[day] if row["before"] != 0]
        right = oracle.expected(at_risk(rows, known=True), *changes(found, day))
        came = oracle.came([{"left": row["churn"], "before": row["before"], "after": row["after"]} for row in rows])
        assert past["snapshot_on"] == str(day)
        assert set(past["figures"]) == {"customers_lost", "grr", "nrr"}
        for name, figure in past["figures"].items():
            assert figure["expected"] == pytest.approx(right[name], rel=1e-9), name
            assert figure["actual"] == pytest.approx(came[name], rel=1e-9), name
            held.setdefault(name, []).append(figure["low"] <= came[name] <= figure["high"])
            missed.setdefault(name, []).append(abs(right[name] - came[name]))
    assert document["coverage"] == pytest.approx({name: sum(each) / len(FOLDS) for name, each in held.items()})
    assert document["error"] == pytest.approx({name: sum(each) / len(FOLDS) for name, each in missed.items()})
    today = oracle.expected(at_risk(found.rows[found.as_of], known=False), *changes(found, found.as_of))
    assert {name: each["expected"] for name, each in document["next"].items()} == pytest.approx(today, rel=1e-9)
    assert (document["confidence"], document["horizon_days"]) == (0.9, 30)


def test_no_horizon_is_drawn_with_an_error_that_was_not_known_by_its_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of four folds, two had ended by the day that is looked from; none had by the first two folds' days."""
    found = company(4, as_of=FOLDS[-1])
    forecast_of(found, monkeypatch)
    for day, drawn in zip([*FOLDS, found.as_of], found.seeds, strict=True):
        right = strays(found, day)
        usual = {kind: drawn[part].usual for kind, part in zip(KINDS, ("lost", "less", "more"), strict=True)}
        assert usual == pytest.approx(right, rel=0.02), day
