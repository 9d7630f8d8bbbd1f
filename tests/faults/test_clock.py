"""A clock that is set forward or back, and the days that have 23 or 25 hours."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.data.landing.ingest import ingest
from pipelines.data.snapshots.workspace_snapshots import snapshots_of
from pipelines.foundation.settings.sources import FileSource
from pipelines.foundation.settings.template import render
from pipelines.foundation.workspace.workspace import open_workspace
from tests.faults.processes import finished
from tests.faults.state import Rows, scores
from tests.faults.world import NOW, SMALL, TODAY, Stage, copy
from tests.pipelines.shop_case import SETTINGS

DAY = timedelta(days=1)


@pytest.fixture
def shop(prepared: list[Stage], tmp_path: Path) -> Path:
    """A shop with a champion, on the eve of scoring; the clock alone says which day it is."""
    copy(next(stage for stage in prepared if stage.name == "scoring"), tmp_path / "shop")
    settings = SMALL.model_copy(update={"as_of": None})
    (tmp_path / "shop" / "attrition.toml").write_text(render(settings), encoding="utf-8")
    return tmp_path / "shop"


def scored(shop: Path, *, now: datetime) -> tuple[dict, Rows]:
    """What `score` says at a time of the clock, and the current scores after it."""
    ended = finished(["score", "--json", "--project", str(shop)], shop.parent / "log", now=now)
    assert ended.code == 0, ended.said
    return json.loads(ended.said), scores(shop)


def test_scores_of_a_later_day_stay_the_current_ones_when_the_clock_is_set_back(shop: Path) -> None:
    _, today = scored(shop, now=NOW)
    told, tomorrow = scored(shop, now=NOW + DAY)
    assert (told["as_of"], told["current"]) == (str(TODAY + DAY), True)
    assert tomorrow != today
    told, after = scored(shop, now=NOW)
    assert (told["as_of"], told["unchanged"], told["current"]) == (str(TODAY), True, False)
    assert after == tomorrow


def test_what_was_trained_last_is_the_challenger_whatever_the_clock_says(shop: Path) -> None:
    listed = ["models", "--json", "--project", str(shop)]
    first = json.loads(finished(listed, shop.parent / "log", now=NOW).said)["models"]
    settings = SMALL.model_copy(
        update={"as_of": None, "training": SMALL.training.model_copy(update={"seed": 8, "start_model": False})}
    )
    (shop / "attrition.toml").write_text(render(settings), encoding="utf-8")
    ended = finished(["train", "--json", "--project", str(shop)], shop.parent / "log", now=NOW - 40 * DAY)
    assert ended.code == 0, ended.said
    version = json.loads(ended.said)["version"]
    ended = finished(["promote", version, "--project", str(shop)], shop.parent / "log", now=NOW - 39 * DAY)
    assert ended.code == 0, ended.said
    models = json.loads(finished(listed, shop.parent / "log", now=NOW).said)["models"]
    assert [each["version"] for each in models] == [*(each["version"] for each in first), version]
    assert [each["version"] for each in models if each["champion"]] == [version]


@pytest.mark.parametrize("day", [date(2025, 3, 30), date(2025, 3, 31), date(2024, 10, 27), date(2024, 10, 28)])
def test_the_hour_before_midnight_counts_and_the_hour_after_it_does_not(day: date, tmp_path: Path) -> None:
    columns = {"order_id": "number", "customer_id": "customer", "ordered_at": "at", "amount": "amount"}
    dialect = SETTINGS.sources[0].dialect.model_copy(
        update={"delimiter": ",", "decimal": ".", "thousands": "", "date_format": "%Y-%m-%d %H:%M"}
    )
    source = FileSource(table="orders", path="orders.csv", columns=columns, dialect=dialect)
    settings = SETTINGS.model_copy(update={"sources": (source,), "as_of": None, "complete_until": None})
    (tmp_path / "attrition.toml").write_text(render(settings), encoding="utf-8")
    rows = [f"{n},C-{n},{at},10" for n, at in enumerate((f"{day - DAY} 23:30", f"{day} 00:30", f"{day - DAY} 00:30"))]
    (tmp_path / "orders.csv").write_text("number,customer,at,amount\n" + "\n".join(rows) + "\n", encoding="cp1252")
    workspace = open_workspace(tmp_path, now=NOW)
    ingest(workspace.store, workspace.settings, today=workspace.today)
    assert list(snapshots_of(workspace).at(day).frame()["customer_id"]) == ["C-0", "C-2"]
    assert list(snapshots_of(workspace).at(day).frame()["days_since_last_order"]) == [1, 1]
