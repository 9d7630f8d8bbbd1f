from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipelines.operations.delivery.bottlecrm.connector import BottleCrmConnector, connect
from tests.bottlecrm.server import RealBottleCrm, real_bottlecrm
from tests.pipelines.operations.delivery.bottlecrm.bottlecrm_case import plan


@pytest.fixture(scope="session")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealBottleCrm]:
    """Set up, with a custom field of people's own beside ours."""
    with real_bottlecrm(tmp_path_factory.mktemp("bottlecrm")) as running, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ATTRITION_BOTTLECRM_TOKEN", running.tokens["admin"])
        theirs = {"target_model": "Contact", "key": "theirs", "label": "Theirs", "field_type": "text"}
        running.call("POST", "custom-fields/", theirs)
        connect(plan(running.address), language="fr").setup()
        yield running


@pytest.fixture
def connector(crm: RealBottleCrm) -> BottleCrmConnector:
    return connect(plan(crm.address), language="fr")
