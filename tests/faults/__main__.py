"""`make faults`: kill every stage again and again, and count what is lost, doubled or half written."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.faults.killing import Tally, kill_and_resume
from tests.faults.world import stages


def main() -> int:
    """Print each stage's length, then how far the kills are, and last the tally; 1 where anything was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prepared = stages(Path(folder))
        for stage in prepared:
            print(f"{' '.join(stage.command)}: {stage.seconds:.1f} s, {stage.events} events", flush=True)
        seen = 0

        def told(tally: Tally) -> None:
            nonlocal seen
            for note in tally.notes[seen:]:
                print(note, flush=True)
            seen = len(tally.notes)
            if tally.kills % 20 == 0:
                print(f"... {tally}", flush=True)

        tally = kill_and_resume(prepared, chosen.kills, Path(folder), seed=chosen.seed, told=told)
    print(tally)
    return int(bool(tally.notes))


if __name__ == "__main__":
    sys.exit(main())
