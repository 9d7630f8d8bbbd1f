"""Whatever is wrong with a file, what is said of it, in whichever way, names no customer and repeats no value."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import AttritionError
from pipelines.data.landing.ingest import ingest
from pipelines.foundation.storage.store import Store
from tests.pipelines.data.landing.landing_case import HEADER, LANDED_ON, ORDER_COLUMNS, settings, source

WHO = "CANARY"  # in ids, names, amounts and dates alike
GOOD = f"A-{WHO},{WHO},2024-01-02,1\n"

FILES: dict[str, tuple[bytes | str, dict[str, Any]]] = {
    "values of no kind": (HEADER + f"{WHO},{WHO},{WHO},{WHO}\n" * 3, {"max_rejected_share": 0.0}),
    "too few values": (HEADER + f"{WHO},{WHO}\n", {"max_rejected_share": 0.0}),
    "one order with two values": (HEADER + GOOD + f"A-{WHO},{WHO},2024-01-02,2\n", {}),
    "a quote that never closes": (HEADER + GOOD + f'A-2,"{WHO},2024-01-02,1\n', {}),
    "text behind a quote": (HEADER + f'"A" {WHO},{WHO},2024-01-02,1\n', {}),
    "no heading": (GOOD * 3, {}),
    "no heading, another delimiter": ((GOOD * 3).replace(",", ";"), {}),
    "a column that is missing": (HEADER.replace("amount", "total") + GOOD, {}),
    "a column twice": (HEADER.replace("amount", "amount,amount") + GOOD.strip() + ",1\n", {}),
    "another encoding": ((HEADER + GOOD + f"A-2,{WHO}é,2024-01-02,1\n").encode("cp1252"), {}),
    "a NUL character": (HEADER + GOOD + f"A-2,{WHO}\0,2024-01-02,1\n", {}),
    "a control character": ((HEADER + f"A,{WHO}\x92,2024-01-02,1\n").encode("latin-1"), {"encoding": "iso-8859-1"}),
    "a currency that is none": (
        HEADER.strip() + f",currency\nA-1,{WHO},2024-01-02,1,{WHO}\n",
        {"columns": ORDER_COLUMNS | {"currency": "currency"}},
    ),
    "another currency": (
        HEADER.strip() + f",currency\nA-1,{WHO},2024-01-02,1,USD\n",
        {"columns": ORDER_COLUMNS | {"currency": "currency"}},
    ),
    "a Parquet file that is cut": (b"PAR1" + WHO.encode() * 9, {"format": "parquet"}),
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_a_refusal_names_rows_and_columns_only(
    tmp_path: Path, content: tuple[bytes | str, dict[str, Any]], caplog: pytest.LogCaptureFixture, capfd: Any
) -> None:
    text, changes = content
    (tmp_path / "orders.csv").write_bytes(text.encode() if isinstance(text, str) else text)
    told = list[str]()
    caplog.set_level(logging.DEBUG)
    with pytest.raises(AttritionError) as refused:
        ingest(Store(tmp_path), settings(source(**changes)), progress=told.append, today=LANDED_ON)
    error: BaseException | None = refused.value
    while error is not None:
        told.append(f"{error} {error!r}")
        error = error.__cause__
    told += [caplog.text, *capfd.readouterr()]
    assert [words for words in told if WHO in words] == []
    assert len(str(refused.value)) > 30


def test_a_parquet_column_that_does_not_fit_is_named_without_its_values(tmp_path: Path) -> None:
    pq.write_table(pa.table({name: [[WHO]] for name in ORDER_COLUMNS}), tmp_path / "orders.parquet")
    with pytest.raises(AttritionError) as refused:
        ingest(Store(tmp_path), settings(source("orders.parquet")), today=LANDED_ON)
    assert WHO not in str(refused.value)


def test_progress_of_rows_that_are_rejected_tells_how_many(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(HEADER + GOOD + f"{WHO},{WHO},{WHO},1\n")
    told = list[str]()
    ingest(Store(tmp_path), settings(source()), progress=told.append, today=LANDED_ON)
    assert WHO not in "".join(told)
    assert "1 rejected" in told[-1]
