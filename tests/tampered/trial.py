"""One tampered workspace: what the commands say of it, what they give out, and what became of everything around it."""

from __future__ import annotations

import json
import re
import shutil
import signal
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.prediction.checks.rejects import LOST
from tests.pipelines.shop_case import attrition, make_shop
from tests.tampered.tampering import ALL, CANARY, THEIRS, Case, Place

ERASED, ASKED = "C-0011", "C-0013"
DAY = "2025-06-01"
SECONDS = 600  # a command that takes longer hangs, however busy the machine

COMMANDS: Mapping[str, Sequence[str]] = {
    "ingest": ["ingest"],
    "check": ["check"],
    "score": ["score"],
    "deliver": ["deliver"],
    "explain": ["explain", ASKED],
    "models": ["models"],
    "kpis": ["kpis", "--months", "3"],
    "report": ["report"],
    "train": ["train"],
    "monitor": ["monitor"],
    "outbox": ["outbox"],
    "expire": ["expire"],
    "erase": ["erase", "C-0099"],
}
SLOW, RARELY = {"train", "monitor", "report"}, 0.15

# Whatever is asked of it afterwards: what is given out, and with which document.
TOLD = ("explain", "kpis", "models", "check", "score")
# What says when something was made, or whether it was there before.
_STAMPS = re.compile(
    "scored_at|trained_at|since|unchanged|sent|planned|delivery|published|valid_until|notes|run_id|next"
)


@dataclass
class Outcome:
    """said: of each command that ended in words. crashes: tracebacks, and what hung. touched: outside. altered: given
    out, and not what a whole workspace gives.
    """

    case: Case
    said: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        return bool(self.said)


@dataclass(frozen=True)
class Whole:
    """A finished workspace in which somebody was erased, the same before that, and what is given out of it."""

    root: Path
    before: Path
    given: Mapping[str, Any]


def make(folder: Path, finished: Path | None = None) -> Whole:
    """Build it; of a finished workspace, where there is one."""
    root, before = folder / "whole", folder / "before"
    if finished is None:
        done = attrition("run", "--project", str(make_shop(root)))
        if done.returncode:
            raise AssertionError(done.stderr)
    else:
        shutil.copytree(finished, root)
    shutil.copytree(root, before)
    for command in (["erase", ERASED], ["ingest"], ["score"], ["report"], ["monitor"], ["check"]):
        ran = _run(command, root)
        if ran.exit_code not in (0, 1):
            raise AssertionError(ran.output)
    given, copy = Outcome(Case(0, "", "")), folder / "copy"
    shutil.copytree(root, copy)
    found = {name: _told(name, copy, given) for name in TOLD}
    shutil.rmtree(copy)
    return Whole(root, before, found | {"csv": _csv(root)})


def trial(whole: Whole, case: Case, folder: Path, *, commands: int) -> Outcome:
    """Tamper with a copy, run so many commands on it, then ask for what is given out."""
    random, outcome = Random(case.number), Outcome(case)
    root, outside = folder / "shop", folder / "outside"
    shutil.copytree(whole.root, root)
    outside.mkdir()
    (outside / CANARY).write_text("somebody else's")
    ALL[case.way](Place(root, root / case.target, whole.before, outside), random)
    around = _state(outside)
    rare = set() if random.random() < RARELY else SLOW
    chosen = random.sample(sorted(COMMANDS.keys() - rare), k=commands)
    for name in chosen:
        _document(name, root, outcome)
    others = {"erase", "train"} & {*chosen}  # after which other figures are right
    told = random.sample(TOLD, k=min(commands, len(TOLD)))
    given = {name: _told(name, root, outcome) for name in told}
    if case.target not in THEIRS and case.way != "a row" and not others:
        outcome.altered += [
            f"{name}: {differing}"
            for name in told
            if given[name] is not None and (differing := _differing(given[name], _as_far(given[name], whole, name)))
        ]
        csv = _csv(root)
        if (
            "linked" not in case.way
            and not case.target.startswith("delivery")
            and csv not in (None, whole.given["csv"])
        ):
            outcome.altered.append("csv")
    after = _state(outside)
    outcome.touched += sorted(name for name in around.keys() | after.keys() if around.get(name) != after.get(name))
    shutil.rmtree(folder, ignore_errors=True)
    return outcome


