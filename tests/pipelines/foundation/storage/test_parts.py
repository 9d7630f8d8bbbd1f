"""What workers wrote is read in order, some rows at a time, and told from what has no order."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.foundation.storage import parts as module
from pipelines.foundation.storage.parts import Parts, in_step

SCHEMA = pa.schema([("customer_id", pa.string()), ("orders", pa.int64())])


@pytest.fixture(autouse=True)
def few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS", 3)


def written(files: Sequence[Sequence[str]]) -> Parts:
    """Parts of these customers; a worker writes numbers as texts, another type than was asked for."""

    def buffers() -> Iterator[pa.BufferReader]:
        for customers in files:
            sink = pa.BufferOutputStream()
            orders = pa.array([str(len(each)) for each in customers], pa.string())
            pq.write_table(
                pa.table({"orders": orders, "customer_id": pa.array(customers, pa.string())}).select([1, 0]), sink
            )
            yield pa.BufferReader(sink.getvalue())

    return Parts(lambda: list(buffers()), SCHEMA, lambda: None)


@given(
    st.lists(st.text("abc", min_size=1, max_size=4), unique=True, max_size=20),
    st.lists(st.integers(0, 20), max_size=6),
    st.randoms(use_true_random=False),
)
def test_rows_come_in_order_however_they_are_cut_and_named(
    customers: list[str], cuts: list[int], chance: random.Random
) -> None:
    wanted = sorted(customers)
    places = sorted(min(cut, len(wanted)) for cut in cuts)
    files = [wanted[first:last] for first, last in zip([0, *places], [*places, len(wanted)], strict=True)]
    chance.shuffle(files)
    found = list(written(files).batches())
    assert [who for table in found for who in table["customer_id"].to_pylist()] == wanted
    assert [count for table in found for count in table["orders"].to_pylist()] == [len(each) for each in wanted]
    assert all(table.schema == SCHEMA for table in found)
    assert [len(table) for table in found[:-1]] == [3] * (len(found) - 1)
    assert 1 <= len(found) <= max(1, -(-len(wanted) // 3))


def test_files_that_overlap_have_no_order() -> None:
    with pytest.raises(AssertionError, match="overlap"):
        list(written([["a", "c"], ["b", "d"]]).batches())


def test_results_of_the_same_rows_lie_beside_each_other() -> None:
    one, other = written([["c", "d"], ["a", "b"]]), written([["a"], ["b", "c", "d"]])
    beside = [[table["customer_id"].to_pylist() for table in tables] for tables in in_step([one, other])]
    assert beside == [[["a", "b", "c"]] * 2, [["d"]] * 2]


def test_a_result_that_lacks_many_rows_is_told() -> None:
    with pytest.raises(ValueError, match="zip"):
        list(in_step([written([["a", "b", "c", "d"]]), written([["a", "b", "c"]])]))


def test_tables_of_this_process_come_whole(tmp_path: Path) -> None:
    table = pa.table({"customer_id": list("abcdefg")})
    assert list(in_step([table, table])) == [[table, table]]
