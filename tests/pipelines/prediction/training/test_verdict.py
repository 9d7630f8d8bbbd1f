from __future__ import annotations

from typing import Any

import pytest

from models.promotion import SEGMENT
from pipelines.foundation.ledger.model_versions import Version
from pipelines.foundation.wording.words import Words
from pipelines.prediction.training.verdict import verdict_in

SAID = "its log loss, 0.4300 against 0.4100, may be worse by 0.0200, more than the 0.01 allowed; judged on 90 outcomes"


def gate(name: str = "log_loss", *, passed: bool = True, segment: str = "") -> dict[str, Any]:
    return {
        "gate": name, "champion": 0.41, "challenger": 0.43, "worse_by": 0.02, "low": 0.01, "high": 0.02,
        "margin": 0.01, "passed": passed, "segment": segment,
    }  # fmt: skip


def french(*, promoted: bool = False, **record: Any) -> str:
    version = Version("abc", "", "2026-01-01", promoted=promoted, verdict=SAID, record=record, published=True)
    assert verdict_in(version, Words("en")) == SAID
    return verdict_in(version, Words("fr")).replace("\u202f", " ").replace("\u00a0", " ").replace("\u2019", "'")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"promoted": True, "promotion": []}, "aucun champion ne permettait la comparaison"),
        ({"promoted": True}, "aucun champion ne permettait la comparaison"),
        (
            {"promoted": True, "promotion": [gate()]},
            "pas moins bon que le champion sur des issues que ni l'un ni l'autre ne connaissait : log loss 0,4300",
        ),
        ({"promotion": []}, "aucune issue connue ne permettait de le comparer au champion"),
        (
            {"promotion": [gate(passed=False), gate("pr_auc", passed=False), gate("calibration")]},
            (
                "log loss : 0,4300 contre 0,4100, peut-être moins bon de 0,0200, au-delà de la marge de 0,0100 ; "
                "PR AUC : 0,4300 contre 0,4100, nettement moins bon, au-delà de la marge de 0,0100"
            ),
        ),
        (
            {"promotion": [gate(), gate(SEGMENT, passed=False, segment="country: FR")]},
            "log loss (Pays : FR) : 0,4300 contre 0,4100, nettement moins bon, au-delà de la marge de 0,0100",
        ),
        (
            {"promotion": [], "leaks": {"findings": [{"place": "orders.tier"}, {"place": "orders.tier"}]}},
            "orders.tier semble connaître l'avenir",
        ),
        ({"promotion": [gate() | {"challenger": None}], "promoted": True}, "pas moins bon"),
    ],
)
def test_a_decision_is_told_in_french_from_what_is_recorded_beside_it(found: dict[str, Any], said: str) -> None:
    assert french(**found).startswith(said)


@pytest.mark.parametrize("name", ["log_loss", "pr_auc", "top_decile_lift", "calibration", SEGMENT])
def test_every_gate_has_a_name(name: str) -> None:
    assert "contre 0,4100" in french(promotion=[gate(name, passed=False)])