def _document(name: str, root: Path, outcome: Outcome) -> Any:
    """The document of a command; None where it refused, or had none."""
    ran = _run(COMMANDS[name], root)
    if ran.exception is not None and not isinstance(ran.exception, SystemExit):
        where = traceback.extract_tb(ran.exception.__traceback__)
        ours = next((frame for frame in reversed(where) if "/pipelines/" in frame.filename), where[-1])
        outcome.crashes.append(
            f"{name}: {type(ran.exception).__name__} {str(ran.exception)[:200]} at {ours.filename}:{ours.lineno}"
        )
        return None
    if ran.exit_code == 2:
        outcome.said.append(f"{name}: {ran.stderr.strip()}")
        return None
    return json.loads(ran.stdout) if ran.stdout.strip() else None


def _told(name: str, root: Path, outcome: Outcome) -> Any:
    return _figures(_document(name, root, outcome))


def _as_far(found: Any, whole: Whole, name: str) -> Any:
    """What a whole workspace gives, but for counts of which `check` itself says that it has not counted everything.

    What it counts then is of what is there, and no more than of the whole.
    """
    right = whole.given[name]
    if name != "check" or not found["seen"]:
        return right
    right = deepcopy(right)
    counted, all_of_it = found["matured"], right["matured"]
    if all_of_it and (not counted or not counted["complete"]):
        right |= {"matured": counted, "enough": found["enough"]}
        if counted and counted["customers"] > all_of_it["customers"]:
            right["matured"] = all_of_it
    for table, seen in found["seen"].items():
        if LOST in seen["reasons"] and table in right["seen"] and sum(seen["reasons"].values()) == seen["rejected"]:
            right["seen"][table]["reasons"] = seen["reasons"]
    return right


def _differing(found: Any, right: Any) -> str:
    """The keys of a document whose values differ."""
    return ", ".join(sorted(key for key in found.keys() | right.keys() if found.get(key) != right.get(key)))


def _figures(document: Any) -> Any:
    if isinstance(document, dict):
        return {key: _figures(value) for key, value in document.items() if not _STAMPS.fullmatch(key)}
    return [_figures(each) for each in document] if isinstance(document, list) else document


def _csv(root: Path) -> list[str] | None:
    """The newest delivered file without its stamps."""
    try:
        # Who opens a pipe that was laid there waits for ever: commands refuse it, and we do not read it either.
        files = [place for place in (root / "delivery").glob("scores-*.csv") if place.is_file()]
        places = sorted(files, key=lambda place: place.stat().st_mtime_ns)
        lines = places[-1].read_text(encoding="utf-8-sig").splitlines()
    except (OSError, IndexError, UnicodeDecodeError):
        return None
    return [re.sub(r'"\d{4}-\d\d-\d\dT[^"]*"', "", line) for line in lines]


def _run(arguments: Sequence[str], root: Path) -> Any:
    with _limited():
        return CliRunner().invoke(app, [*arguments, "--project", str(root), "--json"])


@contextmanager
def _limited() -> Iterator[None]:
    def late(_: int, __: FrameType | None) -> None:
        raise TimeoutError("it hangs")

    signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)


def _state(folder: Path) -> dict[str, object]:
    """Content, time and kind of everything in a folder."""
    found: dict[str, object] = {".": tuple(sorted(place.name for place in folder.iterdir()))}
    for place in folder.rglob("*"):
        state = place.lstat()
        content = place.read_bytes() if place.is_file() else b""
        found[place.relative_to(folder).as_posix()] = (state.st_mode, state.st_mtime_ns, content)
    return found
