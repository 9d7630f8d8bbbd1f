from __future__ import annotations

from features.tables import TABLES
from pipelines.docs.tables import PAGE, render


def test_the_page_is_in_step_with_the_contracts() -> None:
    assert PAGE.compare(PAGE.place.read_text(encoding="utf-8")) == [], PAGE.remedy


def test_every_column_of_every_table_is_told() -> None:
    page = render()
    for table in TABLES.values():
        section = page.split(f"\n## {table.name}\n")[1].split("\n## ")[0]
        for column in table.columns:
            assert f"| `{column.name}` | {column.meaning} |" in section
            assert (column.null or "").replace("|", "\\|") in section


def test_what_counts_later_than_its_row_says_from_when() -> None:
    assert (
        "| `refunded_amount` | how much of the order's value went back | money, at least 0 |  | `refunded_at` |"
        in render()
    )
    assert "| `renews_at` |" in render()
