"""The report's section on plays, in both languages, and that nobody who is held out is named on the page."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.foundation.ledger.recommendations import Recommended
from pipelines.foundation.ledger.score_store import ScoreRun, ScoreStore
from pipelines.foundation.settings.plays import DEFAULT, FILE_NAME
from pipelines.foundation.wording.numbers import Language
from pipelines.foundation.workspace.workspace import Workspace, open_workspace
from pipelines.operations.plays.recommend import plan_of
from pipelines.prediction.scoring.runs import history
from pipelines.report.data import PlayOfWeek, Plays, ReportData
from pipelines.report.page import render
from pipelines.report.plays import plays
from pipelines.report.write import write_report
from tests.pipelines.operations.plays.recommend_case import DAY, HELD_OUT, TREATED, note, play, scored, workspace
from tests.pipelines.report.test_page import LAPTOP, PHONE, Page, report
from tests.pipelines.stage_case import recommend

if TYPE_CHECKING:
    from playwright.sync_api import Browser

DATA = ("list-data", "customer-data")
OF_WEEK = [
    PlayOfWeek(code="call", name="<b>Call</b>", customers=3, held_out=1, capacity=40, profit=120.4),
    PlayOfWeek(code="mail", name="Message", customers=1_200, held_out=130, capacity=None, profit=2_400.0),
]


def with_plays(language: Language = "en", **changes: Any) -> ReportData:
    found = Plays(held_out=frozenset({"C-00001", "C-00002"}), of_week=OF_WEEK)
    return replace(report(language), plays=replace(found, **changes))


def section(page: str) -> str:
    start = page.index('<section id="plays">')
    return page[start : page.index("</section>", start)]


def test_the_section_says_what_is_recommended_and_what_it_should_bring() -> None:
    whole = render(with_plays())
    text = Page(section(whole)).text
    for said in (
        "In the 7 days until 1\xa0April 2026, a play was recommended for 1,203 customers",
        "together they are expected to bring 2,520 EUR.",
        "Chance holds out 2 of 2,000 customers scored",
        "Message 1,200 no limit 2,400 EUR 130",
        "<b>Call</b> 3 40 120 EUR 1",
    ):
        assert said.replace("\xa0", " ") in text.replace("\xa0", " "), said
    assert text.index("Message") < text.index("Call")
    assert "<b>" not in section(whole).replace("<b>2,", "")
    assert 'href="#plays"' in whole


def test_the_french_page_says_it_in_french() -> None:
    text = Page(section(render(with_plays("fr")))).text.replace("\u202f", " ")
    for said in (
        "Actions de la semaine",
        "recommandée pour 1 203 clients",
        "2 clients sur 2 000 clients",
        "sans limite",
    ):
        assert said in text, said


def test_where_nothing_is_recommended_the_section_says_so() -> None:
    text = Page(section(render(with_plays(of_week=[], held_out=frozenset())))).text
    assert "no play was recommended" in text
    assert "Chance holds out" not in text


def test_without_plays_the_section_is_left_out() -> None:
    assert 'id="plays"' not in render(report())
    assert "#plays" not in render(report())


def test_nobody_who_is_held_out_is_named_on_the_page() -> None:
    plain = report()
    first = plain.scores.sort_values("priority")["customer_id"].tolist()
    assert f"<bdi>{first[0]}</bdi>" in render(plain)
    page = render(replace(plain, plays=Plays(held_out=frozenset(first[:3]), of_week=[])))
    assert not any(name in page for name in first[:3])
    assert all(f"<bdi>{name}</bdi>" in page for name in first[3:53])


def test_nobody_who_opted_out_is_named_on_the_page() -> None:
    plain = report()
    first = plain.scores.sort_values("priority")["customer_id"].tolist()
    page = render(replace(plain, opted_out=frozenset(first[:3])))
    assert not any(name in page for name in first[:3])
    assert all(f"<bdi>{name}</bdi>" in page for name in first[3:53])


def test_the_week_is_counted_by_play_and_group(tmp_path: Path) -> None:
    found = workspace(tmp_path, play("call", capacity_per_week=5), play("message"), play("unused"))
    run = scored(found, {TREATED[0]: 1.0, HELD_OUT[0]: 1.0})
    for days, code in ((0, "call"), (-6, "call"), (-7, "message"), (1, "message"), (-2, "message")):
        rows = [(name, code, "treatment") for name in TREATED[:2]] + [(HELD_OUT[0], code, "holdout")]
        note(found.store, str(DAY + timedelta(days=days)), *rows)
    told = plays(plan_of(found), Recommended(found.store).read(), DAY, history(found.store, run))
    assert told == Plays(
        held_out=frozenset({HELD_OUT[0]}),
        of_week=[
            PlayOfWeek(code="call", name="Call", customers=4, held_out=2, capacity=5, profit=40.0),
            PlayOfWeek(code="message", name="Message", customers=2, held_out=1, capacity=None, profit=20.0),
        ],
    )


def test_without_a_file_of_plays_there_is_nothing_to_tell(tmp_path: Path) -> None:
    found = workspace(tmp_path)
    scores = history(found.store, scored(found, {TREATED[0]: 1.0}))
    assert plays(plan_of(found), Recommended(found.store).read(), DAY, scores) is None


def test_the_page_of_a_real_workspace_names_only_the_treated(finished_workspace: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(finished_workspace, tmp_path / "shop"))
    (root / FILE_NAME).write_bytes(DEFAULT.read_bytes())
    found = open_workspace(root, now=datetime(2026, 1, 1, tzinfo=UTC))
    run = ScoreStore(found.store).require(str(found.as_of))
    rows = recommend(found, run)
    assert (rows["recommended_play_code"] != "").sum() > 5
    assert set(rows["treatment_group"]) == {"treatment", "holdout"}
    page = (root / write_report(found)).read_text(encoding="utf-8")
    names = rows["customer_id"].astype(str)
    held = names[found.holdout.holds(names)]
    assert len(held) > 5
    assert not any(f"<bdi>{name}</bdi>" in page for name in held)
    english, french = page.split("<template")
    assert english.count('<th scope="row"><bdi>') == french.count('<th scope="row"><bdi>') == 50
    listed, kept = (json.loads(page.partition(f'id="{name}">')[2].partition("</script>")[0]) for name in DATA)
    assert set(listed["id"]) == set(names) - set(held)
    assert kept["kept"] == len(listed["id"]) == len(kept["parts"])
    assert kept["past"][-1] == [round(1000 * share) for share in _probabilities(found, run, listed["id"])]
    assert sum(kept["tables"][0]["events"]) > 0
    assert 'id="chart-cohorts-again"' in page
    assert 'id="chart-cohorts-active"' in page
    assert "Plays of this week" in section(page)


def _probabilities(found: Workspace, run: ScoreRun, customers: list[str]) -> list[float]:
    return history(found.store, run).set_index("customer_id")["churn_probability"].loc[customers].tolist()


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_nothing_is_wider_than_the_screen(browser: Browser, tmp_path: Path, size: tuple[int, int]) -> None:
    place = tmp_path / "report.html"
    place.write_text(render(with_plays()), encoding="utf-8")
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.goto(place.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.close()
