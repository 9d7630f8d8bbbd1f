"""Deliveries that are killed over and over while calls fail, and what is found at the end."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.foundation.storage.store import Store
from pipelines.operations.delivery.outbox import Outbox
from tests.deliveries.shop import customers, deliver_to, score
from tests.deliveries.targets import TARGETS, Target

ROOT = Path(__file__).parent.parent.parent
BATCHES_PER_STOP = 2  # what a killed process had begun, and what its successor looks up before it goes on


@dataclass
class Found:
    """requests: calls of the disturbed deliveries; least: those that they would have made undisturbed.

    wrong, lost, doubled: customers of whom the destination holds something else, nothing, or whom it did not know.
    """

    name: str
    records: int
    rounds: int = 0
    stops: int = 0
    requests: int = 0
    least: int = 0
    faulty: int = 0
    wrong: int = 0
    lost: int = 0
    doubled: int = 0
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    @property
    def exact(self) -> bool:
        return not (self.wrong or self.lost or self.doubled or self.notes)

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.records:,} records in {self.rounds} rounds, {self.stops} kills, "
            f"{self.faulty:,} faults in {self.requests:,} requests, {self.least:,} at least; "
            f"lost {self.lost}, doubled {self.doubled}, wrong {self.wrong}; {self.seconds:.0f} s"
        )


def stopped_and_resumed(
    name: str, folder: Path, *, records: int, stops: int, share: float, seed: int, say: Callable[[str], None]
) -> Found:
    """First a delivery that nothing disturbs, which tells how many calls it takes; then disturbed ones of other scores.

    A process is killed after a random number of calls or at a random moment, and the same command goes on.
    """
    found, chance, names = Found(name, records), random.Random(seed), customers(records)
    started = time.monotonic()
    with TARGETS[name](names) as target:
        deliver_to(folder, target.block)
        _run(folder, target, ["crm", "setup"]).wait()
        expected = score(folder, names, seed=seed)
        before = target.requests()
        _end(found, _run(folder, target, ["deliver", "--json"]))
        once = target.requests() - before
        _compare(found, target, expected)
        say(f"{found} (undisturbed)")
        target.disturb(share, seed)
        before, met = target.requests(), target.faulty()
        while found.stops < stops or not found.rounds:
            found.rounds += 1
            expected = score(folder, names, seed=seed + found.rounds)
            found.least += once
            _one_round(found, folder, target, chance, wanted=stops, spread=max(2, once // 8))
            _compare(found, target, expected)
            found.requests, found.faulty = target.requests() - before, target.faulty() - met
            found.seconds = time.monotonic() - started
            say(str(found))
        outbox = Outbox(Store(folder), target.block["name"])
        if outbox.waiting() or len(outbox.remote_states()) != records or outbox.counts()["dead"]:
            found.notes.append(f"the ledger says {outbox.counts()}")
    return found


def _one_round(found: Found, folder: Path, target: Target, chance: random.Random, *, wanted: int, spread: int) -> None:
    """Deliver until a process comes to its end by itself with nothing left to send."""
    while True:
        process = _run(folder, target, ["deliver", "--json"])
        if found.stops < wanted and _killed(process, target, chance, spread=spread):
            found.stops += 1
            continue
        if _end(found, process):
            return


def _killed(process: subprocess.Popen[str], target: Target, chance: random.Random, *, spread: int) -> bool:
    """Whether the process was killed before it ended."""
    if chance.random() < 0.2:
        with suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0.0, 8.0))
    else:
        until = target.requests() + chance.randint(1, spread)
        while process.poll() is None and target.requests() < until:
            time.sleep(0.002)
        time.sleep(chance.uniform(0.0, 0.05))
    if process.poll() is not None:
        return False
    process.kill()
    process.communicate()
    return True


def _end(found: Found, process: subprocess.Popen[str]) -> bool:
    """Whether a process that came to its end left nothing to be sent."""
    out, error = process.communicate()
    try:
        document = json.loads(out)
    except ValueError:
        found.notes.append(f"exit code {process.returncode}: {error[-500:]}")
        return True
    if document["dead"]:
        found.notes.append(f"{document['dead']} dead")
    if document["destinations"][0]["differing"]:
        found.notes.append(f"read back: {document['destinations'][0]['differing']}")
    return not document["failed"]


def _run(folder: Path, target: Target, command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", *command, "--project", str(folder)],
        cwd=ROOT,
        env={**os.environ, **target.environment, "OMP_WAIT_POLICY": "passive"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _compare(found: Found, target: Target, expected: dict[str, float]) -> None:
    remote = target.probabilities()
    found.lost = len(expected.keys() - remote.keys())
    found.wrong = sum(abs(remote[name] - value) > 1e-9 for name, value in expected.items() if name in remote)
    found.doubled = target.strangers() + len(remote.keys() - expected.keys())
