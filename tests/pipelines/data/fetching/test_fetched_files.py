from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.data.fetching.api import Page
from pipelines.data.fetching.fetched_files import FetchedFiles, lines_of

DAY, IDENTITY = "2026-01-01", ("https://api.example.com", "key")
ONE = Page([{"id": "a", "n": 1}, {"id": "b", "n": None}], "b")
TWO = Page([{"id": "c"}], "c")


def files(root: Path, *, day: str = DAY, identity: tuple[str, ...] = IDENTITY) -> FetchedFiles:
    return FetchedFiles.of(root / "stripe", day=day, identity=identity)


def half(root: Path) -> FetchedFiles:
    """A fetch that broke off after a page."""
    begun = files(root)
    begun.begin()
    begun.add("charges", begun.begin_list("charges"), ONE)
    return begun


def objects(folder: Path) -> list[str]:
    return list(lines_of(folder, "charges"))


def test_pages_stand_under_each_other_each_object_a_line(tmp_path: Path) -> None:
    begun = half(tmp_path)
    begun.add("charges", begun.begin_list("charges"), TWO)
    begun.finish({"charges": 3})
    assert objects(begun.folder) == ['{"id": "a", "n": 1}', '{"id": "b", "n": null}', '{"id": "c"}']
    lines = (begun.folder / "charges.jsonl").read_text().splitlines()
    assert json.loads(lines[0]) == {"id": None, "object": None}
    assert json.loads(lines[1]) == {"id": "a", "object": '{"id": "a", "n": 1}'}


def test_a_fetch_that_broke_off_goes_on_on_the_same_day(tmp_path: Path) -> None:
    half(tmp_path)
    again = files(tmp_path)
    again.begin()
    state = again.begin_list("charges")
    assert (state["after"], state["objects"], state["done"]) == ("b", 2, False)


def test_a_line_that_was_cut_is_written_again(tmp_path: Path) -> None:
    half(tmp_path)
    place = files(tmp_path).unfinished / "charges.jsonl"
    whole = place.read_bytes()
    place.write_bytes(whole + b'{"id": "c", "obj')
    again = files(tmp_path)
    again.begin()
    again.add("charges", again.begin_list("charges"), TWO)
    assert objects(again.unfinished)[-1] == '{"id": "c"}'
    assert place.read_bytes().startswith(whole)


def test_a_list_that_lost_what_it_had_begins_anew(tmp_path: Path) -> None:
    half(tmp_path)
    (files(tmp_path).unfinished / "charges.jsonl").write_bytes(b"")
    assert files(tmp_path).begin_list("charges")["after"] is None


@pytest.mark.parametrize("other", [{"day": "2026-01-02"}, {"identity": ("https://api.example.com", "another")}])
def test_another_day_and_another_account_begin_anew(tmp_path: Path, other: dict[str, str]) -> None:
    half(tmp_path)
    again = files(tmp_path, **other)  # type: ignore[arg-type]
    again.begin()
    assert again.begin_list("charges")["after"] is None
    assert objects(again.unfinished) == []


def test_what_is_there_is_replaced_at_the_end_and_not_before(tmp_path: Path) -> None:
    before = half(tmp_path)
    before.finish({"charges": 2})
    after = files(tmp_path, day="2026-01-02")
    after.begin()
    after.add("charges", after.begin_list("charges"), TWO)
    assert before.waiting()
    assert objects(before.folder)[0].startswith('{"id": "a"')
    after.finish({"charges": 1})
    assert (before.waiting(), after.waiting()) == (False, True)
    assert objects(after.folder) == ['{"id": "c"}']
    assert not after.unfinished.exists()


def test_a_fetch_waits_only_once_it_is_finished(tmp_path: Path) -> None:
    assert not half(tmp_path).waiting()


def test_the_key_stands_in_no_file(tmp_path: Path) -> None:
    begun = files(tmp_path, identity=("https://api.example.com", "rk_live_canary"))
    begun.begin()
    begun.finish({})
    assert [place for place in tmp_path.rglob("*") if place.is_file() and b"canary" in place.read_bytes()] == []
