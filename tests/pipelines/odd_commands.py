"""Command lines as people mistype them: every command, its options filled with odd days, numbers, names and paths."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tests.pipelines.canary_case import WORD

DAYS = [
    "0001-01-01", "9999-12-31", "1899-12-31", "1900-01-01", "2200-12-31", "2201-01-01", "2025-07-15", "2025-06-01",
    "2024-01-01", "2025-02-30", "0000-00-00", "10000-01-01", "-0001-01-01", "20250715", "2025-W29-2", "2025-7-1",
    "15/07/2025", "tomorrow", "", " ", "2025-07-15T00:00:00", "\uff12\uff10\uff12\uff15-07-15", "9" * 5_000, "nan",
    "\x1b[2J", "\udcff",
]  # fmt: skip
NUMBERS = [
    "0",
    "-1",
    "1",
    "3",
    "1e3",
    "9" * 30,
    "9" * 5_000,
    "nan",
    "inf",
    "0x10",
    "",
    "1.5",
    "\uff12",
    str(2**63),
    "1_0",
]
NAMES = [
    "", " ", "a", "\x1b[31m", "x" * 5_000, "é", "\udcff", "--", "-x", "'; DROP TABLE scores; --", "../..", "%s", "{}",
    f"{WORD}-customer_id-3", f"{WORD}-customer_id-8", "*", "a\nb", "a\tb", "\u202e", "churn", "inactivity", "rest",
    "crm",
]  # fmt: skip
FOLDERS = [
    "", ".", "nowhere", "x" * 300, "x" * 5_000, "a/" * 2_500, "orders.parquet", "orders.parquet/a", "\udcff", "\x1b[2J",
    "loop", "loop/a", "/dev/null", "/proc/1/x", "/nowhere/a", "a\nb", "~", "--", "new", "new/er", "landed",
]  # fmt: skip

# With --as-of, and without.
LOOKING = [
    "check", "ingest", "snapshots", "backtest", "train", "score", "report", "run", "deliver", "kpis", "impact", "audit",
    "monitor", "expire", "explain",
]  # fmt: skip
OTHERS = ["outbox", "crm setup", "crm check", "models", "promote", "rollback", "erase", "schedule"]
ELSEWHERE = ["init", "simulate", "indicators"]  # they read no workspace
ARGUMENTS = {"explain", "promote", "erase", "init", "simulate"}
QUICK = ["check", "kpis", "outbox", "models", "expire", "ingest"]  # nothing is computed snapshot by snapshot

OPTIONS: dict[str, dict[str, list[str] | None]] = {
    "check": {"--deep": None},
    "snapshots": {"--from": DAYS, "--to": DAYS},
    "deliver": {"--dry-run": None, "--despite": ["changes", "bands", *NAMES]},
    "outbox": {"--destination": NAMES, "--retry": None, "--drop": None},
    "crm setup": {"--destination": NAMES},
    "crm check": {"--destination": NAMES},
    "kpis": {"--by": ["country", "plan", "channel", "signup_cohort", "value_tier", *NAMES], "--months": NUMBERS},
    "rollback": {"--outcome": NAMES},
    "explain": {"--holdout": None},
    "schedule": {"--port": NUMBERS},
    "init": {"--example": ["cdnow", *NAMES]},
    "simulate": {"--customers": [*NUMBERS, "20"], "--months": [*NUMBERS, "6"], "--seed": NUMBERS},
}
MISTYPED = [
    "--porject",
    "--as-of",
    "-",
    "--json=1",
    "--debug=x",
    "extra",
    "--",
    "--project",
    "-p",
    "--as-of=",
    "\udcff",
]


@dataclass(frozen=True)
class OddCommand:
    """folder: of the workspace, relative to it; None: that of the workspace itself."""

    name: str
    arguments: tuple[str, ...]
    folder: str | None = None

    def typed(self, workspace: str) -> list[str]:
        where = [] if self.name in ELSEWHERE else ["--project", self.folder or workspace]
        return [*self.name.split(), *where, *self.arguments]


def odd_command(chance: Random, *, quick: bool) -> OddCommand:
    """quick: none that computes for long where the settings allow it."""
    name = chance.choice(QUICK if quick else [*LOOKING, *OTHERS, *ELSEWHERE])
    typed: list[str] = []
    for option, values in OPTIONS.get(name, {}).items():
        if chance.random() < 0.5 and not (option == "--deep" and quick):
            typed += [option] if values is None else [f"{option}={chance.choice(values)}"]
    if name in LOOKING and chance.random() < 0.3:
        typed.append(f"--as-of={chance.choice(DAYS)}")
    if name == "simulate" and len(typed) < len(OPTIONS[name]):
        typed.append("--customers=0")  # of sizes that hold, those that are drawn within a second
    if chance.random() < 0.25:
        typed.append("--json")
    if chance.random() < 0.06:
        typed.append(chance.choice(MISTYPED))
    if name in ARGUMENTS:
        typed.append(chance.choice(FOLDERS if name in ("init", "simulate") else NAMES))
    return OddCommand(name, tuple(typed), chance.choice(FOLDERS) if chance.random() < 0.06 else None)
