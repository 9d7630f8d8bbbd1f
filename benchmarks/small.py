"""What small runs take of a processor, and whether threads decide anything: the two examples and the quick commands.

Each is a process of its own, as a user starts it; its whole processor time counts, imports and start included.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any

from benchmarks.report import Report

ROOT = Path(__file__).parent.parent
ATTRITION = Path(sys.executable).parent / "attrition"
MOST = {"cdnow": 120.0, "company": 120.0, "check": 3.0, "help": 0.5, "tests": 800.0}  # seconds of processor
THREADS = (1, 2, 4)


def promise(report: Report, folder: Path, *, tests: bool) -> None:
    """Seconds of processor of each, and one model whatever the number of threads. tests: run `make test`, too."""
    for example in ("cdnow", "company"):
        root = folder / example
        took = _took("init", str(root), "--example", example) + _took("run", "--project", str(root))
        report.row(f"the example {example}, made and run: processor seconds", took, MOST[example], at_least=False)
    # The first call of a process finds its files cold; what users wait for is every other.
    for name, words in (("check", ("check", "--project", str(folder / "cdnow"))), ("help", ("--help",))):
        took = min(_took(*words) for _ in range(3))
        report.row(f"attrition {words[0]}: processor seconds", took, MOST[name], at_least=False)
    found = [_trained(folder / "cdnow", folder / f"threads-{threads}", threads) for threads in THREADS]
    report.row(f"models and figures of {THREADS} threads", len(set(found)), 1, at_least=False)
    for threads, each in zip(THREADS, found, strict=True):
        report.note(f"{threads} threads of BLAS, of OpenMP and of the settings: model {json.loads(each)['version']}")
    if tests:
        before = _children()
        subprocess.run(["make", "test"], check=True, cwd=ROOT, stdout=sys.stderr)  # noqa: S607 - as the README has it
        report.row("make test: processor seconds", _children() - before, MOST["tests"], at_least=False)
    else:
        report.note("make test was not run; --tests runs it")


def _took(*words: str) -> float:
    """Seconds of processor of a command of ours."""
    before = _children()
    _say(*words)
    return _children() - before


def _children() -> float:
    return sum(getrusage(RUSAGE_CHILDREN)[:2])


def _say(*words: str, **environment: str) -> str:
    command = [str(ATTRITION), *words]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | environment)  # noqa: S603 - ours
    return done.stdout


def _trained(finished: Path, root: Path, threads: int) -> str:
    """The model and the figures of a finished workspace's data, fitted anew by so many threads of every kind."""
    root.mkdir()
    for name in ("orders.csv", "plays.toml"):
        shutil.copy(finished / name, root / name)
    settings = (finished / "attrition.toml").read_text(encoding="utf-8")
    settings, replaced = re.subn(r"^threads = \d+", f"threads = {threads}", settings, flags=re.MULTILINE)
    assert replaced == 1
    (root / "attrition.toml").write_text(settings, encoding="utf-8")
    bounds = {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    done: dict[str, Any] = json.loads(_say("run", "--json", "--project", str(root), **bounds))
    return json.dumps({"version": done["train"]["version"], "figures": done["backtest"]}, sort_keys=True)
