from __future__ import annotations

from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation import Metrics
from models.promotion import Gates, decide

GATES = Gates(max_log_loss_increase=0.002, max_roc_auc_decrease=0.005)


def figures(log_loss: float, roc_auc: float) -> Metrics:
    return Metrics(1_000, 300, roc_auc, 0.5, log_loss, 0.1, 1.0, 0.0, 2.0, 0.2)


@pytest.mark.parametrize(
    ("champion", "challenger", "promote", "reason"),
    [
        (None, None, True, "there is no champion yet"),
        (None, figures(0.9, 0.5), True, "there is no champion yet"),
        (figures(0.42, 0.80), None, False, "no outcome has matured to compare it with the champion on"),
        (
            figures(0.42, 0.80),
            figures(0.41, 0.81),
            True,
            (
                "it is not worse than the champion by more than the gates allow: "
                "log loss 0.4100 against 0.4200, ROC AUC 0.8100 against 0.8000 on 1000 outcomes"
            ),
        ),
        (
            figures(0.42, 0.80),
            figures(0.4215, 0.796),
            True,
            (
                "it is not worse than the champion by more than the gates allow: "
                "log loss 0.4215 against 0.4200, ROC AUC 0.7960 against 0.8000 on 1000 outcomes"
            ),
        ),
        (
            figures(0.42, 0.80),
            figures(0.4225, 0.85),
            False,
            (
                "its log loss is worse by more than 0.002: "
                "log loss 0.4225 against 0.4200, ROC AUC 0.8500 against 0.8000 on 1000 outcomes"
            ),
        ),
        (
            figures(0.42, 0.80),
            figures(0.30, 0.79),
            False,
            (
                "its ROC AUC is worse by more than 0.005: "
                "log loss 0.3000 against 0.4200, ROC AUC 0.7900 against 0.8000 on 1000 outcomes"
            ),
        ),
        (
            figures(0.42, 0.80),
            figures(nan, 0.9),
            False,
            (
                "its log loss is worse by more than 0.002: "
                "log loss nan against 0.4200, ROC AUC 0.9000 against 0.8000 on 1000 outcomes"
            ),
        ),
        (
            figures(0.42, 0.80),
            figures(0.3, nan),
            False,
            (
                "its ROC AUC is worse by more than 0.005: "
                "log loss 0.3000 against 0.4200, ROC AUC nan against 0.8000 on 1000 outcomes"
            ),
        ),
        (
            figures(nan, nan),
            figures(0.3, 0.9),
            False,
            (
                "its log loss is worse by more than 0.002: "
                "log loss 0.3000 against nan, ROC AUC 0.9000 against nan on 1000 outcomes"
            ),
        ),
    ],
    ids=[
        "first model",
        "first model, judged",
        "nothing matured",
        "better",
        "a little worse",
        "log loss worse",
        "ranking worse",
        "log loss unknown",
        "ranking unknown",
        "champion unknown",
    ],
)
def test_a_challenger_is_promoted_unless_it_is_worse_than_a_gate_allows(
    champion: Metrics | None, challenger: Metrics | None, promote: bool, reason: str
) -> None:
    verdict = decide(champion, challenger, GATES)
    assert (verdict.promote, verdict.reason) == (promote, reason)


def test_gates_of_zero_let_through_what_is_equal() -> None:
    assert decide(figures(0.42, 0.8), figures(0.42, 0.8), Gates(0, 0)).promote
    assert not decide(figures(0.42, 0.8), figures(0.4200001, 0.8), Gates(0, 0)).promote


FIGURE = st.floats(0, 1) | st.just(nan)


@given(st.tuples(FIGURE, FIGURE), st.tuples(FIGURE, FIGURE))
def test_what_could_not_be_computed_never_promotes(
    champion: tuple[float, float], challenger: tuple[float, float]
) -> None:
    verdict = decide(figures(*champion), figures(*challenger), GATES)
    known = all(value == value for value in (*champion, *challenger))  # noqa: PLR0124 - NaN is not itself
    better = known and challenger[0] - champion[0] <= 0.002 and champion[1] - challenger[1] <= 0.005
    assert verdict.promote == better
    assert verdict.reason
