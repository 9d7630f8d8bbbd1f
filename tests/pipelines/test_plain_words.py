"""Whatever settings, command lines and files are thrown at a command: it ends with words, never with a traceback, and
no word of it is a value of a row.

A few in `make test`; `make words ODDITIES=3000` throws three thousand.
"""

from __future__ import annotations

import logging
import os
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from features.tables import TABLES
from pipelines.cli import app
from pipelines.commands import schedule as schedule_commands
from tests.pipelines.canary_case import SINGS, canary_rows, make_company
from tests.pipelines.odd_commands import OddCommand, odd_command
from tests.pipelines.odd_files import odd_file
from tests.pipelines.odd_settings import OddSettings, odd_settings, written

ODDITIES = int(os.environ.get("ODDITIES", "60"))

# Of an exception nothing is said but in our words: no trace of one, and no name of a class.
TRACES = ("Traceback", "Error:", "Exception", "File \"", "fault of attrition")
# A model is learned from few tables, which is quick; all tables are there to be landed, counted and looked at.
SCORED = ("customers", "orders", "support_contacts")

# What these show is what they are asked for, rows and figures of customers; it is no message.
SHOWN = {
    "explain": "one customer's figures, for who asks for that customer",
    "outbox": "which customers wait to be sent, or were refused",
    "kpis": "counts and sums of the tables, by country, plan and the like",
    "deliver": "with --dry-run a sample of the records",
}


@dataclass(frozen=True)
class Told:
    code: int
    text: str
    crash: BaseException | None


def run(typed: list[str], *, folder: Path) -> Told:
    """A command in this process, as if it was typed in a folder; all that it says, by whichever way."""
    logged = StringIO()
    handler = logging.StreamHandler(logged)
    before, root = Path.cwd(), logging.getLogger()
    root.addHandler(handler)
    os.chdir(folder)
    try:
        result: Result = CliRunner().invoke(app, typed)
    finally:
        os.chdir(before)
        root.removeHandler(handler)
    crash = result.exception if not isinstance(result.exception, SystemExit) else None
    return Told(result.exit_code, result.output + result.stderr + logged.getvalue(), crash)


@pytest.fixture(scope="module")
def companies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """landed: every table, nothing trained. scored: all that a run makes of a few tables."""
    place = tmp_path_factory.mktemp("companies")
    found = {"landed": make_company(place / "landed"), "scored": make_company(place / "scored", SCORED)}
    for name, commands in {"landed": ["ingest"], "scored": ["ingest", "train", "score", "report"]}.items():
        for command in commands:
            told = run([command, "--project", str(found[name])], folder=found[name])
            assert (told.code, told.crash) == (0, None), told.text
            assert SINGS.findall(told.text) == []
        (found[name] / "loop").symlink_to("loop")
        (found[name] / "notes-\udcff.txt").write_text("a name that is no UTF-8")
    return found


@pytest.fixture(autouse=True)
def _no_scheduler(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`schedule` would run until it is stopped: it gets as far as to look for Dagster."""
    monkeypatch.setattr(schedule_commands, "find_spec", lambda _: None)
    for name in ("ATTRITION_WEBHOOK", "ATTRITION_REST_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    yield


@dataclass(frozen=True)
class Oddity:
    company: str
    settings: OddSettings
    command: OddCommand
    file: tuple[str, str, bytes] | None = None
    encoding: str = "utf-8"
    packed: bool = False

    def __repr__(self) -> str:
        file = self.file and (*self.file[:2], self.file[2][:300])
        return f"Oddity({self.company}, {self.settings}, {self.command}, {file}, {self.encoding})"

    def laid(self, company: Path, folder: Path) -> Path:
        """A copy of the company with what is odd in it."""
        # What is replaced and never written to may be the same file.
        shutil.copytree(company, folder, symlinks=True, copy_function=_linked)
        if self.settings.content is not None:
            _written(folder / "attrition.toml", self.settings.content)
        elif self.file is not None:
            table, name, content = self.file
            _written(folder / name, content)
            found = tomllib.loads((folder / "attrition.toml").read_text(encoding="utf-8"))
            columns = {each.name: each.name for each in TABLES[table].columns}
            source: dict[str, Any] = {"table": table, "path": "odd*", "columns": columns, "dialect": {"encoding": self.encoding, "date_format": "%Y-%m-%d %H:%M:%S.%f%z"}}  # fmt: skip
            if self.packed:
                source["format"] = "csv"
            found["sources"] = [source, *(each for each in found["sources"] if each["table"] != table)]
            _written(folder / "attrition.toml", written(found))
        return folder


def _linked(source: str, target: str) -> None:
    if "sqlite" in source or source.endswith((".lock", ".json", ".toml")):
        shutil.copy2(source, target)
    else:
        os.link(source, target)


def _written(place: Path, content: bytes) -> None:
    place.unlink(missing_ok=True)
    place.write_bytes(content)



@st.composite
def oddities(draw: st.DrawFn) -> Oddity:
    from tests.pipelines.canary_case import canary_settings
    from pipelines.foundation.settings.template import render

    company = draw(st.sampled_from(["landed", "scored", "scored"]))
    usual = tomllib.loads(render(canary_settings(tuple(TABLES) if company == "landed" else SCORED)))
    if draw(st.integers(0, 2)) == 0:
        command = OddCommand(draw(st.sampled_from(["ingest", "ingest", "ingest", "check", "run", "score"])), ())
        encoding = draw(st.sampled_from(["utf-8", "utf-8", "cp1252", "utf-16", "utf-32", "latin-1", "shift_jis"]))
        return Oddity(company, OddSettings(None), command, draw(odd_file()), encoding, draw(st.booleans()))
    odd = draw(odd_settings(usual))
    return Oddity(company, odd, draw(odd_command(quick=odd.costly or company == "landed")))


# What fails is small enough to be read as it is: to look for a smaller one would run thousands of commands.
@settings(
    max_examples=ODDITIES, suppress_health_check=list(HealthCheck), database=None, phases=[Phase.explicit, Phase.generate]
)
@given(oddity=oddities())
def test_every_command_ends_in_words_and_no_word_is_a_value_of_a_row(
    companies: dict[str, Path], tmp_path_factory: pytest.TempPathFactory, oddity: Oddity, capfd: pytest.CaptureFixture[str]
) -> None:
    assert faults(companies, tmp_path_factory, oddity, capfd) == []


def faults(companies, tmp_path_factory, oddity, capfd) -> list[str]:
    folder = tmp_path_factory.mktemp("odd")
    try:
        place = oddity.laid(companies[oddity.company], folder / "company")
        typed = oddity.command.typed(str(place))
        told = run(typed, folder=place)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    text = told.text + "".join(capfd.readouterr())
    found = [f"crash: {told.crash!r}"] if told.crash is not None else []
    found += [f"exit code {told.code}"] if told.code not in (0, 1, 2) else []
    found += [f"trace: {trace}" for trace in TRACES if trace in text]
    found += ["says nothing"] if told.code == 2 and len(text) < 30 else []
    if told.code == 2 or oddity.command.name not in SHOWN:
        for word in oddity.command.arguments:  # whoever typed a customer's id may read it again
            for part in {word, word.partition("=")[2]} - {""}:
                text = text.replace(part, "")
        found += [f"sings: {word}" for word in SINGS.findall(text)]
    return [f"{each}: {typed}: {text[-1500:]}" for each in found]
