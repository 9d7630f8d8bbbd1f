"""`python -m tests.tampered --cases 2000`: each in a copy of a finished workspace; the last line is the counts."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

from tests.tampered.tampering import cases, kind_of
from tests.tampered.trial import Outcome, make, trial

_COMMANDS = 1  # beside one that asks for figures


def summary(outcomes: list[Outcome]) -> str:
    """The last line."""
    refused = sum(each.refused for each in outcomes)
    counts = {
        "tampered": len(outcomes),
        "refused": refused,
        "made again or harmless": len(outcomes) - refused,
        "crashes": sum(bool(each.crashes) for each in outcomes),
        "outside touched": sum(bool(each.touched) for each in outcomes),
        "altered figures": sum(bool(each.altered) for each in outcomes),
    }
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def main() -> int:
    """Run them; 1 where something did not hold."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    outcomes = list[Outcome]()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = make(folder)
        with ProcessPoolExecutor(given.workers, mp_context=get_context("spawn")) as pool:
            waiting = {
                pool.submit(trial, whole, case, folder / str(case.number), commands=_COMMANDS): case
                for case in cases(whole.root, given.cases)
            }
            for number, done in enumerate(as_completed(waiting), 1):
                try:
                    outcome = done.result()
                except BrokenProcessPool:
                    case = waiting[done]
                    outcome = Outcome(case, crashes=["the process ended"])
                outcomes.append(outcome)
                _tell(outcome)
                sys.stdout.flush()
                if number % 100 == 0:
                    sys.stdout.write(f"{number}: {summary(outcomes)}\n")
    for (kind, way), count in sorted(Counter((kind_of(each.case.target), each.case.way) for each in outcomes).items()):
        sys.stdout.write(f"{count:5} {kind}: {way}\n")
    sys.stdout.write(f"{summary(outcomes)}\n")
    return int(any(each.crashes or each.touched or each.altered for each in outcomes))


def _tell(outcome: Outcome) -> None:
    for what in ("crashes", "touched", "altered"):
        for found in getattr(outcome, what):
            case = outcome.case
            sys.stdout.write(f"{what} (case {case.number}, {case.target}, {case.way}): {found}\n")


if __name__ == "__main__":
    sys.exit(main())
