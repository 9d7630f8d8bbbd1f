"""Whatever settings, command lines and files are thrown at a command: it ends with words, never with a traceback, and
no word of it is a value of a row.

A few in `make test`; `make words ODDITIES=3000` throws three thousand.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import tomllib
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from features.tables import TABLES
from pipelines.cli import app
from pipelines.commands import schedule as schedule_commands
from pipelines.commands.frame import MISTAKE
from pipelines.foundation.settings.template import render
from tests.pipelines.canary_case import SINGS, canary_settings, make_company
from tests.pipelines.odd_commands import OddCommand, odd_command
from tests.pipelines.odd_files import LISTS, odd_file, odd_file_beside
from tests.pipelines.odd_settings import OddSettings, odd_settings, written

SHORTEST = 30  # characters of what says what is wrong, where, and what to do
ODDITIES = int(os.environ.get("ODDITIES", "30"))

# Of an exception nothing is said but in our words: no trace of one, and no name of a class. Click tells of what was
# typed wrongly in a line that begins with "Error: ".
TRACES = re.compile(r"""Traceback|[\w.]Error\b|Exception|File "|fault of attrition""")
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
    return Told(result.exit_code, result.output + logged.getvalue(), crash)


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
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """`schedule` would run until it is stopped: it gets as far as to look for Dagster."""
    monkeypatch.setattr(schedule_commands, "find_spec", lambda _: None)
    monkeypatch.delenv("ATTRITION_WEBHOOK", raising=False)
    for name in ("REST", "HUBSPOT", "BOTTLECRM"):
        monkeypatch.setenv(f"ATTRITION_{name}_TOKEN", "token-of-a-test")


@dataclass(frozen=True)
class Oddity:
    company: str
    settings: OddSettings
    command: OddCommand
    file: tuple[str, str, bytes] | None = None
    encoding: str = "utf-8"
    packed: bool = False
    beside: tuple[str, bytes] | None = None  # another file of the workspace, and what stands in it instead

    def __repr__(self) -> str:
        file = self.file and (*self.file[:2], self.file[2][:300])
        beside = self.beside and (self.beside[0], self.beside[1][:300])
        return f"Oddity({self.company}, {self.settings}, {self.command}, {file}, {self.encoding}, {beside})"

    def laid(self, company: Path, folder: Path) -> Path:
        """A copy of the company with what is odd in it."""
        # What is replaced and never written to may be the same file.
        shutil.copytree(company, folder, symlinks=True, copy_function=_linked)
        if self.beside is not None:
            place = folder / self.beside[0]
            shutil.rmtree(place) if place.is_dir() else None
            _written(place, self.beside[1])
        if self.settings.content is not None:
            _written(folder / "attrition.toml", self.settings.content)
        elif self.file is not None:
            table, name, content = self.file
            _written(folder / name, content)
            found = tomllib.loads((folder / "attrition.toml").read_text(encoding="utf-8"))
            columns = {each.name: each.name for each in TABLES[table].columns}
            dialect = {"encoding": self.encoding, "date_format": "%Y-%m-%d %H:%M:%S.%f%z"}
            source: dict[str, Any] = {"table": table, "path": "odd*", "columns": columns, "dialect": dialect}
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


USUAL = {
    name: tomllib.loads(render(canary_settings(tables)))
    for name, tables in {"landed": TABLES, "scored": SCORED}.items()
}


def drawn(chance: Random) -> Oddity:
    """One way of going wrong, or two."""
    company = chance.choice(["landed", "scored", "scored"])
    if chance.random() < 0.35:
        command = OddCommand(chance.choices(["ingest", "check", "score", "run"], [12, 4, 2, 1])[0], ())
        encoding = chance.choice(["utf-8", "utf-8", "utf-8", "cp1252", "utf-16", "utf-32", "latin-1", "shift_jis"])
        return Oddity(company, OddSettings(None), command, odd_file(chance), encoding, packed=chance.random() < 0.5)
    if chance.random() < 0.2:
        command = odd_command(chance, quick=company == "landed")
        settings_with_lists = OddSettings(written(USUAL[company] | {"privacy": LISTS}))
        return Oddity(company, settings_with_lists, command, beside=odd_file_beside(chance))
    odd = odd_settings(chance, USUAL[company])
    return Oddity(company, odd, odd_command(chance, quick=odd.costly or company == "landed"))


def faults(oddity: Oddity, company: Path, folder: Path, capfd: pytest.CaptureFixture[str]) -> list[str]:
    """What is wrong with how a command ended, and with what it said."""
    place = oddity.laid(company, folder / "company")
    typed = oddity.command.typed(str(place))
    told = run(typed, folder=place)
    text = told.text + "".join(capfd.readouterr())
    found = [f"crash: {told.crash!r}"] if told.crash is not None else []
    found += [f"exit code {told.code}"] if told.code not in (0, 1, 2) else []
    found += [f"trace: {trace}" for trace in TRACES.findall(text)]
    found += ["says nothing"] if told.code == MISTAKE and len(text) < SHORTEST else []
    if told.code == MISTAKE or oddity.command.name not in SHOWN:
        found += [f"sings: {word}" for word in SINGS.findall(without_echo(text, oddity.command))]
    return [f"{each}: {typed}: {text[-1500:]}" for each in found]


def without_echo(text: str, command: OddCommand) -> str:
    """Without what was typed: whoever typed a customer's id may read it again."""
    for word in command.arguments:
        for part in {word, word.partition("=")[2]} - {""}:
            text = text.replace(part, "")
    return text


# What fails is small enough to be read as it is: to look for a smaller one would run thousands of commands.
@settings(
    max_examples=ODDITIES,
    suppress_health_check=list(HealthCheck),
    database=None,
    phases=[Phase.explicit, Phase.generate],
)
@given(chance=st.randoms(use_true_random=True))
def test_every_command_ends_in_words_and_no_word_is_a_value_of_a_row(
    companies: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
    capfd: pytest.CaptureFixture[str],
    chance: Random,
) -> None:
    oddity, folder = drawn(chance), tmp_path_factory.mktemp("odd")
    try:
        assert faults(oddity, companies[oddity.company], folder, capfd) == [], oddity
    finally:
        shutil.rmtree(folder, ignore_errors=True)
