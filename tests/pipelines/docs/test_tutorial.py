"""docs/tutorial.md, followed to the letter on the simulated exports that it names."""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.docs.page import DOCS
from tests import tutorial_exports

PAGE = (DOCS / "tutorial.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```([a-z]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SETTINGS = "# shop/attrition.toml: "
TO_SET_UP = ("make install", "source .venv/bin/activate")  # the tests run in that environment


@dataclass
class Walk:
    """What somebody does who follows the page, in the folder `place`. said: what each command printed."""

    place: Path
    said: list[tuple[str, str]] = field(default_factory=list)

    def follow(self, language: str, block: str) -> None:
        if language == "sh":
            for command in block.splitlines():
                self.type(command)
        elif language == "toml":
            where, _, text = block.removeprefix(SETTINGS).partition("\n")
            self.set(where, text)
        elif language == "python":
            first, _, _ = block.partition("\n")
            (self.place / first.removeprefix("# ")).write_text(block)
        else:
            assert language == "text"
            assert (self.place / "exports" / "tickets.csv").read_text().startswith(block)

    def type(self, command: str) -> None:
        match shlex.split(command):
            case _ if command in TO_SET_UP:
                return
            case ["python", "-m", "tests.tutorial_exports", folder]:
                tutorial_exports.write(self.place / folder)
            case ["cp", source, target]:
                shutil.copy(self.place / source, self.place / target)
            case ["attrition", *arguments]:
                result = CliRunner().invoke(app, arguments)
                assert result.exit_code == 0, f"{command}\n{result.output}"
                self.said.append((command, result.output))
            case _:
                raise AssertionError(f"the test does not know how to type: {command}")

    def set(self, where: str, text: str) -> None:
        file = self.place / "shop" / "attrition.toml"
        settings = file.read_text()
        if where == "at the top":
            settings = text + settings
        elif where == "at the end":
            settings = f"{settings}\n\n{text}"
        else:
            assert where == "change these lines"
            for line in re.findall(r"^[a-z_]+ = .*$", text, re.MULTILINE):
                name = line.partition(" ")[0]
                settings, changed = re.subn(rf"^{name} = .*$", line, settings, flags=re.MULTILINE)
                assert changed == 1, name
        file.write_text(settings)


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Walk:
    place = tmp_path_factory.mktemp("tutorial")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("XDG_CONFIG_HOME", str(place / "configuration"))
        found = Walk(place)
        for language, block in BLOCK.findall(PAGE):
            found.follow(language, block)
    return found


def columns(walk: Walk) -> list[int]:
    told = [re.search(r"(\d+) indicator columns", said) for command, said in walk.said if " check " in command]
    return [int(found[1]) for found in told if found]


def test_every_command_of_the_page_ends_well_and_leaves_a_report(walk: Walk) -> None:
    assert len(walk.said) == PAGE.count("\nattrition ")
    report = (walk.place / "shop" / "report.html").read_text(encoding="utf-8")
    assert "simulated" in report
    assert list((walk.place / "shop" / "delivery").glob("*.csv"))


def test_the_own_indicator_adds_four_columns_as_the_page_says(walk: Walk) -> None:
    before, after = columns(walk)
    assert after == before + 4


def test_the_own_indicator_stands_in_the_explanation_of_the_page_s_customer(walk: Walk) -> None:
    before, after = (said for command, said in walk.said if " explain " in command)
    assert "service_per_order" not in before
    assert "service_per_order" in after


def test_nothing_is_rejected_but_guests(walk: Walk) -> None:
    said = next(said for command, said in walk.said if " check " in command)
    faults = re.findall(r"rejected: (.*)$", said, re.MULTILINE)
    assert faults
    assert all(re.fullmatch(r"\d+ of guests", fault) for fault in faults)
