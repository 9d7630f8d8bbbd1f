"""Own indicators in snapshots: beside ours, in their names, and refused in words where they stop over real rows."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from features.errors import DataError
from pipelines.data.landing.ingest import ingest
from pipelines.data.snapshots.snapshot import Snapshot
from pipelines.data.snapshots.workspace_snapshots import snapshots_of
from pipelines.foundation.workspace import compiled_queries, kept_queries
from pipelines.foundation.workspace.workspace import Workspace
from tests.pipelines.foundation.own_indicators.own_case import TODAY, example, own_workspace
from tests.pipelines.shop_case import AS_OF, SETTINGS, make_shop

DAY = date(2024, 12, 2)  # a Monday
ROWS = [
    ("F1", "C-1", "30/11/2024", "10,00"),  # a Saturday
    ("F2", "C-1", "29/11/2024", "10,00"),
    ("F3", "C-1", "02/12/2024", "10,00"),  # the day of the snapshot: not known yet
    ("F4", "C-2", "01/11/2024", "10,00"),
    ("F5", "C-3", "01/02/2024", "10,00"),
]
SUMMED = "return orders.group_by"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = make_shop(tmp_path / "shop", rows=ROWS)
    workspace = Workspace(folder, SETTINGS, AS_OF, TODAY)
    ingest(workspace.store, workspace.settings, today=workspace.today)
    return folder


def at(workspace: Workspace) -> Snapshot:
    return snapshots_of(workspace).at(DAY)


def test_a_column_of_ones_own_stands_beside_ours_with_its_values(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = at(own_workspace(shop, example(), monkeypatch))
    frame = snapshot.frame().set_index("customer_id")
    assert frame["weekend_order_share_30d"].fillna(-1).to_dict() == {"C-1": 0.5, "C-2": -1, "C-3": -1}
    assert frame["weekend_order_share_90d"].tolist()[:2] == [0.5, 0.0]
    ours = at(Workspace(shop, SETTINGS, AS_OF, TODAY))
    assert list(frame.columns[-2:]) == ["weekend_order_share_30d", "weekend_order_share_90d"]
    pd.testing.assert_frame_equal(snapshot.frame().iloc[:, :-2], ours.frame())
    assert snapshot.snapshots.columns[: len(frame.columns)] == tuple(frame.columns)


def test_a_machine_keeps_our_queries_and_none_of_ones_own(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(compiled_queries, "TRANSLATED", {})
    _ = at(own_workspace(shop, example(), monkeypatch)).file
    kept = [kept_queries.read(each.name) for each in (tmp_path / "attrition" / kept_queries.FOLDER).iterdir()]
    columns = [name for found in kept if found is not None for name in found[1].names]
    assert "days_since_last_order" in columns
    assert not [name for name in columns if name.startswith("weekend")]


def test_an_altered_file_is_another_snapshot_and_the_same_file_the_same(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = at(Workspace(shop, SETTINGS, AS_OF, TODAY)).inputs.key
    first = at(own_workspace(shop, example(), monkeypatch)).inputs.key
    again = at(own_workspace(shop, example(), monkeypatch)).inputs.key
    altered = at(own_workspace(shop, example() + "# a comment\n", monkeypatch)).inputs.key
    assert first == again
    assert len({plain, first, altered}) == 3
    assert at(Workspace(shop, SETTINGS, AS_OF, TODAY)).inputs.key == plain


def test_more_than_one_row_for_a_customer_is_refused_and_nothing_stored(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = example().replace(SUMMED, "shares = {each: value.over() for each, value in shares.items()}\n    " + SUMMED)
    text = text.replace('group_by("customer_id").agg(**shares)', 'select("customer_id", **shares)')
    snapshot = at(own_workspace(shop, text, monkeypatch))
    with pytest.raises(DataError) as refused:
        _ = snapshot.file
    assert str(refused.value).startswith(
        "my_indicators.py: family buying_days gives more than one row to a customer on 2024-12-02 (1 rows too many; "
        "settings: indicators); end compute with .group_by"
    )
    assert not list((shop / "snapshots").glob("2024-12-02-*"))


def test_what_the_engine_refuses_over_real_rows_is_told_without_a_value(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = example().replace(
        '    orders = view["orders"]\n',
        '    orders = view["orders"]\n    orders = orders.filter(orders.customer_id.cast("int64") > 0)\n',
    )
    snapshot = at(own_workspace(shop, text, monkeypatch))
    with pytest.raises(DataError) as refused:
        _ = snapshot.file
    told = str(refused.value)
    assert told.startswith("my_indicators.py: family buying_days cannot be computed over the rows known on 2024-12-02")
    assert "C-1" not in told
    assert refused.value.__cause__ is not None


def test_without_its_tables_a_group_is_absent_and_the_rest_is_there(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = own_workspace(shop, example().replace('needs=("orders",)', 'needs=("orders", "usage")'), monkeypatch)
    assert "buying_days" not in [family.name for family in snapshots_of(workspace).definition.families]
    assert at(workspace).inputs.key != at(Workspace(shop, SETTINGS, AS_OF, TODAY)).inputs.key
