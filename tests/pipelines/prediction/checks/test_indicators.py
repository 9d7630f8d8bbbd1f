"""The list of indicators, as people read it and as programs do."""

from __future__ import annotations

import re

import pytest

from features.training_set import FAMILIES
from pipelines.foundation.own_indicators.own_file import OwnFile
from pipelines.prediction.checks.indicators import indicators

EVERY = [(family, group, each) for family in FAMILIES for group in family.groups for each in group.indicators]


def shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int, **asked: object) -> str:
    monkeypatch.setenv("COLUMNS", str(columns))
    indicators(**asked)  # type: ignore[arg-type]
    return capsys.readouterr().err


def test_each_stands_under_its_family_with_its_own_unit_direction_and_meaning_of_empty(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    heading, found = "", {}
    for line in shown(capsys, monkeypatch, 250).splitlines():
        if not line.startswith(" "):
            heading = line.strip()
        elif cells := re.split(r" {2,}", line.strip()):
            found[cells[0]] = (heading.partition(" (")[0], *cells[1:])
    del found["indicator"]
    assert found == {each.name: (family.name, each.unit, each.direction, each.null) for family, _, each in EVERY}


def test_no_name_is_cut_on_a_narrow_screen(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(capsys, monkeypatch, 80)
    assert [each.name for _, _, each in EVERY if f"  {each.name} " not in text] == []


def test_own_ones_can_be_shown_alone_and_programs_get_all(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = OwnFile(name="mine.py", sha256="a" * 64, runs_on="b", families=(FAMILIES[-1],))
    text = shown(capsys, monkeypatch, 200, own=[own], own_alone=True)
    assert "; mine.py)" in text
    assert "days_since_last_order" not in text
    document = indicators([own], own_alone=True, quiet=True)["indicators"]
    assert len(document) == len(EVERY) + len(FAMILIES[-1].indicators)
