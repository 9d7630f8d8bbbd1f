"""The eves of all stages, made once, and the share of the trials that is run here."""

from __future__ import annotations

import os

import pytest

from tests.faults.world import Stage, stages


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> list[Stage]:
    return stages(tmp_path_factory.mktemp("stages"))


@pytest.fixture(scope="session")
def races() -> int:
    return int(os.environ.get("RACES", "200"))
