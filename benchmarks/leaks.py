"""Which exports stop a promotion: leaking ones should, honest ones should not. Everything here is simulated."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.breadth import wanted, with_columns
from benchmarks.exports import Company, columns_of, write
from benchmarks.honest_exports import SIGNS, honest
from benchmarks.leaking_exports import leaking
from pipelines.data.landing.ingest import ingest
from pipelines.data.snapshots.workspace_snapshots import snapshots_of
from pipelines.foundation.workspace.workspace import open_workspace
from pipelines.prediction.leaks.doubts import Doubts, doubts

NOW = datetime(2030, 1, 1, tzinfo=UTC)
# Thresholds were chosen on seeds below 3000; the figures of docs/decisions/0023 are of these, looked at once.
REPORTED = (*range(4000, 4060), *range(5000, 5120))


@dataclass(frozen=True)
class Judged:
    """One export. kind: how it leaks, or is honest; planted: the columns that leak."""

    seed: int
    kind: str
    customers: int
    columns: int
    planted: tuple[str, ...]
    doubts: Doubts

    @property
    def stopped(self) -> bool:
        return bool(self.doubts.findings)


def leaking_ones(folder: Path, seeds: Iterable[int]) -> list[Judged]:
    """Each leaking export, judged."""
    found = []
    for seed in seeds:
        made, planted, kinds = leaking(seed)
        _widen(made, planted, seed)
        told = judged(made, folder / f"leaking-{seed}")
        found.append(Judged(seed, ", ".join(kinds), made.size, columns_of(made), tuple(planted), told))
    return found


def honest_ones(folder: Path, seeds: Iterable[int]) -> list[Judged]:
    """Each honest export, judged."""
    found = []
    for seed in seeds:
        made, kind = honest(seed)
        _widen(made, SIGNS[kind.partition(",")[0]], seed)
        told = judged(made, folder / f"honest-{seed}")
        found.append(Judged(seed, kind, made.size, columns_of(made), (), told))
    return found


def _widen(made: Company, kept: Collection[str], seed: int) -> None:
    chance = np.random.default_rng([3, seed])
    with_columns(made, wanted(chance), kept, chance)


def in_words(leaking: list[Judged], honest: list[Judged]) -> list[str]:
    """Of each kind how many stopped a promotion, and each that was judged wrongly."""
    lines = []
    for exports in (leaking, honest):
        for kind in sorted({each.kind for each in exports if ", " not in each.kind or exports is honest}):
            mine = [each.stopped for each in exports if each.kind == kind]
            lines.append(f"{kind}: {sum(mine)} of {len(mine)} stopped")
    several = [each.stopped for each in leaking if ", " in each.kind]
    lines.append(f"several kinds of leaks: {sum(several)} of {len(several)} stopped")
    columns = [place in each.doubts.names for each in leaking for place in each.planted]
    lines.append(f"{sum(columns)} of {len(columns)} leaking columns are named")
    wrong = [each for each in leaking if not each.stopped] + [each for each in honest if each.stopped]
    lines += [
        f"judged wrongly: seed {each.seed}, {each.kind}, {each.customers} customers, {each.columns} columns; doubted: "
        f"{', '.join(each.doubts.names) or 'none'}; untold: {len(each.doubts.untold)}"
        for each in wrong
    ]
    return lines


def judged(made: Company, folder: Path) -> Doubts:
    """What training would doubt of an export; its folder is gone afterwards."""
    write(made, folder)
    workspace = open_workspace(folder, now=NOW)
    ingest(workspace.store, workspace.settings, today=workspace.today)
    told = doubts(snapshots_of(workspace), workspace.settings.training.trusted_columns)
    shutil.rmtree(folder)
    return told
