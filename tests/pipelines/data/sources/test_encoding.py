"""How long a line may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.errors import DataError
from pipelines.data.sources.encoding import check_text

LONGEST = 64 << 20


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_lines_may_be_long_and_the_file_longer(tmp_path: Path, end: str) -> None:
    place = tmp_path / "orders.csv"
    with place.open("wb") as handle:
        for _ in range(3):
            handle.write(b"x" * (LONGEST // 2) + end.encode())
    check_text(place, "utf-8")


def test_a_file_whose_lines_do_not_end_is_refused_before_it_is_held(tmp_path: Path) -> None:
    place = tmp_path / "orders.csv"
    with place.open("wb") as handle:
        handle.write(b"order_id\n" + b"x" * (LONGEST + (2 << 20)))
    with pytest.raises(DataError) as refused:
        check_text(place, "utf-8")
    assert str(refused.value) == (
        "line 2 of orders.csv has more than 67,108,864 characters, so its line ends are missing or other ones; "
        "export it again, a line for each row"
    )
