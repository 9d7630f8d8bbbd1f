"""Kills at any moment of any stage, and what is left of the workspace."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.processes import finished, killed_after, killed_at
from tests.faults.state import broken, scores, state
from tests.faults.world import NOW, Stage, copy


@dataclass
class Tally:
    """kills: processes that were killed. lost, doubled: rows against a run never killed. partial: found half."""

    kills: int = 0
    lost: int = 0
    doubled: int = 0
    partial: int = 0
    notes: list[str] = field(default_factory=list)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.kills + other.kills,
            self.lost + other.lost,
            self.doubled + other.doubled,
            self.partial + other.partial,
            self.notes + other.notes,
        )

    def __str__(self) -> str:
        return f"kills {self.kills}, lost {self.lost}, doubled {self.doubled}, partial {self.partial}"


def kill_and_resume(
    stages: list[Stage], wanted: int, folder: Path, *, seed: int, told: Callable[[Tally], None] = lambda _: None
) -> Tally:
    """Kill `wanted` processes, stage after stage, each resumed by the same command, and compare.

    Half of the kills come at a moment of time, half ahead of something that the process does to a file or a database;
    every fourth process is killed again while it is resumed.
    """
    tally, chance = Tally(), random.Random(seed)
    while tally.kills < wanted:
        for stage in stages:
            if tally.kills < wanted:
                _one(stage, folder, chance, tally)
                told(tally)
    return tally


def _one(stage: Stage, folder: Path, chance: random.Random, tally: Tally) -> None:
    work, log = folder / "killed", folder / "killed.log"
    command = copy(stage, work)
    for _ in range(1 + (chance.random() < 0.25)):
        if chance.random() < 0.5:
            when = chance.uniform(0, stage.seconds)
            ended, how = killed_after(when, command, log, now=NOW), f"after {when:.3f} s"
        else:
            event = chance.randint(1, stage.events)
            ended, how = killed_at(event, command, log, now=NOW), f"at event {event}"
        what = f"{stage.name} {stage.command} killed {how}"
        if ended.code == -9:
            tally.kills += 1
        elif ended.code == 0:
            break  # it came to its end before the kill
        else:
            tally.partial += 1
            tally.notes.append(f"{what}: ended with {ended.code} instead: {ended.said}")
        for problem in _half(stage, work):
            tally.partial += 1
            tally.notes.append(f"{what}: {problem}")
    # Once at its end, a rollback that is asked for again goes further back.
    resumed = ended if ended.code == 0 else finished(command, log, now=NOW)
    if resumed.code:
        tally.partial += 1
        tally.notes.append(f"{what}: resumed with {resumed.code}: {resumed.said}")
    found = state(work)
    for name, rows in (("lost", stage.after - found), ("doubled", found - stage.after)):
        setattr(tally, name, getattr(tally, name) + rows.total())
        tally.notes += [f"{what}: {name} {str(row)[:300]}" for row in list(rows)[:3]]


def _half(stage: Stage, work: Path) -> Iterator[str]:
    yield from broken(work)
    if scores(work) not in (scores(stage.eve), scores(stage.done)):
        yield "the current scores are neither those of before nor those of after"
