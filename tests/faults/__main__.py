"""`make faults`: kill every stage again and again, and count what is lost, doubled or half written."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from tests.faults.killing import Tally, kill_and_resume
from tests.faults.world import Stage, stages

WORKERS = 2


def main() -> int:
    """Print each stage's length, what was found on the way, and last the tally; 1 where anything was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prepared = stages(Path(folder))
        for stage in prepared:
            print(f"{' '.join(stage.command)}: {stage.seconds:.1f} s, {stage.events} events", flush=True)
        tally = _together(prepared, chosen.kills, Path(folder), seed=chosen.seed)
    print(tally)
    return int(bool(tally.notes))


def _together(prepared: list[Stage], kills: int, folder: Path, *, seed: int) -> Tally:
    """The tally of some workers, each with kills of its own."""
    shares = [kills // WORKERS + (number < kills % WORKERS) for number in range(WORKERS)]
    places = [folder / f"worker-{number}" for number in range(WORKERS)]
    workers = []
    for number, (share, place) in enumerate(zip(shares, places, strict=True)):
        place.mkdir()
        pid = os.fork()
        if pid == 0:
            _work(prepared, share, place, seed=seed + number)
        workers.append(pid)
    total = Tally()
    for pid, place in zip(workers, places, strict=True):
        if os.waitpid(pid, 0)[1]:
            raise SystemExit(f"worker {place.name} broke off")
        total += Tally(**json.loads((place / "tally.json").read_text(encoding="utf-8")))
    return total


def _work(prepared: list[Stage], kills: int, place: Path, *, seed: int) -> None:
    """Kill, and write the tally; it never returns."""
    status, seen = 1, 0

    def told(tally: Tally) -> None:
        nonlocal seen
        for note in tally.notes[seen:]:
            print(note, flush=True)
        seen = len(tally.notes)
        if tally.kills % 25 == 0:
            print(f"... {place.name}: {tally}", flush=True)

    try:
        tally = kill_and_resume(prepared, kills, place, seed=seed, told=told)
        (place / "tally.json").write_text(json.dumps(asdict(tally)), encoding="utf-8")
        status = 0
    finally:
        os._exit(status)


if __name__ == "__main__":
    sys.exit(main())
