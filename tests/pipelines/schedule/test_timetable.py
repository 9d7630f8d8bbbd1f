from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipelines.operations.monitoring import monitor
from pipelines.schedule.site import Site
from pipelines.schedule.timetable import retrain_sensor
from tests.pipelines.schedule.schedule_case import history
from tests.pipelines.shop_case import make_shop

CALM = {"as_of": "2025-06-01", "alerts": [], "retrain": []}
MOVED = CALM | {"retrain": ["orders have drifted", "log loss is worse than promised"]}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return make_shop(tmp_path / "shop", rows=[])


def asked(shop: Path) -> Any:
    with history() as instance:
        return retrain_sensor(Site(shop, dg.RetryPolicy()))(dg.build_sensor_context(instance=instance))


def watched(document: dict | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor, "newest", lambda *_: document)


def test_monitoring_asks_for_retraining_with_its_reasons(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched(MOVED, monkeypatch)
    request = asked(shop)
    assert isinstance(request, dg.RunRequest)
    assert request.tags["asked_by_monitoring"] == "orders have drifted; log loss is worse than promised"
    assert retrain_sensor(Site(shop, dg.RetryPolicy())).job_name == "retrain"


def test_a_document_asks_once_and_another_one_again(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = []
    for document in (MOVED, dict(MOVED), MOVED | {"as_of": "2025-06-02"}):
        watched(document, monkeypatch)
        keys.append(asked(shop).run_key)
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize(
    ("document", "said"), [(None, "nothing was monitored yet"), (CALM, "monitoring at 2025-06-01 does not ask")]
)
def test_otherwise_it_says_why_not(
    document: dict | None, said: str, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched(document, monkeypatch)
    assert said in str(asked(shop).skip_message)


def test_a_mistake_in_the_settings_is_told_and_the_sensor_goes_on(shop: Path) -> None:
    (shop / "attrition.toml").write_text("currency = EUR\n")
    assert "is not valid TOML" in str(asked(shop).skip_message)
