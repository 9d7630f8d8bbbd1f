"""Starts each measurement of snapshots as a process of its own, Featuretools in an environment of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from benchmarks import snapshots
from benchmarks.snapshots import SPANS, Seconds
from models.matrix import ENTITY
from pipelines.foundation.workspace.console import Console

ROOT = Path(__file__).parent.parent
PATIENCE_SECONDS = 1200
# 1.31.0 of May 2024 is the newest there is. It asks for pandas 2.0 or later, but with pandas 3 it stops at the first
# table; and its woodwork imports pkg_resources, which setuptools 81 no longer has.
FEATURETOOLS = ("featuretools==1.31.0", "pandas<3", "setuptools<81", "pyarrow<26")


class NotMeasuredError(Exception):
    """Why something has no figure."""


@dataclass(frozen=True)
class Measured:
    """times: of each file or snapshot. versions: of the packages that are compared with us."""

    times: Sequence[Seconds]
    peak_gib: float
    versions: Mapping[str, str]

    @property
    def wall(self) -> float:
        return sum(each.wall for each in self.times)

    @property
    def processor(self) -> float:
        return sum(each.processor for each in self.times)


def measured(what: str, folder: Path, *options: object) -> Measured:
    """What `python -m benchmarks.snapshots` finds. Raises: NotMeasuredError where it ran out of memory or patience."""
    command = [sys.executable, "-m", snapshots.__name__, what, str(folder), *map(str, options)]
    return _run(command, folder)


def rows(folder: Path, *, events: int, customers: int, files: Sequence[str]) -> None:
    """Make the rows; as a process too, because making them takes more memory than counting them."""
    folder.mkdir()
    measured("rows", folder, "--events", events, "--customers", customers, "--files", *files)


def in_featuretools(folder: Path, *, customers: int, days: Sequence[date]) -> Measured:
    """Raises: NotMeasuredError where the environment cannot be made, for want of uv or of the network."""
    needs = [part for need in FEATURETOOLS for part in ("--with", need)]
    script = Path(__file__).with_name("snapshots_in_featuretools.py")
    lists = [",".join(map(str, each)) for each in (SPANS.lookback_days, days)]
    command = [_uv(), "run", "--isolated", "--no-project", "--python", sys.executable, *needs, "python", str(script)]
    with Console().stage("featuretools"):
        return _run([*command, str(folder), str(customers), *lists], folder, quiet=True)


def agree(folder: Path, name: str, days: Sequence[date]) -> int:
    """How many indicators another has in common with ours, all of them equal; an AssertionError where one is not."""
    for day in days:
        ours, theirs = (pd.read_parquet(folder / each / f"{day}.parquet") for each in ("attrition", name))
        pd.testing.assert_frame_equal(ours[list(theirs)], theirs, check_dtype=False, rtol=1e-9, atol=1e-9)
    return len(theirs.columns.drop(ENTITY))


def _uv() -> str:
    """The machine's own if it answers (a shim of a version manager may not), otherwise the one that `make` fetched."""
    for place in filter(None, (shutil.which("uv"), str(ROOT / ".tools" / "uv" / "bin" / "uv"))):
        try:
            subprocess.run([place, "--version"], check=True, capture_output=True)  # noqa: S603 - uv
        except (OSError, subprocess.CalledProcessError):
            continue
        return place
    raise NotMeasuredError("there is no uv to make its environment")


def _run(command: Sequence[str], folder: Path, *, quiet: bool = False) -> Measured:
    """What a program's last line says. It runs in `folder`, where the engine may spill."""
    try:
        ended = subprocess.run(  # noqa: S603 - our own programs
            command,
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if quiet else None,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotMeasuredError(f"not done after {PATIENCE_SECONDS:,} seconds") from None
    if ended.returncode:
        why = (ended.stderr or "").strip().splitlines()
        raise NotMeasuredError(why[-1] if why else f"it ended with {ended.returncode}")
    said = json.loads(ended.stdout.splitlines()[-1])
    return Measured([Seconds(**each) for each in said["times"]], said["peak_gib"], said["versions"])
