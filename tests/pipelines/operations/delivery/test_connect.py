from __future__ import annotations

import subprocess
import sys
from typing import get_args

import pytest

from pipelines.foundation.settings.destinations import Destination, Sql
from pipelines.operations.delivery import connect
from pipelines.operations.delivery.connect import KINDS

WITHOUT_CLIENTS = """
import sys
class NotInstalled:
    def find_spec(self, name, path, target=None):
        if name in ("hubspot", "simple_salesforce", "psycopg"):
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, NotInstalled())
from pipelines.foundation.settings.destinations import BottleCrm, HubSpot, Rest, Salesforce, Sql
from pipelines.operations.delivery.connect import connect
from pipelines.operations.delivery.connector import DestinationError
for plan in (
    HubSpot(kind="hubspot", name="a"),
    Salesforce(kind="salesforce", name="b", address="https://company.my.salesforce.com"),
    Sql(kind="sql", name="c", address="postgresql://127.0.0.1/none"),
    BottleCrm(kind="bottlecrm", name="d", address="https://crm.example.com"),
    Rest(kind="rest", name="e", address="https://api.example.com", create=True, write={"path": "/"}),
):
    try:
        connect(plan, language="en")
    except DestinationError as error:
        print(error)
"""


def test_every_kind_of_the_settings_has_a_connector() -> None:
    kinds = get_args(get_args(Destination)[0])
    assert set(KINDS) == set(kinds)
    assert all(callable(kind.module().connect) for kind in KINDS.values())


def test_a_client_that_is_not_installed_is_named_with_what_brings_it() -> None:
    command = [sys.executable, "-c", WITHOUT_CLIENTS]
    ran = subprocess.run(command, env={}, capture_output=True, text=True, check=False)
    needed = ran.stdout.splitlines()
    assert needed[:3] == [
        'destination "a" needs hubspot, which is not installed; run `pip install "attrition[hubspot]"`',
        'destination "b" needs simple_salesforce, which is not installed; run `pip install "attrition[salesforce]"`',
        'destination "c" needs psycopg, which is not installed; run `pip install "attrition[postgresql]"`',
    ], ran.stderr
    assert ["ATTRITION_BOTTLECRM_TOKEN" in needed[3], "ATTRITION_REST_TOKEN" in needed[4]] == [True, True]


def test_a_module_that_is_missing_and_no_client_is_a_mistake_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ModuleNotFoundError("No module named 'pandas'", name="pandas")

    monkeypatch.setitem(KINDS, Sql, connect.Kind(broken, (), "psycopg", "postgresql"))  # type: ignore[arg-type]
    with pytest.raises(ModuleNotFoundError, match="pandas"):
        connect.connect(Sql(kind="sql", name="crm", address="postgresql://127.0.0.1/none"), language="en")
