from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

from features.errors import DataError
from pipelines.foundation.storage.store import Store
from tests.pipelines.data.landing.landing_case import HEADER, ROW, land, land_file


def test_a_file_with_too_many_rejected_rows_is_refused_with_its_reasons(tmp_path: Path) -> None:
    rows = [f"A-{n},C,2024-01-02,1" for n in range(6)] + ["=1+1,C,2024-01-02,x", "B,C,2024-01-02,y", ",C,2024-01-02,1"]
    with pytest.raises(DataError) as refused:
        land(tmp_path, HEADER + "\n".join(rows), max_rejected_share=0.3)
    (listed,) = (tmp_path / "rejected/orders").iterdir()
    assert str(refused.value) == (
        "orders.csv: 3 of 9 rows (33.3%) are rejected, more than max_rejected_share = 0.3 allows, so nothing of it is "
        "landed. Most frequent: 2 like row 7: amount is not a number (decimal mark '.', no thousands mark); 1 like "
        f"row 9: order_id is empty. They are listed in rejected/orders/{listed.name}. Correct the dialect of this "
        "source in attrition.toml, correct the file, or raise max_rejected_share"
    )
    store = Store(tmp_path)
    assert store.files("landed") == store.files("rejected") == []
    with listed.open(encoding="utf-8-sig", newline="") as handle:
        found = list(csv.DictReader(handle))
    assert [row["source_row"] for row in found] == ["7", "8", "9"]
    assert json.loads(found[0]["raw_row"])["order_id"] == "=1+1"
    land_file(tmp_path, "orders.csv", max_rejected_share=0.4)
    assert list((tmp_path / "rejected/orders").glob("*.refused.csv")) == []


def test_where_customers_are_missing_the_way_out_for_guests_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=re.escape('If rows without a customer are of guests, guests = [""] in this')):
        land(tmp_path, HEADER + "A,,2024-01-02,1\n", max_rejected_share=0)
    assert land(tmp_path, HEADER + "A,,2024-01-02,1\n", max_rejected_share=0, guests=("",)).result.landed == 0


def test_a_share_that_is_just_allowed_lands(tmp_path: Path) -> None:
    landed = land(tmp_path, HEADER + ROW * 1 + "x,C,2024-01-02,x\n", max_rejected_share=0.5)
    assert (landed.result.landed, landed.result.rejected) == (1, 1)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", " ="], ids=ascii)
def test_what_a_spreadsheet_would_run_is_shown_as_text(start: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"orders\.csv"):
        land(tmp_path, HEADER + "A,C,x,1\n", path=f"{start}orders.csv", max_rejected_share=0)
    (listed,) = (tmp_path / "rejected/orders").iterdir()
    assert f",'{start}orders.csv," in listed.read_text(encoding="utf-8-sig")


def _states(root: Path, *sizes: int, **changes: Any) -> list[int]:
    """Write the first so many of ten orders into a file each, and ingest them one by one: how many rows landed."""
    root.mkdir(exist_ok=True)
    found = []
    for number, size in enumerate(sizes, start=1):
        (root / f"orders-{number}.csv").write_text(HEADER + "".join(f"A-{n},C,2024-01-02,1\n" for n in range(size)))
        found.append(land_file(root, "orders-*.csv", **({"new_file": "state"} | changes)).result.landed)
    return found


def test_a_whole_state_that_lacks_more_than_half_of_what_was_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError) as refused:
        _states(tmp_path, 10, 4)
    assert str(refused.value) == (
        "orders-2.csv: holds 4 rows as the whole state of orders, where orders-1.csv held 10; what it lacks would end, "
        "and that is more than max_gone_share = 0.5 allows, so nothing of it is landed. If the export was cut off, "
        'export it anew; if it is a part of the table, set new_file = "rows" for this source in attrition.toml; if so '
        "many are gone indeed, raise max_gone_share"
    )
    assert len(Store(tmp_path).files("landed")) == 1
    assert _states(tmp_path / "allowed", 10, 4, max_gone_share=0.6) == [10, 4]


def test_a_whole_state_of_half_or_of_nothing_lands_and_so_do_further_rows_however_few(tmp_path: Path) -> None:
    for name, sizes, new_file in (("half", (10, 5), "state"), ("none", (10, 0), "state"), ("rows", (10, 1), "rows")):
        assert _states(tmp_path / name, *sizes, new_file=new_file) == list(sizes)
