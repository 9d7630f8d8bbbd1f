"""What is looked at of tables that landed more than once: nothing that was put right or taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.data.landing.ingest import ingest
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.settings.sources import QuerySource
from pipelines.foundation.workspace.console import Console
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.foundation.workspace.workspace import open_workspace
from pipelines.prediction.checks.check import check
from tests.pipelines.foundation.workspace.test_workspace import (
    CLUB,
    LINES,
    MOMENTS,
    NOON,
    ORDERS,
    SHOP,
    changed,
    made,
    source,
)

STEPS = source(
    "subscription_changes", "subscription_id", "customer_id", "changed_at", "kind", "plan", "mrr_before", "mrr_after"
)
DAYS = "started_at::TIMESTAMP AS started_at"


def odd(folder: Path, settings: Settings, **files: list[str]) -> list[str]:
    """The kinds of odd things, once files of this content were ingested under these settings."""
    root = made(folder, settings, **files)
    workspace = open_workspace(root, now=NOON)
    ingest(workspace.store, workspace.settings, today=workspace.today)
    found = check(RunContext(open_workspace(root, now=NOON), Console(quiet=True), NOON))
    return [each["kind"] for each in found["odd"]]


def subscribed(query: str) -> Settings:
    query = f"SELECT subscription_id, customer_id, {DAYS}, {query} FROM 'all.csv'"
    return changed(CLUB, sources=(QuerySource(table="subscriptions", query=query, dialect=MOMENTS), STEPS))


@pytest.mark.parametrize("tries", [1, 2])
def test_a_query_put_right_over_a_newer_export_ends_what_was_odd(tries: int, tmp_path: Path) -> None:
    """tries: how many exports landed by the wrong query, in other words each time."""
    steps = [f"{n},c{n},2024-03-01 12:00,plan,pro,10,30" for n in range(1, 9)]
    wrong, right = ("plan, mrr", "plan, mrr, 1 AS seats"), "first_plan AS plan, first_mrr AS mrr"
    for turn, query in enumerate([*wrong[:tries], right], 9):
        rows = [f"{n},c{n},2024-01-0{n} 12:00,pro,30,basic,10" for n in range(1, 9)]
        rows += [f"{n},c{n},2024-02-01 12:00,max,50,max,50" for n in range(9, turn)]
        text = "\n".join(["subscription_id,customer_id,started_at,plan,mrr,first_plan,first_mrr", *rows])
        (tmp_path / "all.csv").write_text(text + "\n", encoding="utf-8")
        found = odd(tmp_path, subscribed(query), subscription_changes=steps)
        assert {"todays_price", "todays_plan"} & {*found} == (
            set() if query == right else {"todays_price", "todays_plan"}
        )


def test_rows_without_a_key_that_never_were_so_are_not_looked_at(tmp_path: Path) -> None:
    lines = [f"{n},c{n % 40},2024-05-01 12:00,1,{n}.5" for n in range(1_000)]
    for corrects_past, wanted in ((True, []), (False, ["repeated_rows"])):  # these were counted until today
        root = tmp_path / str(corrects_past)
        settings = changed(SHOP, sources=(LINES.model_copy(update={"corrects_past": corrects_past}),))
        assert "repeated_rows" in odd(root, settings, order_lines=[*lines, *lines[:200]])
        assert [each for each in odd(root, settings, order_lines=lines) if each == "repeated_rows"] == wanted


def test_ids_that_changed_with_the_system_are_told_until_a_query_gives_the_new_ones(tmp_path: Path) -> None:
    old = [f"o{n},a{n},2023-12-{n % 28 + 1:02} 12:00,5.5" for n in range(90)]
    new = [f"n{n},b{n},2024-01-{n % 28 + 1:02} 12:00,5.5" for n in range(90)]
    for name, rows in (("old", old), ("new", new)):
        text = "\n".join(["order_id,customer_id,ordered_at,amount", *rows])
        (tmp_path / f"{name}.csv").write_text(text + "\n", encoding="utf-8")
    first, second = (ORDERS.model_copy(update={"path": f"{name}.csv"}) for name in ("old", "new"))
    assert "changed_ids" in odd(tmp_path, changed(SHOP, sources=(first, second)))
    query = (
        "SELECT order_id, replace(customer_id, 'a', 'b') AS customer_id, ordered_at::TIMESTAMP AS ordered_at, amount "
        "FROM 'old.csv'"
    )
    joined = QuerySource(table="orders", query=query, dialect=MOMENTS)
    assert "changed_ids" not in odd(tmp_path, changed(SHOP, sources=(joined, second)))
