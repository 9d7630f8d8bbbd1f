"""What may have been done to a workspace, to each of its files and folders: the ways, and their crossing."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from random import Random

from pipelines.foundation.storage import ledger_seal
from pipelines.foundation.storage.workspace_paths import LEDGER

CANARY = "canary"
HOSTILE = [
    "../../outside/canary",
    "/etc/passwd",
    "",
    "x",
    "\u202e",
    "{}",
    "[]",
    "null",
    "NaN",
    0,
    -1,
    2**62,
    1e308,
    b"\0",
]


@dataclass(frozen=True)
class Place:
    """The workspace, what is to be tampered with in it, a whole workspace of another day, and a folder beside them."""

    root: Path
    target: Path
    other: Path
    outside: Path


Way = Callable[[Place, Random], None]


def _byte(at: Place, random: Random) -> None:
    content = bytearray(at.target.read_bytes() or b"\0")
    content[random.randrange(len(content))] ^= random.randrange(1, 256)
    at.target.write_bytes(content)


def _cut(at: Place, random: Random) -> None:
    content = at.target.read_bytes()
    at.target.write_bytes(content[: random.randrange(len(content) or 1)])


def _emptied(at: Place, _: Random) -> None:
    at.target.write_bytes(b"")


def _removed(at: Place, _: Random) -> None:
    if at.target.is_dir():
        shutil.rmtree(at.target)
    else:
        at.target.unlink()


def _linked(at: Place, _: Random) -> None:
    """To the same bytes outside: every hash agrees."""
    away = at.outside / at.target.name
    shutil.move(at.target, away)
    at.target.symlink_to(away)


def _linked_elsewhere(at: Place, random: Random) -> None:
    _removed(at, random)
    at.target.symlink_to(at.outside if random.random() < 0.5 else at.outside / random.choice([CANARY, "not-there"]))


def _second_name(at: Place, _: Random) -> None:
    (at.outside / at.target.name).hardlink_to(at.target)


def _swapped(at: Place, random: Random) -> None:
    """With the file of another day, or another one beside it."""
    name = at.target.relative_to(at.root)
    beside = [each for each in sorted(at.target.parent.iterdir()) if each.is_file() and each != at.target]
    if (at.other / name).is_file() and (not beside or random.random() < 0.7):
        shutil.copyfile(at.other / name, at.target)
    elif beside:
        shutil.copyfile(random.choice(beside), at.target)
    else:
        _byte(at, random)


def _pipe(at: Place, random: Random) -> None:
    _removed(at, random)
    os.mkfifo(at.target)


def _folder(at: Place, random: Random) -> None:
    _removed(at, random)
    at.target.mkdir()


def _file(at: Place, random: Random) -> None:
    _removed(at, random)
    at.target.write_bytes(b"a file")


def _row(at: Place, random: Random) -> None:
    """A value of the ledger, and its seal with it: what somebody does who means it."""
    with closing(sqlite3.connect(at.target)) as ledger:
        tables = [name for (name,) in ledger.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        counts = {name: ledger.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}
        table = random.choice([name for name in tables if counts[name] and name not in ("seal", "sqlite_sequence")])
        columns = [row[1] for row in ledger.execute(f"SELECT * FROM pragma_table_info('{table}')")]
        chosen = f"rowid = (SELECT rowid FROM {table} LIMIT 1 OFFSET {random.randrange(counts[table])})"
        with suppress(sqlite3.IntegrityError):  # a number where SQLite takes no text
            ledger.execute(
                f"UPDATE OR IGNORE {table} SET {random.choice(columns)} = ? WHERE {chosen}", (random.choice(HOSTILE),)
            )
        ledger_seal.seal(ledger)
        ledger.commit()


OF_A_FILE: Mapping[str, Way] = {
    "byte changed": _byte,
    "cut": _cut,
    "emptied": _emptied,
    "removed": _removed,
    "linked": _linked,
    "linked elsewhere": _linked_elsewhere,
    "swapped": _swapped,
    "second name": _second_name,
    "a pipe": _pipe,
    "a folder": _folder,
}
OF_A_FOLDER: Mapping[str, Way] = {
    "removed": _removed,
    "linked": _linked,
    "linked elsewhere": _linked_elsewhere,
    "a file": _file,
    "a pipe": _pipe,
}
OF_THE_LEDGER: Mapping[str, Way] = {"a row": _row}
ALL: Mapping[str, Way] = {**OF_A_FILE, **OF_A_FOLDER, **OF_THE_LEDGER}

# What the user writes may be anything that they write: it is to end in words, and its figures are theirs.
THEIRS = ("attrition.toml", "commandes-1.csv", "plays.toml")


@dataclass(frozen=True)
class Case:
    """number: its seed. target: below the workspace. way: what is done to it."""

    number: int
    target: str
    way: str


def kind_of(target: str) -> str:
    """What files of one kind have in common: the folder that they are in; of those at the top their name."""
    return target.partition("/")[0]


def cases(root: Path, count: int) -> list[Case]:
    """So many, spread over kinds and ways; within a kind file after file."""
    of_kind: dict[tuple[str, str], list[str]] = {}
    for target, ways in _targets(root):
        for way in ways:
            of_kind.setdefault((kind_of(target), way), []).append(target)
    turns = {each: cycle(targets) for each, targets in of_kind.items()}
    order = list(turns)
    Random(7).shuffle(order)
    # The ledger has most to lose.
    order += [each for each in order for _ in range(3) if each[0] == LEDGER and each[1] in ("byte changed", "a row")]
    chosen = islice(((kind, way) for kind, way in cycle(order)), count)
    return [Case(number, next(turns[each]), each[1]) for number, each in enumerate(chosen)]


def _targets(root: Path) -> Iterator[tuple[str, Mapping[str, Way]]]:
    for place in sorted(root.rglob("*")):
        name = place.relative_to(root).as_posix()
        if place.is_dir():
            yield name, OF_A_FOLDER
        else:
            yield name, {**OF_A_FILE, **(OF_THE_LEDGER if name == LEDGER else {})}
