from __future__ import annotations

import csv
import json
from pathlib import Path

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


def test_a_share_that_is_just_allowed_lands(tmp_path: Path) -> None:
    landed = land(tmp_path, HEADER + ROW * 1 + "x,C,2024-01-02,x\n", max_rejected_share=0.5)
    assert (landed.result.landed, landed.result.rejected) == (1, 1)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", " ="], ids=ascii)
def test_what_a_spreadsheet_would_run_is_shown_as_text(start: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"orders\.csv"):
        land(tmp_path, HEADER + "A,C,x,1\n", path=f"{start}orders.csv", max_rejected_share=0)
    (listed,) = (tmp_path / "rejected/orders").iterdir()
    assert f",'{start}orders.csv," in listed.read_text(encoding="utf-8-sig")
